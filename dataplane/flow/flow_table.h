// The flows of one worker, found from either side.
//
// A flow stands in one index under two keys: the inside key (client -> server) and the outside key (server -> egress
// address and port, as an answer comes in). The index number carries the side in its lowest bit.
#pragma once

#include <cstdint>

#include "dataplane/flow/books.h"
#include "dataplane/flow/flow.h"
#include "dataplane/flow/key_hash.h"
#include "dataplane/flow/key_index.h"
#include "dataplane/flow/slots.h"

namespace sallyport::dataplane {

class FlowTable {
 public:
  enum class Side : std::uint8_t { inside = 0, outside = 1 };

  FlowTable(std::uint32_t capacity, const KeyHash& hash, const AddressBook& addresses)
      : flows_(capacity), index_(std::size_t{capacity} * 2), hash_(hash), addresses_(addresses) {}

  [[nodiscard]] std::uint64_t hash(const FlowKey& key, Side side) const noexcept {
    return hash_(key, static_cast<std::uint64_t>(side));
  }
  void prefetch_bucket(std::uint64_t hash) const noexcept { index_.prefetch(hash); }
  void prefetch_flow(std::uint64_t hash) const noexcept {
    const std::uint32_t hint = index_.hint(hash);
    if (hint == KeyIndex::none) return;
    const char* flow = reinterpret_cast<const char*>(&flows_[hint >> 1U]);
    __builtin_prefetch(flow);
    __builtin_prefetch(flow + 64);
  }

  // 0: there is none.
  [[nodiscard]] FlowNumber find(const FlowKey& key, std::uint64_t key_hash, Side side) const noexcept {
    const std::uint32_t found = index_.find(key_hash, [&](std::uint32_t number) {
      if ((number & 1U) != static_cast<std::uint32_t>(side)) return false;
      const Flow& flow = flows_[number >> 1U];
      return side == Side::inside ? flow.inside == key : outside_key(flow) == key;
    });
    return found == KeyIndex::none ? 0 : found >> 1U;
  }
  [[nodiscard]] FlowNumber find(const FlowKey& key, Side side) const noexcept {
    return find(key, hash(key, side), side);
  }

  // As an answer to the flow comes in from outside.
  [[nodiscard]] FlowKey outside_key(const Flow& flow) const noexcept {
    FlowKey key = flow.inside.reversed();
    if (flow.nat_address != 0) {
      key.destination = addresses_[flow.nat_address].bytes;
      (is_echo(key.protocol) ? key.source_port : key.destination_port) = flow.nat_port;
    }
    if (is_echo(key.protocol)) {
      // Echo keys keep the identifier in source_port in both directions.
      if (flow.nat_address == 0) key.source_port = flow.inside.source_port;
      key.destination_port = 0;
    }
    return key;
  }
  [[nodiscard]] static bool is_echo(IpProtocol protocol) noexcept {
    return protocol == IpProtocol::icmp || protocol == IpProtocol::icmp6;
  }

  [[nodiscard]] bool full() const noexcept { return flows_.exhausted(); }
  // A zeroed flow that is in no index yet, or 0.
  [[nodiscard]] FlowNumber take() noexcept {
    const FlowNumber number = flows_.take();
    if (number != 0) flows_[number] = Flow{};
    return number;
  }
  void give_back(FlowNumber number) noexcept {
    flows_[number].live = 0;
    flows_.give_back(number);
  }
  [[nodiscard]] bool link(FlowNumber number, Side side) noexcept {
    return index_.insert(side_hash(number, side), number << 1U | static_cast<std::uint32_t>(side));
  }
  void unlink(FlowNumber number, Side side) noexcept {
    index_.erase(side_hash(number, side), number << 1U | static_cast<std::uint32_t>(side));
  }

  [[nodiscard]] Flow& operator[](FlowNumber number) noexcept { return flows_[number]; }
  [[nodiscard]] const Flow& operator[](FlowNumber number) const noexcept { return flows_[number]; }
  [[nodiscard]] Slots<Flow>& slots() noexcept { return flows_; }
  [[nodiscard]] std::uint32_t live() const noexcept { return flows_.in_use(); }
  [[nodiscard]] std::uint32_t capacity() const noexcept { return flows_.capacity(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return flows_.bytes() + index_.bytes(); }

 private:
  [[nodiscard]] std::uint64_t side_hash(FlowNumber number, Side side) const noexcept {
    const Flow& flow = flows_[number];
    return hash(side == Side::inside ? flow.inside : outside_key(flow), side);
  }

  Slots<Flow> flows_;
  KeyIndex index_;
  const KeyHash& hash_;
  const AddressBook& addresses_;
};

}  // namespace sallyport::dataplane
