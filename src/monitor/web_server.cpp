#include "src/monitor/web_server.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <fstream>
#include <optional>
#include <utility>

#include <civetweb.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "dataplane/io/environment_error.h"

namespace sallyport {
namespace {

constexpr std::size_t form_value_bytes_max = 512;
constexpr std::size_t token_bytes_max = 512;

// In a time that does not tell how much of it is right.
bool same_secret(std::string_view one, std::string_view other) {
  unsigned difference = one.size() == other.size() ? 0 : 1;
  for (std::size_t i = 0; i < one.size(); ++i) {
    const char against = other.empty() ? '\0' : other[i % other.size()];
    difference |= static_cast<unsigned char>(one[i]) ^ static_cast<unsigned char>(against);
  }
  return difference == 0;
}

std::string_view header(mg_connection* connection, const char* name) {
  const char* value = mg_get_header(connection, name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

// "127.0.0.1:9464", "[::1]:9464", "localhost:9464": names that nobody elsewhere can make to point here.
bool names_this_machine(std::string_view host) {
  if (host.starts_with('[')) return true;
  const std::string_view name = host.substr(0, host.find(':'));
  return name == "localhost" || name.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::string_view reason_phrase(int status) {
  constexpr std::array<std::pair<int, std::string_view>, 6> phrases = {{{200, "OK"},
                                                                        {401, "Unauthorized"},
                                                                        {404, "Not Found"},
                                                                        {405, "Method Not Allowed"},
                                                                        {421, "Misdirected Request"},
                                                                        {500, "Internal Server Error"}}};
  const auto* const found =
      std::find_if(phrases.begin(), phrases.end(), [&](const auto& p) { return p.first == status; });
  return found == phrases.end() ? "" : found->second;
}

WebAnswer plain(int status, std::string text) { return {status, "text/plain; charset=utf-8", std::move(text)}; }

void send(mg_connection* connection, const WebAnswer& answer, bool with_body) {
  std::string text = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\n"
      "Content-Security-Policy: default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
      "form-action 'self'\r\n",
      answer.status, reason_phrase(answer.status), answer.content_type, answer.body.size());
  if (answer.status == 401) text += "WWW-Authenticate: Bearer\r\n";
  text += "Connection: close\r\n\r\n";
  if (with_body) text += answer.body;
  (void)mg_write(connection, text.data(), text.size());
}

}  // namespace

struct WebServer::Parts {
  std::string token;
  std::vector<Page> pages;
  mg_context* context = nullptr;

  ~Parts() {
    if (context != nullptr) mg_stop(context);
  }

  // None: may see everything.
  [[nodiscard]] std::optional<WebAnswer> refusal(mg_connection* connection) const {
    if (token.empty()) {
      if (names_this_machine(header(connection, "Host"))) return std::nullopt;
      return plain(421, "ask by address, or as localhost\n");
    }
    constexpr std::string_view scheme = "Bearer ";
    const std::string_view shown = header(connection, "Authorization");
    if (shown.starts_with(scheme) && same_secret(shown.substr(scheme.size()), token)) return std::nullopt;
    return plain(401, "a bearer token is wanted: [metrics] token_file holds it\n");
  }

  [[nodiscard]] WebAnswer answer(mg_connection* connection) const {
    const mg_request_info& request = *mg_get_request_info(connection);
    if (const std::optional<WebAnswer> refused = refusal(connection)) return *refused;
    const std::string_view method = request.request_method;
    if (method != "GET" && method != "HEAD") return plain(405, "only GET and HEAD\n");
    const std::string_view path = request.local_uri == nullptr ? "" : request.local_uri;
    const auto page = std::find_if(pages.begin(), pages.end(), [&](const Page& one) { return one.path == path; });
    if (page == pages.end()) return plain(404, "no such page\n");
    return page->handler(request.query_string == nullptr ? "" : request.query_string);
  }

  static int begin_request(mg_connection* connection) noexcept {
    const mg_request_info& request = *mg_get_request_info(connection);
    const auto& parts = *static_cast<const Parts*>(request.user_data);
    try {
      const WebAnswer answer = parts.answer(connection);
      send(connection, answer, std::strcmp(request.request_method, "HEAD") != 0);
      return answer.status;
    } catch (const std::exception&) {  // no memory for a page; the gateway goes on
      return 500;
    }
  }
};

WebServer::WebServer(const std::string& listen, std::string token, std::vector<Page> pages)
    : parts_(std::make_unique<Parts>()) {
  parts_->token = std::move(token);
  parts_->pages = std::move(pages);
  mg_callbacks callbacks{};
  callbacks.begin_request = &Parts::begin_request;
  callbacks.log_message = [](const mg_connection*, const char*) {
    return 1;
  };  // said by `text` below, or nobody's matter
  // Few threads and short patience: who watches must not take much from who forwards.
  std::array<const char*, 9> options = {
      "listening_ports",   listen.c_str(), "num_threads", "4", "request_timeout_ms", "5000",
      "linger_timeout_ms", "1000",         nullptr};
  mg_init_data init{&callbacks, parts_.get(), options.data()};
  std::array<char, 256> text{};
  unsigned code = 0;
  mg_error_data error{&code, text.data(), text.size()};
  parts_->context = mg_start2(&init, &error);
  if (parts_->context == nullptr) {
    throw dataplane::EnvironmentError(
        fmt::format("[metrics] listen {}: {}: is another program listening there? name another address or port", listen,
                    text.data()));
  }
}

WebServer::~WebServer() = default;

std::string form_value(std::string_view query, std::string_view name) {
  std::array<char, form_value_bytes_max> value{};
  const int length = mg_get_var(query.data(), query.size(), std::string(name).c_str(), value.data(), value.size());
  return length < 0 ? std::string() : std::string(value.data(), static_cast<std::size_t>(length));
}

std::string read_token(const std::string& path) {
  const auto fail = [&](std::string_view what) {
    throw dataplane::EnvironmentError(fmt::format(
        "[metrics] token_file {}: {}: write a token into it (openssl rand -hex 32), mode 0600", path, what));
  };
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) fail("cannot be read");
  if (!S_ISREG(status.st_mode)) fail("is not a regular file");
  if ((status.st_mode & (S_IRWXG | S_IRWXO) & ~static_cast<mode_t>(S_IRGRP)) != 0)
    fail("others than its group may read it");
  std::string token;
  std::getline(std::ifstream(path), token);
  if (token.empty()) fail("its first line is empty");
  if (token.size() > token_bytes_max) fail("its first line is too long");
  return token;
}

}  // namespace sallyport
