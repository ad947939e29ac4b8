#include "config/appliance/endpoint.h"

#include <algorithm>
#include <charconv>

namespace sallyport::config {

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = std::min(text.rfind(':'), text.size());
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = parse_address(host);
  const std::string_view port = text.substr(std::min(colon + 1, text.size()));
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  const bool is_port = error == std::errc() && end == port.data() + port.size() && number != 0;
  if (!address || !is_port || bracketed != (address->family == Family::v6)) return std::nullopt;
  return Endpoint{*address, number};
}

}  // namespace sallyport::config
