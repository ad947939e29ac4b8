// Where a packet goes next: the kernel's routes and neighbours as an immutable value. The control plane makes a new one
// whenever the kernel says that something changed; workers see it at their next burst.
//
// A route by a gateway knows its whole answer in advance; only destinations on link ask for their neighbour. A route
// without a port (blackhole, unreachable) is an answer too: no_route, though a shorter prefix would have one.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "classifier/prefix_trie.h"
#include "config/address.h"
#include "dataplane/packet.h"

namespace sallyport::dataplane {

using MacAddress = std::array<std::uint8_t, 6>;

struct RouteEntry {
  Prefix prefix;
  PortIndex port = no_port;          // no_port: thrown away on purpose
  std::optional<IpAddress> gateway;  // absent: on link
};
struct NeighbourEntry {
  PortIndex port = no_port;
  IpAddress address;
  MacAddress mac{};
};
struct LocalAddress {
  PortIndex port = no_port;
  IpAddress address;
};

struct Hop {
  enum class State : std::uint8_t {
    resolved,
    unresolved,  // ask for `next_hop` on `port`
    no_route,
  };
  State state = State::no_route;
  PortIndex port = no_port;
  bool keep_macs = false;  // replay: the Ethernet header stays as it came
  MacAddress destination_mac{};
  IpAddress next_hop;
};

class Routing {
 public:
  Routing(const std::vector<RouteEntry>& routes, const std::vector<NeighbourEntry>& neighbours,
          const std::vector<LocalAddress>& locals, std::uint32_t generation);
  // Replay: what is from inside leaves by `outside` and the other way round, neighbours count as resolved. From its own
  // addresses the gateway speaks (address_on()); nothing is local there, since no kernel would answer.
  [[nodiscard]] static std::unique_ptr<const Routing> two_wires(PortIndex inside, PortIndex outside,
                                                                std::vector<LocalAddress> own = {});

  // `outbound`: the packet comes from inside; only two_wires() looks at it.
  [[nodiscard]] Hop next(const IpAddress& destination, bool outbound) const noexcept;
  // A neighbour itself, for packets that have waited for it.
  [[nodiscard]] Hop next_on_link(PortIndex port, const IpAddress& neighbour) const noexcept;
  // One of the gateway's own addresses?
  [[nodiscard]] bool is_local(const IpAddress& address) const noexcept;
  // An address of the gateway on the port, to speak from (ICMP errors); the first one of the family.
  [[nodiscard]] const IpAddress* address_on(PortIndex port, Family family) const noexcept;
  [[nodiscard]] std::uint32_t generation() const noexcept { return generation_; }

 private:
  struct Place {
    PortIndex port = no_port;
    IpAddress address;
    friend bool operator==(const Place&, const Place&) noexcept = default;
  };
  struct PlaceHash {
    std::size_t operator()(const Place& place) const noexcept;
  };
  struct Way {
    Hop hop;
    bool on_link = false;  // the next hop is the destination itself
  };

  void find_neighbour(Hop& hop) const noexcept;

  std::vector<Way> ways_;
  classifier::PrefixTrie trie_;  // prefix -> index into ways_
  std::unordered_map<Place, MacAddress, PlaceHash> neighbours_;
  std::vector<LocalAddress> locals_;
  std::uint64_t local_filter_ = 0;  // a bit for each local address: most packets need not be compared with any
  std::uint32_t generation_ = 0;
  PortIndex wire_inside_ = no_port;
  PortIndex wire_outside_ = no_port;
};

}  // namespace sallyport::dataplane
