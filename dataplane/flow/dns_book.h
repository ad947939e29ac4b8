// What a worker remembers of DNS that goes by: which queries wait for their answer, and what has come of messages over
// TCP that are not whole. Bounded, taken at start.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "classifier/names/dns_answer.h"
#include "dataplane/flow/flow.h"
#include "dataplane/flow/held_payload.h"
#include "dataplane/flow/memory.h"
#include "dataplane/flow/slots.h"

namespace sallyport::dataplane {

// Queries that wait, each as the keyed hash of its flow, transaction id and question. In sets of eight; in a full set
// the oldest gives way: an answer takes milliseconds, so whoever floods the set has to be faster than that.
class PendingQueries {
 public:
  static constexpr std::int32_t timeout_ms = 10'000;

  PendingQueries() : entries_(sets * ways) {}

  // False: one that still waited gave way.
  [[nodiscard]] bool add(std::uint64_t key, Tick now) noexcept {
    const auto set = set_of(key);
    const auto older = [&](const Entry& a, const Entry& b) {
      return waits(b, now) && (!waits(a, now) || since(a.asked, now) > since(b.asked, now));
    };
    auto place = std::find_if(set.begin(), set.end(), [&](const Entry& entry) { return entry.key == key; });
    if (place == set.end()) place = std::min_element(set.begin(), set.end(), older);
    const bool displaces = place->key != key && waits(*place, now);
    *place = {key, now};
    return !displaces;
  }
  // True: it waited, and does no longer.
  [[nodiscard]] bool take(std::uint64_t key, Tick now) noexcept {
    for (Entry& entry : set_of(key)) {
      if (entry.key != key) continue;
      const bool waited = waits(entry, now);
      entry.key = 0;
      return waited;
    }
    return false;
  }
  [[nodiscard]] std::size_t bytes() const noexcept { return entries_.bytes(); }

 private:
  static constexpr std::size_t sets = 1024;
  static constexpr std::size_t ways = 8;
  struct Entry {
    std::uint64_t key;  // 0: free
    Tick asked;
  };
  [[nodiscard]] static bool waits(const Entry& entry, Tick now) noexcept {
    return entry.key != 0 && is_within(entry.asked, now, timeout_ms);
  }
  [[nodiscard]] std::span<Entry> set_of(std::uint64_t key) noexcept { return {&entries_[(key % sets) * ways], ways}; }
  Block<Entry> entries_;
};

// Conversations over TCP: whole messages out of segments in any order. Where a flow stands is in its FlowFacts; kept
// here is only what has come of an unfinished message. Messages that come in one segment keep nothing, so there is room
// for few; a sender may have some of it, and who begins when all is taken has it of the stream that has waited longest.
class DnsStreams {
 public:
  static constexpr std::uint32_t message_bytes_max = 65535;
  static constexpr std::uint32_t stream_bytes = classifier::names::dns_length_bytes + message_bytes_max;
  static constexpr std::uint32_t kept_max = 32;
  static constexpr std::uint32_t kept_by_sender_max = 4;

  DnsStreams() : kept_(kept_max), bytes_((kept_max + 1) * ByteStream::memory_bytes(stream_bytes)) {}

  struct Owner {
    FlowNumber flow;
    std::uint32_t sender;
    Tick now;
  };
  enum class Added : std::uint8_t {
    read,  // as far as it goes
    lost,  // out of step: conflicting bytes, too far ahead, or what stands there are no messages
    full,  // not kept before in_the_way() has lost its own; then once more
  };
  // A segment's payload; `read(message)` is called for each message that it completes.
  template <typename Read>
  [[nodiscard]] Added add(DnsStream& stream, const Owner& owner, std::uint32_t sequence,
                          std::span<const std::uint8_t> bytes, const Read& read) noexcept {
    auto offset = static_cast<std::int32_t>(sequence - stream.next);
    if (offset < 0) {
      const auto stale = std::min<std::size_t>(static_cast<std::size_t>(-std::int64_t{offset}), bytes.size());
      bytes = bytes.subspan(stale);
      offset = 0;
    }
    if (bytes.empty()) return Added::read;
    if (offset == 0 && stream.buffer == 0) {
      std::uint32_t used = 0;
      if (!read_whole(bytes, used, read)) return Added::lost;
      stream.next += used;
      bytes = bytes.subspan(used);
      if (bytes.empty()) return Added::read;
    }
    if (stream.buffer == 0 && !begin(stream, owner)) return Added::full;
    return keep(stream, static_cast<std::uint32_t>(offset), bytes) && read_kept(stream, read) ? Added::read
                                                                                              : Added::lost;
  }
  // The flow that has to lose what it keeps before this sender may keep more; 0: none has to.
  [[nodiscard]] FlowNumber in_the_way(std::uint32_t sender) const noexcept {
    const Kept* oldest = nullptr;
    const Kept* own = nullptr;
    std::uint32_t owned = 0;
    for (std::uint32_t number = 1; number < kept_.fresh(); ++number) {
      const Kept& kept = kept_[number];
      if (kept.owner.flow == 0) continue;
      if (oldest == nullptr || since(kept.owner.now, oldest->owner.now) > 0) oldest = &kept;
      if (kept.owner.sender != sender) continue;
      ++owned;
      if (own == nullptr || since(kept.owner.now, own->owner.now) > 0) own = &kept;
    }
    if (owned >= kept_by_sender_max) return own->owner.flow;
    return kept_.exhausted() ? oldest->owner.flow : 0;
  }
  void forget(DnsStream& stream) noexcept {
    if (stream.buffer == 0) return;
    kept_[stream.buffer].owner.flow = 0;
    kept_.give_back(stream.buffer);
    stream.buffer = 0;
  }

