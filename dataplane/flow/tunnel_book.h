// The tunnel peers of living flows: interned, counted references, as many as there may be flows.
#pragma once

#include <cstdint>

#include "dataplane/flow/key_hash.h"
#include "dataplane/flow/key_index.h"
#include "dataplane/flow/slots.h"
#include "dataplane/tunnels.h"

namespace sallyport::dataplane {

class TunnelBook {
 public:
  TunnelBook(std::uint32_t capacity, const KeyHash& hash) : entries_(capacity), index_(capacity), hash_(hash) {}

  // The number of a peer that is still to be seen: of a flow that has outlived the process.
  static constexpr std::uint32_t unknown = UINT32_MAX;

  // One more reference; 0: no room.
  [[nodiscard]] std::uint32_t take(const TunnelPeer& peer) noexcept {
    const std::uint64_t h = hash_of(peer);
    const std::uint32_t found = index_.find(h, [&](std::uint32_t number) { return entries_[number].peer == peer; });
    if (found != KeyIndex::none) {
      ++entries_[found].references;
      return found;
    }
    const std::uint32_t number = entries_.take();
    if (number == 0) return 0;
    if (!index_.insert(h, number)) {
      entries_.give_back(number);
      return 0;
    }
    entries_[number] = {peer, 1};
    return number;
  }
  [[nodiscard]] std::uint32_t share(std::uint32_t number) noexcept {
    if (number != 0 && number != unknown) ++entries_[number].references;
    return number;
  }
  void give_back(std::uint32_t number) noexcept {
    if (number == 0 || number == unknown || --entries_[number].references != 0) return;
    index_.erase(hash_of(entries_[number].peer), number);
    entries_.give_back(number);
  }
  [[nodiscard]] const TunnelPeer& operator[](std::uint32_t number) const noexcept { return entries_[number].peer; }
  [[nodiscard]] std::size_t bytes() const noexcept { return entries_.bytes() + index_.bytes(); }

 private:
  [[nodiscard]] std::uint64_t hash_of(const TunnelPeer& peer) const noexcept {
    std::uint64_t mac = 0;
    for (const std::uint8_t byte : peer.mac) mac = mac << 8U | byte;
    return hash_(peer.remote, mac ^ std::uint64_t{peer.tunnel} << 48U ^ std::uint64_t{peer.id} << 16U);
  }

  struct Entry {
    TunnelPeer peer;
    std::uint32_t references;
  };
  Slots<Entry> entries_;
  KeyIndex index_;
  const KeyHash& hash_;
};

}  // namespace sallyport::dataplane
