// The words that `explain` takes for a flow: its protocol, port, request, and what DNS has said.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/options.h"

namespace sallyport {

// What is wrong with the command line, as one line for the user. Thrown while it is read, and caught there.
struct WrongOption {
  std::string message;
};

// A flow of it has a port to ask for.
[[nodiscard]] bool has_ports(config::Protocol protocol) noexcept;

// All of these throw WrongOption.
[[nodiscard]] config::Protocol parse_protocol(const std::string& text);  // "tcp", in any case
[[nodiscard]] std::uint16_t parse_port(const std::string& text);
[[nodiscard]] RequestLine parse_request_line(const std::string& text);  // "GET /path"
// "db.example.com=198.51.100.7,www.example.com=198.51.100.8"
[[nodiscard]] std::vector<ExplainOptions::Resolved> parse_resolved(std::string_view text);

}  // namespace sallyport
