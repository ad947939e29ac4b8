// What is remembered of an inside address while it has flows: how many, how fast it opens them, and under which egress
// addresses it leaves, so that it keeps them (RFC 4787 REQ-2) even when a pool grows. A limited sender is remembered
// for the rest of its second, too: else whoever closes a connection and opens the next would begin at nothing each
// time.
//
// All packets of an inside address come to one worker, so what one worker counts is all there is; but those of
// protocols without ports, which come to the workers of their servers.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "classifier/address_pool.h"
#include "dataplane/flow/books.h"
#include "dataplane/flow/flow.h"
#include "dataplane/flow/tunnel_book.h"

namespace sallyport::dataplane {

struct Sender {
  IpAddress address;
  std::uint32_t flows;
  std::array<std::uint32_t, 4> paired;  // numbers in the AddressBook, the latest first
  std::uint32_t opened;                 // flows in the second that began at `since`
  Tick since;
  std::uint32_t tunnel;     // number of the TunnelPeer that its last flow came from; 0: none
  std::uint32_t next_idle;  // in the queue of those whose second is waited for
  bool idle;                // in it
};

class SourceBook {
 public:
  SourceBook(std::uint32_t capacity, const KeyHash& hash, AddressBook& addresses, TunnelBook& tunnels)
      : senders_(capacity), index_(capacity), hash_(hash), addresses_(addresses), tunnels_(tunnels) {}

  [[nodiscard]] std::uint32_t find(const IpAddress& address) const noexcept { return find(address, hash(address)); }
  [[nodiscard]] std::uint64_t hash(const IpAddress& address) const noexcept { return hash_(address, domain); }
  void prefetch_bucket(std::uint64_t hash) const noexcept { index_.prefetch(hash); }
  // A sender with this hash, perhaps the one that is meant, which is fetched from memory; 0: none at a glance.
  [[nodiscard]] std::uint32_t glance(std::uint64_t hash) const noexcept {
    const std::uint32_t number = index_.hint(hash).number;
    if (number == KeyIndex::none) return 0;
    prefetch_whole(senders_[number]);
    return number;
  }
  void prefetch(std::uint32_t number) const noexcept { prefetch_whole(senders_[number]); }
  // The sender's number, made where it has none; 0: no room.
  [[nodiscard]] std::uint32_t enter(const IpAddress& address, Tick now) noexcept {
    const std::uint64_t address_hash = hash(address);
    if (const std::uint32_t known = find(address, address_hash); known != 0) return known;
    const std::uint32_t number = senders_.take();
    if (number == 0) return 0;
    if (!index_.insert(address_hash, number)) {
      senders_.give_back(number);
      return 0;
    }
    senders_[number] = Sender{address, 0, {}, 0, now, 0, 0, false};
    return number;
  }
  // Forgets a sender that has no flows; at the end of its second where it has opened some in it.
  void leave(std::uint32_t number, Tick now) noexcept {
    if (number == 0 || senders_[number].flows != 0 || senders_[number].idle) return;
    if (senders_[number].opened != 0 && is_within(senders_[number].since, now, second_ms)) {
      wait(number);
    } else {
      forget(number);
    }
  }
  // Time has passed: forgets those whose second is over.
  void advance(Tick now) noexcept {
    for (unsigned turn = 0; first_idle_ != 0 && turn < idle_a_turn; ++turn) {
      const std::uint32_t number = first_idle_;
      if (senders_[number].flows == 0 && is_within(senders_[number].since, now, second_ms)) return;
      first_idle_ = senders_[number].next_idle;
      senders_[number].idle = false;
      if (senders_[number].flows == 0) forget(number);
    }
  }
  // May it open one more? 0: no limit. Counts the attempt.
  [[nodiscard]] bool admit(std::uint32_t number, std::uint32_t flows_max, std::uint32_t per_second_max,
                           Tick now) noexcept {
    Sender& sender = senders_[number];
    if (!is_within(sender.since, now, second_ms)) {
      sender.since = now;
      sender.opened = 0;
    }
    if (flows_max != 0 && sender.flows >= flows_max) return false;
    if (per_second_max != 0 && sender.opened >= per_second_max) return false;
    ++sender.opened;
    return true;
  }
  // The number of the address that this sender already leaves under, if the pool has it; 0: there is none.
  [[nodiscard]] std::uint32_t paired(std::uint32_t number, const classifier::AddressPool& pool) const noexcept {
    for (const std::uint32_t address : senders_[number].paired) {
      if (address != 0 && pool.contains(addresses_[address])) return address;
    }
    return 0;
  }
  // The latest of those that the sender leaves under, by number; 0: none.
  [[nodiscard]] std::uint32_t latest_pair(std::uint32_t number) const noexcept {
    return senders_[number].paired.front();
  }
  // Remembers that the sender leaves under the address of this number.
  void pair(std::uint32_t number, std::uint32_t address) noexcept {
    auto& pairs = senders_[number].paired;
    if (std::find(pairs.begin(), pairs.end(), address) != pairs.end()) return;
    addresses_.give_back(pairs.back());
    std::copy_backward(pairs.begin(), pairs.end() - 1, pairs.end());
    pairs.front() = addresses_.share(address);
  }

  [[nodiscard]] Sender& operator[](std::uint32_t number) noexcept { return senders_[number]; }
  [[nodiscard]] std::size_t bytes() const noexcept { return senders_.bytes() + index_.bytes(); }

 private:
  static constexpr std::uint64_t domain = 17;
  static constexpr std::int32_t second_ms = 1000;
  static constexpr unsigned idle_a_turn = 64;

  [[nodiscard]] std::uint32_t find(const IpAddress& address, std::uint64_t address_hash) const noexcept {
    const std::uint32_t found =
        index_.find(address_hash, [&](std::uint32_t n) { return senders_[n].address == address; });
    return found == KeyIndex::none ? 0 : found;
  }
  void wait(std::uint32_t number) noexcept {
    senders_[number].idle = true;
    senders_[number].next_idle = 0;
    (first_idle_ == 0 ? first_idle_ : senders_[last_idle_].next_idle) = number;
    last_idle_ = number;
  }
  void forget(std::uint32_t number) noexcept {
    for (const std::uint32_t address : senders_[number].paired) addresses_.give_back(address);
    tunnels_.give_back(senders_[number].tunnel);
    index_.erase(hash_(senders_[number].address, domain), number);
    senders_.give_back(number);
  }

  Slots<Sender> senders_;
  KeyIndex index_;
  const KeyHash& hash_;
  AddressBook& addresses_;
  TunnelBook& tunnels_;
  std::uint32_t first_idle_ = 0;  // in the order in which they left
  std::uint32_t last_idle_ = 0;
};

}  // namespace sallyport::dataplane
