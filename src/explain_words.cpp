#include "src/explain_words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "config/host_name.h"

namespace sallyport {

bool has_ports(config::Protocol protocol) noexcept {
  return protocol != config::Protocol::icmp && protocol != config::Protocol::other;
}

config::Protocol parse_protocol(const std::string& text) {
  constexpr std::array<std::pair<std::string_view, config::Protocol>, 5> known = {{{"tcp", config::Protocol::tcp},
                                                                                   {"udp", config::Protocol::udp},
                                                                                   {"icmp", config::Protocol::icmp},
                                                                                   {"sctp", config::Protocol::sctp},
                                                                                   {"other", config::Protocol::other}}};
  for (const auto& [name, protocol] : known) {
    const bool same = std::equal(name.begin(), name.end(), text.begin(), text.end(), [](char a, char b) {
      return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b | 0x20) : b);
    });
    if (same) return protocol;
  }
  throw WrongOption{fmt::format("explain: --proto: \"{}\" is none of tcp, udp, icmp, sctp, other", text)};
}

std::uint16_t parse_port(const std::string& text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw WrongOption{fmt::format("explain: --port: \"{}\" is no number from 0 to 65535", text)};
  }
  return port;
}

RequestLine parse_request_line(const std::string& text) {
  RequestLine line;
  std::string version;
  std::string surplus;
  std::istringstream words(text);
  words >> line.method >> line.target >> version >> surplus;
  line.http2 = version == "HTTP/2";
  const bool known = version.empty() || line.http2 || version == "HTTP/1.1" || version == "HTTP/1.0";
  if (!line.target.starts_with('/') || !known || !surplus.empty())
    throw WrongOption{
        fmt::format("explain: --http: \"{}\" is no request such as \"GET /path\" or \"POST /path HTTP/2\"", text)};
  return line;
}

std::vector<ExplainOptions::Resolved> parse_resolved(std::string_view text) {
  std::vector<ExplainOptions::Resolved> resolved;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    const std::size_t equals = std::min(one.find('='), one.size());
    const auto name = config::normalize_host_name(one.substr(0, equals));
    const auto address = parse_address(one.substr(std::min(equals + 1, one.size())));
    if (!name || !address) {
      throw WrongOption{
          fmt::format("explain: --resolved: \"{}\" is no name and address, as in db.example.com=198.51.100.7", one)};
    }
    resolved.push_back({*name, *address});
  }
  return resolved;
}

}  // namespace sallyport
