#include "dataplane/io/egress_routes.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <string>

#include "dataplane/io/egress_addresses.h"
#include "dataplane/io/environment_error.h"

namespace sallyport::dataplane {
namespace {

std::uint8_t bits_of(const IpAddress& address) { return static_cast<std::uint8_t>(address_bits(address.family)); }

// The shortest prefix that begins at the address.
std::uint8_t shortest(const IpAddress& address) {
  for (std::size_t i = address_bytes(address.family); i-- > 0;) {
    if (address.bytes[i] == 0) continue;
    return static_cast<std::uint8_t>(8 * (i + 1) - static_cast<std::size_t>(std::countr_zero(address.bytes[i])));
  }
  return 0;
}

void add_prefixes(const AddressRange& range, std::set<Prefix>& into) {
  IpAddress at = range.first;
  while (into.size() <= egress_routes_max) {
    // The largest block that starts here and does not go past the end.
    Prefix prefix{at, shortest(at)};
    while (prefix.length < bits_of(at) && prefix.last() > range.last) ++prefix.length;
    into.insert(prefix);
    if (prefix.last() == range.last) return;
    at = next(prefix.last());
  }
}

}  // namespace

std::set<Prefix> route_prefixes(const std::vector<AddressRange>& ranges) {
  std::set<Prefix> prefixes;
  for (const AddressRange& range : ranges) add_prefixes(range, prefixes);
  while (prefixes.size() > egress_routes_max) prefixes.erase(std::prev(prefixes.end()));
  return prefixes;
}

void EgressRoutes::set(const std::vector<AddressRange>& ranges, Netlink& netlink, const Log& log) {
  const std::set<Prefix> wanted = route_prefixes(ranges);
  std::vector<Prefix> gone;
  std::set_difference(routes_.begin(), routes_.end(), wanted.begin(), wanted.end(), std::back_inserter(gone));
  try {
    for (const Prefix& prefix : gone) {
      netlink.remove_route(interface_, prefix, metric_);
      routes_.erase(prefix);
    }
    for (const Prefix& prefix : wanted) {
      if (routes_.contains(prefix)) continue;
      netlink.add_route(interface_, prefix, metric_);
      routes_.insert(prefix);
    }
  } catch (const EnvironmentError& error) {
    log(Severity::error, std::string("not all egress addresses are routes of the kernel: ") + error.what());
  }
}

}  // namespace sallyport::dataplane
