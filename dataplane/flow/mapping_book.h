// Endpoint-independent mappings (RFC 4787 REQ-1, RFC 5508 REQ-1): one inside endpoint keeps one outside endpoint
// towards all servers while any of its flows lives. UDP and ICMP echo.
#pragma once

#include <cstdint>

#include "dataplane/flow/flow_key.h"
#include "dataplane/flow/key_hash.h"
#include "dataplane/flow/key_index.h"
#include "dataplane/flow/slots.h"

namespace sallyport::dataplane {

// Both keys are FlowKeys with only a source: the endpoint. The inside one is told apart by egress address, too, since a
// policy may send one endpoint out under several.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;  // network byte order
  IpProtocol protocol = IpProtocol::udp;
};

struct Mapping {
  Endpoint inside;
  std::uint32_t nat_address;  // number in the AddressBook
  std::uint16_t nat_port;     // network byte order
  std::uint32_t flows;
};

class MappingBook {
 public:
  MappingBook(std::uint32_t capacity, const KeyHash& hash)
      : mappings_(capacity), index_(std::size_t{capacity} * 2), hash_(hash) {}

  [[nodiscard]] std::uint32_t find(const Endpoint& inside, std::uint32_t nat_address) const noexcept {
    const std::uint32_t found = index_.find(inside_hash(inside, nat_address), [&](std::uint32_t tagged) {
      const Mapping& m = mappings_[tagged >> 1U];
      return (tagged & 1U) == 0 && m.nat_address == nat_address && m.inside.port == inside.port &&
             m.inside.protocol == inside.protocol && m.inside.address == inside.address;
    });
    return found == KeyIndex::none ? 0 : found >> 1U;
  }
  [[nodiscard]] bool taken(std::uint32_t nat_address, std::uint16_t nat_port, IpProtocol protocol) const noexcept {
    return index_.find(outside_hash(nat_address, nat_port, protocol), [&](std::uint32_t tagged) {
      const Mapping& m = mappings_[tagged >> 1U];
      return (tagged & 1U) == 1 && m.nat_address == nat_address && m.nat_port == nat_port &&
             m.inside.protocol == protocol;
    }) != KeyIndex::none;
  }
  // 0: no room.
  [[nodiscard]] std::uint32_t add(const Endpoint& inside, std::uint32_t nat_address, std::uint16_t nat_port) noexcept {
    const std::uint32_t number = mappings_.take();
    if (number == 0) return 0;
    mappings_[number] = {inside, nat_address, nat_port, 0};
    const std::uint64_t in = inside_hash(inside, nat_address);
    if (!index_.insert(in, number << 1U)) {
      mappings_.give_back(number);
      return 0;
    }
    if (!index_.insert(outside_hash(nat_address, nat_port, inside.protocol), number << 1U | 1U)) {
      index_.erase(in, number << 1U);
      mappings_.give_back(number);
      return 0;
    }
    return number;
  }
  void hold(std::uint32_t number) noexcept { ++mappings_[number].flows; }
  // True when that was its last flow and the mapping is gone.
  bool release(std::uint32_t number) noexcept {
    Mapping& m = mappings_[number];
    if (--m.flows != 0) return false;
    index_.erase(inside_hash(m.inside, m.nat_address), number << 1U);
    index_.erase(outside_hash(m.nat_address, m.nat_port, m.inside.protocol), number << 1U | 1U);
    mappings_.give_back(number);
    return true;
  }

  [[nodiscard]] const Mapping& operator[](std::uint32_t number) const noexcept { return mappings_[number]; }
  [[nodiscard]] std::size_t bytes() const noexcept { return mappings_.bytes() + index_.bytes(); }

 private:
  [[nodiscard]] std::uint64_t inside_hash(const Endpoint& e, std::uint32_t nat_address) const noexcept {
    return hash_(e.address, std::uint64_t{nat_address} << 32U | std::uint64_t{e.port} << 8U |
                                static_cast<std::uint64_t>(e.protocol));
  }
  [[nodiscard]] std::uint64_t outside_hash(std::uint32_t address, std::uint16_t port, IpProtocol p) const noexcept {
    FlowKey key;
    key.source_port = port;
    key.protocol = p;
    return hash_(key, std::uint64_t{address} << 8U | 2U);
  }

  Slots<Mapping> mappings_;
  KeyIndex index_;
  const KeyHash& hash_;
};

}  // namespace sallyport::dataplane
