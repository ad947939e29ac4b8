// "This address is at this MAC now", for neighbours that remember another one: gratuitous ARP (RFC 5227 section 3) and
// unsolicited neighbour advertisement (RFC 4861 section 7.2.6).
#pragma once

#include <cstdint>
#include <vector>

#include "config/address.h"
#include "dataplane/routing.h"

namespace sallyport::dataplane {

// A whole untagged frame.
[[nodiscard]] std::vector<std::uint8_t> announcement(const IpAddress& address, const MacAddress& mac);

}  // namespace sallyport::dataplane