  [[nodiscard]] std::size_t bytes() const noexcept { return kept_.bytes() + bytes_.bytes(); }

 private:
  using Bytes = std::span<const std::uint8_t>;

  struct Kept {
    Owner owner;               // and since when; flow 0: nobody's
    std::uint32_t contiguous;  // bytes from `next` on without a gap
    std::uint32_t end;         // behind the last one, from `next`
  };

  template <typename Read>
  [[nodiscard]] static bool read_whole(Bytes bytes, std::uint32_t& used, const Read& read) noexcept {
    using classifier::names::Parse;
    Bytes message;
    for (;;) {
      switch (classifier::names::first_dns_message(bytes.subspan(used), message)) {
        case Parse::done:
          break;
        case Parse::need_more:
          return true;
        default:
          return false;
      }
      read(message);
      used += static_cast<std::uint32_t>(classifier::names::dns_length_bytes + message.size());
    }
  }

  [[nodiscard]] ByteStream bytes_of(const DnsStream& stream) noexcept {
    return {&bytes_[std::size_t{stream.buffer} * ByteStream::memory_bytes(stream_bytes)], stream_bytes};
  }

  [[nodiscard]] bool begin(DnsStream& stream, const Owner& owner) noexcept {
    if (in_the_way(owner.sender) != 0) return false;
    stream.buffer = static_cast<std::uint8_t>(kept_.take());
    kept_[stream.buffer] = {owner, 0, 0};
    bytes_of(stream).clear();
    return true;
  }

  [[nodiscard]] bool keep(const DnsStream& stream, std::uint32_t offset, Bytes bytes) noexcept {
    if (offset + bytes.size() > stream_bytes) return false;
    if (!bytes_of(stream).add(offset, bytes)) return false;
    Kept& kept = kept_[stream.buffer];
    kept.end = std::max(kept.end, offset + static_cast<std::uint32_t>(bytes.size()));
    return true;
  }

  template <typename Read>
  [[nodiscard]] bool read_kept(DnsStream& stream, const Read& read) noexcept {
    ByteStream bytes = bytes_of(stream);
    Kept& kept = kept_[stream.buffer];
    kept.contiguous = bytes.contiguous(kept.contiguous);
    std::uint32_t used = 0;
    if (!read_whole(bytes.first(kept.contiguous), used, read)) return false;
    stream.next += used;
    if (used == kept.end) {
      forget(stream);
    } else if (used != 0) {
      bytes.drop_front(used);
      kept.contiguous -= used;
      kept.end -= used;
    }
    return true;
  }

  Slots<Kept> kept_;  // the bytes lie in bytes_
  Block<std::uint8_t> bytes_;
};

class DnsBook {
 public:
  static constexpr std::size_t addresses_max = 1024;  // of one answer

  DnsBook() : room_(addresses_max) {}

  PendingQueries queries;
  DnsStreams streams;

  [[nodiscard]] std::span<classifier::names::DnsAddress> room() noexcept { return {room_.data(), room_.size()}; }
  [[nodiscard]] std::size_t bytes() const noexcept { return queries.bytes() + streams.bytes() + room_.bytes(); }

 private:
  Block<classifier::names::DnsAddress> room_;
};

}  // namespace sallyport::dataplane
