// What a worker remembers of DNS that goes by: which queries wait for their answer, and how far it has read the
// conversations over TCP. Bounded, taken at start.
#pragma once

#include <algorithm>
#include <array>
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
    return entry.key != 0 && since(entry.asked, now) < timeout_ms;
  }
  [[nodiscard]] std::span<Entry> set_of(std::uint64_t key) noexcept { return {&entries_[(key % sets) * ways], ways}; }
  Block<Entry> entries_;
};

// One direction of a conversation over TCP: whole messages out of segments in any order.
struct DnsStream {
  std::uint32_t next;        // sequence number of the first byte not read yet: a message begins there
  std::uint32_t buffer;      // number of its ByteStream; 0: nothing is kept
  std::uint32_t contiguous;  // kept bytes from `next` on without a gap
  std::uint32_t end;         // behind the last kept one, from `next`
  bool begun;                // `next` is known
};
struct DnsConversation {
  std::array<DnsStream, 2> streams;  // by direction
  bool lost;                         // out of step: read no further
};

class DnsConversations {
 public:
  static constexpr std::uint32_t message_bytes_max = 65535;
  static constexpr std::uint32_t stream_bytes = classifier::names::dns_length_bytes + message_bytes_max;

  // Messages that come in one segment need no buffer, so few do.
  DnsConversations() : conversations_(1024), buffers_(32), bytes_((32 + 1) * ByteStream::memory_bytes(stream_bytes)) {}

  // 0: no room.
  [[nodiscard]] std::uint32_t begin() noexcept {
    const std::uint32_t number = conversations_.take();
    if (number != 0) conversations_[number] = {};
    return number;
  }
  void end(std::uint32_t number) noexcept {
    if (number == 0) return;
    lose(conversations_[number]);
    conversations_.give_back(number);
  }
  void lose(DnsConversation& conversation) noexcept {
    conversation.lost = true;
    for (DnsStream& stream : conversation.streams) drop_buffer(stream);
  }
  [[nodiscard]] DnsConversation& operator[](std::uint32_t number) noexcept { return conversations_[number]; }

  // A segment's payload; `read(message)` is called for each message that it completes. False: out of step; no buffer,
  // conflicting bytes, too far ahead, or what stands there are no messages.
  template <typename Read>
  [[nodiscard]] bool add(DnsStream& stream, std::uint32_t sequence, std::span<const std::uint8_t> bytes,
                         const Read& read) noexcept {
    auto offset = static_cast<std::int32_t>(sequence - stream.next);
    if (offset < 0) {
      const auto stale = std::min<std::size_t>(static_cast<std::size_t>(-std::int64_t{offset}), bytes.size());
      bytes = bytes.subspan(stale);
      offset = 0;
    }
    if (bytes.empty()) return true;
    if (offset == 0 && stream.buffer == 0) {
      std::uint32_t used = 0;
      if (!read_whole(bytes, used, read)) return false;
      stream.next += used;
      bytes = bytes.subspan(used);
      if (bytes.empty()) return true;
    }
    return keep(stream, static_cast<std::uint32_t>(offset), bytes) && read_kept(stream, read);
  }

  [[nodiscard]] std::size_t bytes() const noexcept {
    return conversations_.bytes() + buffers_.bytes() + bytes_.bytes();
  }

 private:
  using Bytes = std::span<const std::uint8_t>;

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
  void drop_buffer(DnsStream& stream) noexcept {
    if (stream.buffer != 0) buffers_.give_back(stream.buffer);
    stream.buffer = stream.contiguous = stream.end = 0;
  }

  [[nodiscard]] bool keep(DnsStream& stream, std::uint32_t offset, Bytes bytes) noexcept {
    if (offset + bytes.size() > stream_bytes) return false;
    if (stream.buffer == 0) {
      stream.buffer = buffers_.take();
      if (stream.buffer == 0) return false;
      bytes_of(stream).clear();
    }
    if (!bytes_of(stream).add(offset, bytes)) return false;
    stream.end = std::max(stream.end, offset + static_cast<std::uint32_t>(bytes.size()));
    return true;
  }

  template <typename Read>
  [[nodiscard]] bool read_kept(DnsStream& stream, const Read& read) noexcept {
    ByteStream kept = bytes_of(stream);
    stream.contiguous = kept.contiguous(stream.contiguous);
    std::uint32_t used = 0;
    if (!read_whole(kept.first(stream.contiguous), used, read)) return false;
    stream.next += used;
    if (used == stream.end) {
      drop_buffer(stream);
    } else if (used != 0) {
      kept.drop_front(used);
      stream.contiguous -= used;
      stream.end -= used;
    }
    return true;
  }

  Slots<DnsConversation> conversations_;
  Slots<std::uint8_t> buffers_;  // hands out numbers; the bytes lie in bytes_
  Block<std::uint8_t> bytes_;
};

class DnsBook {
 public:
  static constexpr std::size_t addresses_max = 1024;  // of one answer

  DnsBook() : room_(addresses_max) {}

  PendingQueries queries;
  DnsConversations conversations;

  [[nodiscard]] std::span<classifier::names::DnsAddress> room() noexcept { return {room_.data(), room_.size()}; }
  [[nodiscard]] std::size_t bytes() const noexcept { return queries.bytes() + conversations.bytes() + room_.bytes(); }

 private:
  Block<classifier::names::DnsAddress> room_;
};

}  // namespace sallyport::dataplane
