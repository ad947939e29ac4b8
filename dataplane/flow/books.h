// What flows share is kept once and referred to by number: egress addresses, next hops, server names. Counted
// references, fixed room.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "config/address.h"
#include "dataplane/flow/key_hash.h"
#include "dataplane/flow/key_index.h"
#include "dataplane/flow/shares.h"
#include "dataplane/flow/slots.h"
#include "dataplane/flow_record.h"
#include "dataplane/port_settings.h"
#include "dataplane/routing.h"

namespace sallyport::dataplane {

// Egress addresses that living flows leave under.
class AddressBook {
 public:
  AddressBook(std::uint32_t capacity, const KeyHash& hash) : entries_(capacity), index_(capacity), hash_(hash) {}

  [[nodiscard]] std::uint32_t find(const IpAddress& address) const noexcept {
    const std::uint32_t found =
        index_.find(hash_(address, domain), [&](std::uint32_t number) { return entries_[number].address == address; });
    return found == KeyIndex::none ? 0 : found;
  }
  // One more reference; 0: no room.
  [[nodiscard]] std::uint32_t take(const IpAddress& address) noexcept {
    std::uint32_t number = find(address);
    if (number == 0) {
      number = entries_.take();
      if (number == 0) return 0;
      if (!index_.insert(hash_(address, domain), number)) {
        entries_.give_back(number);
        return 0;
      }
      entries_[number] = {address, 0};
    }
    ++entries_[number].references;
    return number;
  }
  // The same of one that has a reference already.
  [[nodiscard]] std::uint32_t share(std::uint32_t number) noexcept {
    ++entries_[number].references;
    return number;
  }
  void give_back(std::uint32_t number) noexcept {
    if (number == 0 || --entries_[number].references != 0) return;
    index_.erase(hash_(entries_[number].address, domain), number);
    entries_.give_back(number);
  }
  [[nodiscard]] const IpAddress& operator[](std::uint32_t number) const noexcept { return entries_[number].address; }
  [[nodiscard]] std::size_t bytes() const noexcept { return entries_.bytes() + index_.bytes(); }

 private:
  static constexpr std::uint64_t domain = 16;
  struct Entry {
    IpAddress address;
    std::uint32_t references;
  };
  Slots<Entry> entries_;
  KeyIndex index_;
  const KeyHash& hash_;
};

// Resolved next hops of the present routing; forgotten as a whole when that changes.
class HopBook {
 public:
  static constexpr std::uint32_t capacity = 16384;

  // What a packet for a hop needs of its port as well, in a quarter of a line.
  struct Way {
    enum class Link : std::uint8_t {
      other,  // tags are to be written
      macs,   // a header as long as that of an untagged packet: its addresses alone
      kept,   // replay: as it came
    };
    std::array<std::uint8_t, 12> macs;  // as they stand in the frame, destination in front
    std::uint16_t mtu;                  // bytes of the IP packet
    PortIndex port;
    Link link;
  };
  static_assert(sizeof(Way) == 16);

  HopBook(const KeyHash& hash, std::span<const PortSettings> ports)
      : hops_(capacity + 1), ways_(capacity + 1), index_(capacity), hash_(hash), ports_(ports) {}

  // 0: not resolved, or no room; ask the routing every time then.
  [[nodiscard]] std::uint16_t number_of(const Hop& hop) noexcept {
    if (hop.state != Hop::State::resolved) return 0;
    const std::uint64_t h = hash_(hop.next_hop, 32U + hop.port);
    const std::uint32_t found =
        index_.find(h, [&](std::uint32_t n) { return hops_[n].port == hop.port && hops_[n].next_hop == hop.next_hop; });
    if (found != KeyIndex::none) return static_cast<std::uint16_t>(found);
    if (used_ == capacity || !index_.insert(h, used_ + 1)) return 0;
    hops_[++used_] = hop;
    ways_[used_] = way_of(hop);
    return static_cast<std::uint16_t>(used_);
  }
  void forget() noexcept {
    for (std::uint32_t n = 1; n <= used_; ++n) index_.erase(hash_(hops_[n].next_hop, 32U + hops_[n].port), n);
    used_ = 0;
  }
  [[nodiscard]] const Hop& operator[](std::uint16_t number) const noexcept { return hops_[number]; }
  [[nodiscard]] const Way& way(std::uint16_t number) const noexcept { return ways_[number]; }
  [[nodiscard]] std::size_t bytes() const noexcept { return hops_.bytes() + ways_.bytes() + index_.bytes(); }

 private:
  [[nodiscard]] Way way_of(const Hop& hop) const noexcept {
    const PortSettings& out = ports_[hop.port];
    const Way::Link untagged = out.vlan.ids() == 0 ? Way::Link::macs : Way::Link::other;
    Way way{{}, out.mtu, hop.port, hop.keep_macs ? Way::Link::kept : untagged};
    std::copy(hop.destination_mac.begin(), hop.destination_mac.end(), way.macs.begin());
    std::copy(out.mac.begin(), out.mac.end(), way.macs.begin() + 6);
    return way;
  }

  Block<Hop> hops_;
  Block<Way> ways_;
  KeyIndex index_;
  const KeyHash& hash_;
  std::span<const PortSettings> ports_;
  std::uint32_t used_ = 0;
};

// Server names of living flows, as sent. Far fewer than flows. A name counts for the sender that showed it first.
class NameBook {
 public:
  NameBook(std::uint32_t capacity, const KeyHash& hash)
      : entries_(capacity), index_(capacity), shares_(capacity), hash_(hash) {}

  // 0: empty, or no room. Longer names are cut to what a record takes.
  [[nodiscard]] std::uint32_t take(std::string_view name, SharePlace sender) noexcept {
    if (name.empty()) return 0;
    name = name.substr(0, record_name_bytes);
    const std::uint64_t h = hash_(name.data(), name.size());
    const std::uint32_t found = index_.find(h, [&](std::uint32_t n) { return (*this)[n] == name; });
    if (found != KeyIndex::none) {
      ++entries_[found].references;
      return found;
    }
    if (!shares_.has_room(sender)) return 0;
    const std::uint32_t number = entries_.take();
    if (number == 0) return 0;
    if (!index_.insert(h, number)) {
      entries_.give_back(number);
      return 0;
    }
    shares_.take(sender);
    Entry& entry = entries_[number];
    entry.references = 1;
    entry.sender = sender;
    entry.length = static_cast<std::uint16_t>(name.size());
    std::memcpy(entry.bytes.data(), name.data(), name.size());
    return number;
  }
  void give_back(std::uint32_t number) noexcept {
    if (number == 0 || --entries_[number].references != 0) return;
    const std::string_view name = (*this)[number];
    index_.erase(hash_(name.data(), name.size()), number);
    shares_.give_back(entries_[number].sender);
    entries_.give_back(number);
  }
  [[nodiscard]] std::string_view operator[](std::uint32_t number) const noexcept {
    return {entries_[number].bytes.data(), entries_[number].length};
  }
  [[nodiscard]] std::size_t bytes() const noexcept { return entries_.bytes() + index_.bytes() + shares_.bytes(); }

 private:
  struct Entry {
    std::uint32_t references;
    SharePlace sender;
    std::uint16_t length;
    std::array<char, record_name_bytes> bytes;
  };
  Slots<Entry> entries_;
  KeyIndex index_;
  Shares shares_;
  const KeyHash& hash_;
};

}  // namespace sallyport::dataplane
