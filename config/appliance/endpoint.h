// "ADDRESS:PORT" as a value; an IPv6 address stands in brackets.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "config/address.h"

namespace sallyport::config {

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;  // never 0 in what was parsed
};

[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text);

}  // namespace sallyport::config
