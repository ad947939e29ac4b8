// Payload that waits for a verdict, and the bytes of a hello that is read from several segments.
//
// A hello that is whole in its first segment needs none of this. Else the flow gets an Inspection: the packets that
// wait, in the order in which they came, and, for TCP, a ByteStream in which their payload is put together. Both are
// counted against [limits] held_bytes; there are so many and no more.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include "classifier/names/http_request.h"
#include "classifier/names/quic_initial.h"
#include "classifier/names/tls_client_hello.h"
#include "dataplane/flow/flow.h"
#include "dataplane/flow/slots.h"
#include "dataplane/packet.h"

namespace sallyport::dataplane {

// Bytes of a stream from its beginning, arriving in any order. What is there already is never replaced.
class ByteStream {
 public:
  // `bytes` holds `capacity` bytes and behind them one bit for each.
  ByteStream(std::uint8_t* bytes, std::uint32_t capacity) noexcept
      : bytes_(bytes), present_(bytes + capacity), capacity_(capacity) {}
  [[nodiscard]] static std::size_t memory(std::uint32_t capacity) noexcept { return capacity + capacity / 8 + 1; }

  void clear() noexcept { std::memset(present_, 0, capacity_ / 8 + 1); }
  // False: some byte was there with another value; the stream is as it was. Bytes past the capacity are left out.
  [[nodiscard]] bool add(std::uint32_t offset, std::span<const std::uint8_t> bytes) noexcept {
    if (offset >= capacity_) return true;
    bytes = bytes.first(std::min<std::size_t>(bytes.size(), capacity_ - offset));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (has(offset + i) && bytes_[offset + i] != bytes[i]) return false;
    }
    std::memcpy(bytes_ + offset, bytes.data(), bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) mark(offset + i);
    return true;
  }
  // Are all these bytes there?
  [[nodiscard]] bool covers(std::uint32_t offset, std::uint32_t count) const noexcept {
    for (std::uint32_t i = 0; i < count; ++i) {
      if (offset + i >= capacity_ || !has(offset + i)) return false;
    }
    return true;
  }
  // From the beginning without a gap, at least `from` bytes of which are known to be there.
  [[nodiscard]] std::uint32_t contiguous(std::uint32_t from) const noexcept {
    while (from < capacity_ && has(from)) ++from;
    return from;
  }
  [[nodiscard]] std::span<const std::uint8_t> first(std::uint32_t count) const noexcept { return {bytes_, count}; }

 private:
  [[nodiscard]] bool has(std::size_t i) const noexcept { return (present_[i / 8] >> (i % 8) & 1) != 0; }
  void mark(std::size_t i) noexcept { present_[i / 8] = static_cast<std::uint8_t>(present_[i / 8] | 1U << (i % 8)); }

  std::uint8_t* bytes_;
  std::uint8_t* present_;
  std::uint32_t capacity_;
};

// How far the parsers have come, so that a stream in many small pieces costs linear time.
struct StreamProgress {
  classifier::names::TlsProgress tls;
  classifier::names::HttpProgress http;
};

struct Inspection {
  Tick since;                // of the first payload
  std::uint32_t base;        // TCP: the sequence number of the stream's first byte
  std::uint32_t contiguous;  // bytes of the stream without a gap
  StreamProgress progress;
  std::uint32_t stream;       // number of its byte stream; 0: none
  std::uint32_t quic;         // number of its QUIC state; 0: none
  std::uint32_t first, last;  // waiting packets
  std::uint32_t packets;
  std::uint32_t bytes;  // of waiting packets
  bool base_known;
};

struct QuicState {
  classifier::names::QuicConnection connection;
  classifier::names::CryptoStream stream;
};

class HeldPayload {
 public:
  HeldPayload(std::uint64_t held_bytes, std::uint32_t packets, std::uint32_t hello_bytes)
      : hello_bytes_(hello_bytes),
        bytes_max_(held_bytes),
        packets_(packets),
        inspections_(packets),
        streams_(std::max<std::uint32_t>(16, static_cast<std::uint32_t>(held_bytes / hello_bytes / 4))),
        stream_bytes_(std::size_t{streams_.capacity() + 1} * ByteStream::memory(hello_bytes)),
        quic_(std::clamp<std::uint32_t>(packets / 8, 16, 4096)) {}

