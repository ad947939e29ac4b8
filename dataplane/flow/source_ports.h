// Which ports of an egress address an inside address has ([nat] port_block, ports_per_source_max; RFC 6888 REQ-4,
// REQ-14). Whatever the protocol: a port that TCP and UDP use is one; ICMP identifiers count as ports.
//
//   in blocks    a block of N ports is one inside address's alone, from its first flow to the end of its last
//   one by one   several inside addresses may use a port towards several servers; it is counted for each of them
//
// Both are the same table: one by one, a block is one port and a key holds its source, too. Nothing is kept where [nat]
// asks for neither.
#pragma once

#include <cstdint>

#include "classifier/identities.h"
#include "config/appliance_model.h"
#include "dataplane/flow/flow.h"
#include "dataplane/flow/key_hash.h"
#include "dataplane/flow/key_index.h"
#include "dataplane/flow/slots.h"

namespace sallyport::dataplane {

struct PortBlock {
  IpAddress source;
  std::uint32_t nat_address;  // number in the AddressBook
  std::uint16_t first;        // host byte order
  std::uint32_t users;        // flows, and mappings that rest
  std::uint32_t holder;
  std::uint32_t next, previous;  // of the same holder, the latest first
  classifier::Id namespace_name, workload;
};

class SourcePorts {
 public:
  // For so many flows.
  SourcePorts(std::uint32_t flows, const config::NatConfig& nat, const KeyHash& hash)
      : size_(nat.port_block == 0 ? 1 : nat.port_block),
        blocks_max_(nat.ports_per_source_max / size_),
        in_blocks_(nat.port_block != 0),
        blocks_(in_blocks_ || blocks_max_ != 0 ? flows : 0),
        holders_(blocks_.capacity()),
        index_(blocks_.capacity()),
        holder_index_(blocks_.capacity()),
        hash_(hash) {}

  [[nodiscard]] bool used() const noexcept { return blocks_.capacity() != 0; }
  [[nodiscard]] bool in_blocks() const noexcept { return in_blocks_; }
  [[nodiscard]] std::uint32_t block_ports() const noexcept { return size_; }
  [[nodiscard]] std::uint16_t first_of(std::uint16_t port) const noexcept {
    return static_cast<std::uint16_t>(port - port % size_);
  }

  // The block in which `port` is this source's; 0: it is not.
  [[nodiscard]] std::uint32_t find(const IpAddress& source, std::uint32_t nat_address,
                                   std::uint16_t port) const noexcept {
    const std::uint32_t number = find_key(source, nat_address, first_of(port));
    return number != 0 && blocks_[number].source == source ? number : 0;
  }
  // In blocks: nobody has it.
  [[nodiscard]] bool is_free(std::uint32_t nat_address, std::uint16_t first) const noexcept {
    return find_key({}, nat_address, first) == 0;
  }
  // May it have a port, or a block, more than it has?
  [[nodiscard]] bool may_grow(const IpAddress& source) const noexcept {
    if (blocks_max_ == 0) return true;
    const std::uint32_t holder = find_holder(source);
    return holder == 0 || holders_[holder].blocks < blocks_max_;
  }
  // The source's blocks on that address, the latest first, until `look(first)` answers true.
  template <typename Look>
  bool any_of(const IpAddress& source, std::uint32_t nat_address, const Look& look) const noexcept {
    const std::uint32_t holder = find_holder(source);
    if (holder == 0) return false;
    for (std::uint32_t n = holders_[holder].latest; n != 0; n = blocks_[n].next) {
      if (blocks_[n].nat_address == nat_address && look(blocks_[n].first)) return true;
    }
    return false;
  }

  // One more user of the port. 0: no room. `users` is 1 where the block was given just now.
  [[nodiscard]] std::uint32_t enter(const IpAddress& source, std::uint32_t nat_address, std::uint16_t port) noexcept {
    std::uint32_t number = find(source, nat_address, port);
    if (number == 0) number = give(source, nat_address, first_of(port));
    if (number != 0) ++blocks_[number].users;
    return number;
  }
  // True: it was the last user; take_back() follows.
  [[nodiscard]] bool leave(std::uint32_t number) noexcept { return --blocks_[number].users == 0; }
  void take_back(std::uint32_t number) noexcept {
    exhausted_ = {};
    const PortBlock& block = blocks_[number];
    index_.erase(key_hash(block.source, block.nat_address, block.first), number);
    Holder& holder = holders_[block.holder];
    (block.previous != 0 ? blocks_[block.previous].next : holder.latest) = block.next;
    if (block.next != 0) blocks_[block.next].previous = block.previous;
    if (--holder.blocks == 0) {
      holder_index_.erase(holder_hash(holder.source), block.holder);
      holders_.give_back(block.holder);
    }
    blocks_.give_back(number);
  }

