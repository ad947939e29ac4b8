#include "src/monitor/web_client.h"

#include <array>
#include <charconv>
#include <memory>

#include <civetweb.h>
#include <fmt/format.h>

#include "dataplane/io/environment_error.h"

namespace sallyport {
namespace {

constexpr std::string_view scheme = "http://";
constexpr int patience_ms = 5000;
constexpr std::size_t body_bytes_max = std::size_t{16} << 20U;

struct Place {
  std::string host;  // without brackets
  std::string authority;
  int port = 9464;
  std::string path = "/metrics";
};

[[noreturn]] void fail(std::string_view url, std::string_view what) {
  throw dataplane::EnvironmentError(fmt::format("{}: {}", url, what));
}

Place parse(std::string_view url) {
  if (!url.starts_with(scheme))
    fail(url, "no address that can be asked; write http://HOST:9464, or - for standard input");
  std::string_view rest = url.substr(scheme.size());
  Place place;
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos && rest.size() > slash + 1) place.path = rest.substr(slash);
  rest = rest.substr(0, slash);
  place.authority = rest;
  const std::size_t bracket = rest.starts_with('[') ? rest.find(']') : 0;
  if (bracket == std::string_view::npos) fail(url, "the address is not closed by a bracket");
  const std::size_t colon = rest.find(':', bracket);
  place.host = bracket != 0 ? rest.substr(1, bracket - 1) : rest.substr(0, colon);
  if (place.host.empty()) fail(url, "it names no host");
  if (colon == std::string_view::npos) return place;
  const std::string_view port = rest.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), place.port);
  if (error != std::errc() || end != port.data() + port.size() || place.port < 1 || place.port > 65535) {
    fail(url, fmt::format("\"{}\" is no port", port));
  }
  return place;
}

struct Close {
  void operator()(mg_connection* connection) const noexcept { mg_close_connection(connection); }
};

std::string read_body(std::string_view url, mg_connection* connection) {
  std::string body;
  std::array<char, 16384> bytes{};
  while (true) {
    const int count = mg_read(connection, bytes.data(), bytes.size());
    if (count < 0) fail(url, "the answer broke off");
    if (count == 0) return body;
    body.append(bytes.data(), static_cast<std::size_t>(count));
    if (body.size() > body_bytes_max) fail(url, "the answer has no end: that is no gateway");
  }
}

}  // namespace

std::string fetch(std::string_view url, const std::string& token) {
  const Place place = parse(url);
  mg_init_library(0);
  std::array<char, 256> problem{};
  const std::unique_ptr<mg_connection, Close> connection(
      mg_connect_client(place.host.c_str(), place.port, 0, problem.data(), problem.size()));
  if (!connection) fail(url, fmt::format("nobody answers ({})", problem.data()));
  const std::string authorization = token.empty() ? "" : fmt::format("Authorization: Bearer {}\r\n", token);
  const std::string request = fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n{}Connection: close\r\n\r\n", place.path,
                                          place.authority, authorization);
  if (mg_write(connection.get(), request.data(), request.size()) <= 0) fail(url, "the connection broke");
  if (mg_get_response(connection.get(), problem.data(), problem.size(), patience_ms) < 0) {
    fail(url, fmt::format("no answer ({})", problem.data()));
  }
  const int status = mg_get_response_info(connection.get())->status_code;
  if (status == 401) fail(url, "it wants a token: name the file that has it by --token-file");
  if (status != 200) fail(url, fmt::format("it answers {}: is that the [metrics] address of a gateway?", status));
  return read_body(url, connection.get());
}

}  // namespace sallyport
