#include "dataplane/io/egress_addresses.h"

#include <algorithm>
#include <bit>
#include <string>

#include "dataplane/io/environment_error.h"

namespace sallyport::dataplane {
namespace {

// At most `room` addresses; false: there are more.
bool add_addresses(const AddressRange& range, std::size_t room, std::set<IpAddress>& into) {
  for (IpAddress address = range.first;; address = next(address)) {
    if (into.size() >= room) return into.contains(address) && address == range.last;
    into.insert(address);
    if (address == range.last) return true;
  }
}

}  // namespace

IpAddress next(IpAddress address) {
  for (std::size_t i = address_bytes(address.family); i-- > 0;) {
    if (++address.bytes[i] != 0) break;
  }
  return address;
}

std::vector<Prefix> prefixes_of(const AddressRange& range) {
  std::vector<Prefix> prefixes;
  std::uint64_t first = range.first.to_v4();
  const std::uint64_t end = std::uint64_t{range.last.to_v4()} + 1;
  while (first < end) {
    // The largest block that starts here and does not go past the end.
    const int aligned = first == 0 ? 32 : std::countr_zero(first);
    const int fits = static_cast<int>(std::bit_width(end - first)) - 1;
    const int bits = std::min(aligned, fits);
    prefixes.push_back({IpAddress::from_v4(static_cast<std::uint32_t>(first)), static_cast<std::uint8_t>(32 - bits)});
    first += 1ULL << static_cast<unsigned>(bits);
  }
  return prefixes;
}

std::vector<IpAddress> first_addresses(const Prefix& prefix, std::size_t most) {
  std::vector<IpAddress> addresses;
  for (IpAddress address = prefix.first(); addresses.size() < most; address = next(address)) {
    addresses.push_back(address);
    if (address == prefix.last()) break;
  }
  return addresses;
}

bool EgressAddresses::set(const std::vector<AddressRange>& ranges, Netlink& netlink, const Log& log) {
  std::set<Prefix> routes;
  std::set<IpAddress> addresses;
  bool all = true;
  for (const AddressRange& range : ranges) {
    if (range.first.family == Family::v4) {
      const std::vector<Prefix> prefixes = prefixes_of(range);
      routes.insert(prefixes.begin(), prefixes.end());
    } else {
      all = add_addresses(range, egress_addresses_v6_max, addresses) && all;
    }
  }
  if (!all) {
    log(Severity::warning, "neighbour solicitations are answered for the first " +
                               std::to_string(egress_addresses_v6_max) +
                               " IPv6 egress addresses only: route the prefix to this gateway");
  }
  try {
    const std::size_t announced = set_v4(routes, netlink);
    return set_v6(addresses, netlink) + announced != 0;
  } catch (const EnvironmentError& error) {
    log(Severity::error, std::string("the kernel does not answer for all egress addresses: ") + error.what());
    return true;
  }
}

void EgressAddresses::announce() const {
  std::size_t announced = 0;
  for (const Prefix& prefix : routes_) announced = announce_v4(prefix, announced);
  for (const IpAddress& address : addresses_) announce_(address);
}

std::size_t EgressAddresses::announce_v4(const Prefix& prefix, std::size_t announced) const {
  const std::vector<IpAddress> addresses = first_addresses(prefix, announcements_max - announced);
  for (const IpAddress& address : addresses) announce_(address);
  return announced + addresses.size();
}

std::size_t EgressAddresses::set_v4(const std::set<Prefix>& wanted, Netlink& netlink) {
  std::vector<Prefix> gone;
  std::set_difference(routes_.begin(), routes_.end(), wanted.begin(), wanted.end(), std::back_inserter(gone));
  for (const Prefix& prefix : gone) {
    netlink.remove_local_route(interface_, prefix);
    routes_.erase(prefix);
  }
  std::size_t announced = 0;
  for (const Prefix& prefix : wanted) {
    if (routes_.contains(prefix)) continue;
    netlink.add_local_route(interface_, prefix);
    routes_.insert(prefix);
    announced = announce_v4(prefix, announced);
  }
  return announced;
}

std::size_t EgressAddresses::set_v6(const std::set<IpAddress>& wanted, Netlink& netlink) {
  std::vector<IpAddress> gone;
  std::set_difference(addresses_.begin(), addresses_.end(), wanted.begin(), wanted.end(), std::back_inserter(gone));
  for (const IpAddress& address : gone) {
    netlink.remove_egress_address(interface_, address);
    addresses_.erase(address);
  }
  std::size_t announced = 0;
  for (const IpAddress& address : wanted) {
    if (addresses_.contains(address)) continue;
    netlink.add_egress_address(interface_, address);
    addresses_.insert(address);
    announce_(address);
    ++announced;
  }
  return announced;
}

}  // namespace sallyport::dataplane