  [[nodiscard]] std::uint32_t begin(Tick now) noexcept {
    const std::uint32_t number = inspections_.take();
    if (number != 0) {
      inspections_[number] = Inspection{};
      inspections_[number].since = now;
    }
    return number;
  }
  // The flow has no waiting packets any more.
  void end(std::uint32_t number) noexcept {
    if (inspections_[number].stream != 0) streams_.give_back(inspections_[number].stream);
    if (inspections_[number].quic != 0) quic_.give_back(inspections_[number].quic);
    inspections_.give_back(number);
  }
  [[nodiscard]] Inspection& operator[](std::uint32_t number) noexcept { return inspections_[number]; }
  [[nodiscard]] const Inspection& operator[](std::uint32_t number) const noexcept { return inspections_[number]; }

  // False: no room for one more.
  [[nodiscard]] bool open_stream(Inspection& inspection) noexcept {
    if (inspection.stream == 0) {
      inspection.stream = streams_.take();
      if (inspection.stream == 0) return false;
      stream(inspection).clear();
    }
    return true;
  }
  [[nodiscard]] ByteStream stream(const Inspection& inspection) noexcept {
    return {&stream_bytes_[std::size_t{inspection.stream} * ByteStream::memory(hello_bytes_)], hello_bytes_};
  }
  [[nodiscard]] QuicState* open_quic(Inspection& inspection) noexcept {
    if (inspection.quic == 0) {
      inspection.quic = quic_.take();
      if (inspection.quic == 0) return nullptr;
      quic_[inspection.quic].connection = {};
      quic_[inspection.quic].stream.clear();
    }
    return &quic_[inspection.quic];
  }

  [[nodiscard]] bool hold(Inspection& inspection, const Packet& packet) noexcept {
    if (bytes_ + packet.length > bytes_max_) return false;
    const std::uint32_t number = packets_.take();
    if (number == 0) return false;
    packets_[number] = {packet, 0};
    (inspection.last != 0 ? packets_[inspection.last].next : inspection.first) = number;
    inspection.last = number;
    ++inspection.packets;
    inspection.bytes += packet.length;
    bytes_ += packet.length;
    return true;
  }
  // The one that has waited longest; false: none waits.
  [[nodiscard]] bool next(Inspection& inspection, Packet& packet) noexcept {
    const std::uint32_t number = inspection.first;
    if (number == 0) return false;
    packet = packets_[number].packet;
    inspection.first = packets_[number].next;
    if (inspection.first == 0) inspection.last = 0;
    --inspection.packets;
    inspection.bytes -= packet.length;
    bytes_ -= packet.length;
    packets_.give_back(number);
    return true;
  }
  [[nodiscard]] const Packet* oldest(const Inspection& inspection) const noexcept {
    return inspection.first != 0 ? &packets_[inspection.first].packet : nullptr;
  }

  [[nodiscard]] std::uint64_t held_bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::uint32_t hello_bytes() const noexcept { return hello_bytes_; }
  [[nodiscard]] std::size_t memory_bytes() const noexcept {
    return packets_.bytes() + inspections_.bytes() + streams_.bytes() + stream_bytes_.bytes() + quic_.bytes();
  }

 private:
  struct Waiting {
    Packet packet;
    std::uint32_t next;
  };
  std::uint32_t hello_bytes_;
  std::uint64_t bytes_max_;
  std::uint64_t bytes_ = 0;
  Slots<Waiting> packets_;
  Slots<Inspection> inspections_;
  Slots<std::uint8_t> streams_;  // hands out numbers; the bytes lie in stream_bytes_
  Block<std::uint8_t> stream_bytes_;
  Slots<QuicState> quic_;
};

}  // namespace sallyport::dataplane
