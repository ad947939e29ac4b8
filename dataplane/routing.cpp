#include "dataplane/routing.h"

#include <bit>
#include <cstring>
#include <utility>

namespace sallyport::dataplane {
namespace {

// The finalizer of MurmurHash3: every bit of the input reaches every bit of the output.
std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 33U)) * 0xff51afd7ed558ccdU;
  x = (x ^ (x >> 33U)) * 0xc4ceb9fe1a85ec53U;
  return x ^ (x >> 33U);
}

std::uint64_t hash(const IpAddress& address, std::uint64_t seed) noexcept {
  std::uint64_t halves[2];
  std::memcpy(halves, address.bytes.data(), sizeof halves);
  return mix(mix(halves[0] ^ seed) + halves[1] + static_cast<std::uint64_t>(address.family));
}

// Every new flow asks for one, so a bit by one multiplication has to do.
std::uint64_t filter_bit(const IpAddress& address) noexcept {
  std::uint64_t halves[2];
  std::memcpy(halves, address.bytes.data(), sizeof halves);
  return 1ULL << ((halves[0] + std::rotl(halves[1], 32)) * 0x9e3779b97f4a7c15U >> 58U);
}

}  // namespace

std::size_t Routing::PlaceHash::operator()(const Place& place) const noexcept {
  return hash(place.address, std::uint64_t{place.port} << 56U);
}

Routing::Routing(const std::vector<RouteEntry>& routes, const std::vector<NeighbourEntry>& neighbours,
                 const std::vector<LocalAddress>& locals, std::uint32_t generation)
    : locals_(locals), generation_(generation) {
  neighbours_.reserve(neighbours.size());
  for (const NeighbourEntry& neighbour : neighbours) {
    neighbours_.insert_or_assign(Place{neighbour.port, neighbour.address}, neighbour.mac);
  }
  for (const LocalAddress& local : locals_) local_filter_ |= filter_bit(local.address);

  std::vector<classifier::PrefixTrie::Entry> entries;
  entries.reserve(routes.size());
  ways_.reserve(routes.size());
  for (const RouteEntry& route : routes) {
    Way way;
    if (route.port != no_port) {
      way.hop.state = Hop::State::unresolved;
      way.hop.port = route.port;
      way.on_link = !route.gateway.has_value();
      if (route.gateway) {
        way.hop.next_hop = *route.gateway;
        find_neighbour(way.hop);
      }
    }
    entries.push_back({route.prefix, static_cast<std::uint32_t>(ways_.size())});
    ways_.push_back(way);
  }
  trie_ = classifier::PrefixTrie::from_prefixes(entries);
}

std::unique_ptr<const Routing> Routing::two_wires(PortIndex inside, PortIndex outside, std::vector<LocalAddress> own) {
  auto routing = std::make_unique<Routing>(std::vector<RouteEntry>{}, std::vector<NeighbourEntry>{},
                                           std::vector<LocalAddress>{}, 0);
  routing->wire_inside_ = inside;
  routing->wire_outside_ = outside;
  routing->locals_ = std::move(own);  // without their bits in the filter: is_local() finds none
  return routing;
}

void Routing::find_neighbour(Hop& hop) const noexcept {
  const auto found = neighbours_.find(Place{hop.port, hop.next_hop});
  if (found == neighbours_.end()) return;
  hop.state = Hop::State::resolved;
  hop.destination_mac = found->second;
}

Hop Routing::next(const IpAddress& destination, bool outbound) const noexcept {
  if (wire_inside_ != no_port) {
    Hop hop;
    hop.state = Hop::State::resolved;
    hop.port = outbound ? wire_outside_ : wire_inside_;
    hop.keep_macs = true;
    return hop;
  }
  const std::uint32_t way = trie_.lookup(destination);
  if (way == classifier::PrefixTrie::none) return {};
  Hop hop = ways_[way].hop;
  if (ways_[way].on_link) {
    hop.next_hop = destination;
    find_neighbour(hop);
  }
  return hop;
}

Hop Routing::next_on_link(PortIndex port, const IpAddress& neighbour) const noexcept {
  Hop hop;
  hop.state = Hop::State::unresolved;
  hop.port = port;
  hop.next_hop = neighbour;
  find_neighbour(hop);
  return hop;
}

bool Routing::is_local(const IpAddress& address) const noexcept {
  if ((local_filter_ & filter_bit(address)) == 0) return false;
  for (const LocalAddress& local : locals_) {
    if (local.address == address) return true;
  }
  return false;
}

const IpAddress* Routing::address_on(PortIndex port, Family family) const noexcept {
  for (const LocalAddress& local : locals_) {
    if (local.port == port && local.address.family == family) return &local.address;
  }
  return nullptr;
}

}  // namespace sallyport::dataplane
