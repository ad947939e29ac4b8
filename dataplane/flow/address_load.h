// Of each egress address, how many of its ports are in use, and how near it is to its last one.
//
// Counted by the number that an address has in the AddressBook; those of high numbers, beyond a thousand addresses in
// use at once, are not counted.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/flow/memory.h"
#include "dataplane/flow/port_load.h"

namespace sallyport::dataplane {

struct AddressLoad {
  enum Kind : std::uint8_t { tcp, udp, other };  // other: SCTP, and identifiers of ICMP
  static constexpr std::size_t kinds = 3;

  IpAddress address;
  std::array<std::uint32_t, kinds> ports{};  // in use; give or take those that share a place of UsedPorts
  PortLoad fullest;  // towards a server, or at all; out of those that ports were taken from lately

  [[nodiscard]] bool is_used() const noexcept { return (ports[tcp] | ports[udp] | ports[other]) != 0; }
  [[nodiscard]] static Kind kind_of(IpProtocol protocol) noexcept {
    return protocol == IpProtocol::tcp ? tcp : protocol == IpProtocol::udp ? udp : other;
  }
  // The same address, elsewhere.
  AddressLoad& operator+=(const AddressLoad& more) noexcept {
    for (std::size_t i = 0; i < kinds; ++i) ports[i] += more.ports[i];
    if (more.fullest.fuller_than(fullest)) fullest = more.fullest;
    return *this;
  }
};

class AddressLoads {
 public:
  static constexpr std::uint32_t addresses_max = 1024;

  AddressLoads() : places_(addresses_max) {}

  void take_port(std::uint32_t number, IpProtocol protocol) noexcept {
    if (number < addresses_max) ++places_[number].load.ports[AddressLoad::kind_of(protocol)];
  }
  void give_port_back(std::uint32_t number, IpProtocol protocol) noexcept {
    if (number < addresses_max) --places_[number].load.ports[AddressLoad::kind_of(protocol)];
  }
  // What `what` hashes to has `load` now; see PortLoads.
  void note(std::uint32_t number, std::uint64_t what, const PortLoad& load) noexcept {
    if (number >= addresses_max) return;
    Place& place = places_[number];
    place.load.address = load.address;
    if (place.what != what && !load.fuller_than(place.load.fullest)) return;
    place.what = what;
    place.load.fullest = load;
  }

  // Those in use, as many as there is room for; how many.
  [[nodiscard]] std::size_t copy_used(std::span<AddressLoad> out) const noexcept {
    std::size_t count = 0;
    for (std::uint32_t i = 0; i < addresses_max && count < out.size(); ++i) {
      if (places_[i].load.is_used()) out[count++] = places_[i].load;
    }
    return count;
  }
  [[nodiscard]] std::size_t bytes() const noexcept { return places_.bytes(); }

 private:
  struct Place {
    std::uint64_t what = 0;
    AddressLoad load;
  };
  Block<Place> places_;
};

}  // namespace sallyport::dataplane