  // A flood of new flows costs one search of all its ports a tenth of a second, not one a packet. `what`: whatever its
  // ports are all in use for.
  void note_full(const IpAddress& source, std::uint64_t what, Tick now) noexcept {
    if (const std::uint32_t holder = find_holder(source); holder != 0) {
      holders_[holder].full = what;
      holders_[holder].full_since = now;
    }
  }
  [[nodiscard]] bool was_full(const IpAddress& source, std::uint64_t what, Tick now) const noexcept {
    const std::uint32_t holder = find_holder(source);
    return holder != 0 && holders_[holder].full == what && is_within(holders_[holder].full_since, now, full_ms);
  }
  // The same for an address without a free block.
  void note_exhausted(std::uint32_t nat_address, Tick now) noexcept { exhausted_ = {nat_address, now}; }
  [[nodiscard]] bool was_exhausted(std::uint32_t nat_address, Tick now) const noexcept {
    return exhausted_.nat_address == nat_address && is_within(exhausted_.when, now, full_ms);
  }
  // One of its flows has ended.
  void note_end(std::uint32_t number) noexcept { holders_[blocks_[number].holder].full = 0; }

  [[nodiscard]] PortBlock& operator[](std::uint32_t number) noexcept { return blocks_[number]; }
  [[nodiscard]] std::size_t bytes() const noexcept {
    return blocks_.bytes() + holders_.bytes() + index_.bytes() + holder_index_.bytes();
  }

 private:
  static constexpr std::int32_t full_ms = 100;
  static constexpr std::uint64_t domain = 7, holder_domain = 18;
  struct Holder {
    IpAddress source;
    std::uint32_t latest;  // block
    std::uint32_t blocks;
    std::uint64_t full;  // 0: nothing
    Tick full_since;
  };

  [[nodiscard]] std::uint32_t give(const IpAddress& source, std::uint32_t nat_address, std::uint16_t first) noexcept {
    const std::uint32_t number = blocks_.take();
    if (number == 0) return 0;
    const std::uint32_t holder = hold(source);
    if (holder == 0 || !index_.insert(key_hash(source, nat_address, first), number)) {
      if (holder != 0 && holders_[holder].blocks == 0) {
        holder_index_.erase(holder_hash(source), holder);
        holders_.give_back(holder);
      }
      blocks_.give_back(number);
      return 0;
    }
    const std::uint32_t next = holders_[holder].latest;
    blocks_[number] = {source, nat_address, first, 0, holder, next, 0, 0, 0};
    if (next != 0) blocks_[next].previous = number;
    holders_[holder].latest = number;
    ++holders_[holder].blocks;
    return number;
  }
  [[nodiscard]] std::uint32_t hold(const IpAddress& source) noexcept {
    if (const std::uint32_t known = find_holder(source); known != 0) return known;
    const std::uint32_t number = holders_.take();
    if (number == 0) return 0;
    if (!holder_index_.insert(holder_hash(source), number)) {
      holders_.give_back(number);
      return 0;
    }
    holders_[number] = {source, 0, 0, 0, 0};
    return number;
  }
  [[nodiscard]] std::uint32_t find_holder(const IpAddress& source) const noexcept {
    const std::uint32_t found =
        holder_index_.find(holder_hash(source), [&](std::uint32_t n) { return holders_[n].source == source; });
    return found == KeyIndex::none ? 0 : found;
  }
  [[nodiscard]] std::uint32_t find_key(const IpAddress& source, std::uint32_t nat_address,
                                       std::uint16_t first) const noexcept {
    const std::uint32_t found = index_.find(key_hash(source, nat_address, first), [&](std::uint32_t n) {
      const PortBlock& block = blocks_[n];
      return block.nat_address == nat_address && block.first == first && (in_blocks_ || block.source == source);
    });
    return found == KeyIndex::none ? 0 : found;
  }
  [[nodiscard]] std::uint64_t key_hash(const IpAddress& source, std::uint32_t nat_address,
                                       std::uint16_t first) const noexcept {
    const std::uint64_t place = std::uint64_t{nat_address} << 32U | std::uint64_t{first} << 8U | domain;
    return hash_(in_blocks_ ? IpAddress{} : source, place);
  }
  [[nodiscard]] std::uint64_t holder_hash(const IpAddress& source) const noexcept {
    return hash_(source, holder_domain);
  }

  struct Exhausted {
    std::uint32_t nat_address = 0;
    Tick when = 0;
  };

  std::uint32_t size_;
  std::uint32_t blocks_max_;  // of a source; 0: no limit
  bool in_blocks_;
  Slots<PortBlock> blocks_;
  Slots<Holder> holders_;
  KeyIndex index_;
  KeyIndex holder_index_;
  Exhausted exhausted_;
  const KeyHash& hash_;
};

}  // namespace sallyport::dataplane
