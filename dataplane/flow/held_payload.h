// Payload that waits for a verdict, and the bytes of a hello that is read from several segments.
//
// The flow gets an Inspection: the packets that wait, in the order in which they came, and, for TCP, a ByteStream in
// which the payload is put together. What was let through stays in the stream until the server has acknowledged it, so
// that nothing else can be sent in its place. All of it is counted against [limits] held_bytes; there are so many and
// no more. Flows that wait may take three quarters of the streams: the rest is for hellos that are decided at once. Of
// everything a sender has its share (Shares), and less of it for what waits.
#pragma once

#include <algorithm>
#include <cstdint>

#include "classifier/names/http_request.h"
#include "classifier/names/quic_initial.h"
#include "classifier/names/tls_client_hello.h"
#include "classifier/names/upgrade.h"
#include "dataplane/flow/byte_stream.h"
#include "dataplane/flow/flow.h"
#include "dataplane/flow/record_walk.h"
#include "dataplane/flow/shares.h"
#include "dataplane/flow/slots.h"
#include "dataplane/packet.h"

namespace sallyport::dataplane {

// How far the parsers have come, so that a stream in many small pieces costs linear time.
struct StreamProgress {
  classifier::names::TlsProgress tls;
  classifier::names::HttpProgress http;
};

struct Inspection {
  Tick since;                 // the present turn's begin (turns.h); of the verdict, while its bytes are guarded
  std::uint32_t base;         // TCP: the sequence number of the stream's first byte
  std::uint32_t contiguous;   // bytes of the stream without a gap
  std::uint32_t passed;       // so many of them were let through
  std::uint64_t judged_name;  // hash of the name that was let through
  StreamProgress progress;    // of what follows them
  classifier::names::Upgrade upgrade;
  std::uint32_t stream;       // number of its byte stream; 0: none
  std::uint32_t quic;         // number of its QUIC state; 0: none
  std::uint32_t first, last;  // waiting packets
  std::uint32_t packets;
  std::uint32_t bytes;        // of waiting packets
  std::uint32_t server_next;  // TCP: the sequence number of the server's answer to the hello
  RecordWalk records;         // over the client's records behind its hello, as far as they were let through
  std::uint32_t client_ms;    // that the earlier turns of either side took
  std::uint32_t server_ms;
  SharePlace sender;
  std::uint8_t
      retry_bytes;    // of the server's answer, that are those of a HelloRetryRequest; its first bytes alone count
  bool servers_turn;  // in the dialogue before a hello; else the client's
  bool base_known;
  bool target_shown;  // the flow's name is that of a tunnel's target, which is allowed
  bool answered;      // the server has answered the hello, and not asked for another
  bool second_hello;  // it has asked for another
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
        streams_(std::max<std::uint32_t>(16, static_cast<std::uint32_t>(held_bytes / hello_bytes / 2))),
        stream_bytes_(std::size_t{streams_.capacity() + 1} * ByteStream::memory_bytes(hello_bytes)),
        quic_(std::clamp<std::uint32_t>(packets / 8, 16, 4096)),
        bytes_shares_(held_bytes, 2 * std::uint64_t{hello_bytes}),
        packet_shares_(packets),
        inspection_shares_(packets),
        stream_shares_(streams_.capacity()),
        quic_shares_(quic_.capacity()) {}

  // 0: no room.
  [[nodiscard]] std::uint32_t begin(Tick now, SharePlace sender) noexcept {
    if (!inspection_shares_.has_room(sender)) return 0;
    const std::uint32_t number = inspections_.take();
    if (number != 0) {
      inspections_[number] = Inspection{};
      inspections_[number].since = now;
      inspections_[number].sender = sender;
      inspection_shares_.take(sender);
    }
    return number;
  }
  // The flow has no waiting packets any more.
  void end(std::uint32_t number) noexcept {
    const Inspection& inspection = inspections_[number];
    if (inspection.stream != 0) {
      streams_.give_back(inspection.stream);
      stream_shares_.give_back(inspection.sender);
    }
    if (inspection.quic != 0) {
      quic_.give_back(inspection.quic);
      quic_shares_.give_back(inspection.sender);
    }
    inspection_shares_.give_back(inspection.sender);
    inspections_.give_back(number);
  }
  // The same of a flow whose packets wait: for next() of what is answered.
  [[nodiscard]] Inspection end_holding(std::uint32_t number) noexcept {
    const Inspection waiting = inspections_[number];
    end(number);
    return waiting;
  }
  [[nodiscard]] Inspection& operator[](std::uint32_t number) noexcept { return inspections_[number]; }
  [[nodiscard]] const Inspection& operator[](std::uint32_t number) const noexcept { return inspections_[number]; }

  // False: no room for one more. `waits`: for an unfinished hello.
  [[nodiscard]] bool open_stream(Inspection& inspection, bool waits) noexcept {
    if (inspection.stream == 0) {
      if (waits && streams_.in_use() >= streams_.capacity() - streams_.capacity() / 4) return false;
      const std::uint32_t spare = waits ? streams_.capacity() / 16 : 0;
      if (!stream_shares_.has_room(inspection.sender, 1 + spare)) return false;
      inspection.stream = streams_.take();
      if (inspection.stream == 0) return false;
      stream_shares_.take(inspection.sender);
      stream(inspection).clear();
    }
    return true;
  }
  // Nothing in it is wanted any more; packets do not wait.
  void close_stream(Inspection& inspection) noexcept {
    streams_.give_back(inspection.stream);
    stream_shares_.give_back(inspection.sender);
    inspection.stream = 0;
  }
  [[nodiscard]] ByteStream stream(const Inspection& inspection) noexcept {
    return {&stream_bytes_[std::size_t{inspection.stream} * ByteStream::memory_bytes(hello_bytes_)], hello_bytes_};
  }
  [[nodiscard]] QuicState* open_quic(Inspection& inspection) noexcept {
    if (inspection.quic == 0) {
      if (!quic_shares_.has_room(inspection.sender)) return nullptr;
      inspection.quic = quic_.take();
      if (inspection.quic == 0) return nullptr;
      quic_shares_.take(inspection.sender);
      quic_[inspection.quic].connection = {};
      quic_[inspection.quic].stream.clear();
    }
    return &quic_[inspection.quic];
  }
  // May one be kept of a connection that needs it but for repetitions?
  [[nodiscard]] bool spares_quic() const noexcept { return quic_.in_use() <= quic_.capacity() / 2; }

  // Asked before the payload is put into the stream: what is there but not held would be taken for a repetition. No
  // buffer of the Reassembler's is held: there are few.
  [[nodiscard]] bool has_room(const Packet& packet, SharePlace sender) const noexcept {
    return !packet.reassembled && bytes_ + packet.length <= bytes_max_ && !packets_.exhausted() &&
           packet_shares_.has_room(sender) && bytes_shares_.has_room(sender, packet.length);
  }
  [[nodiscard]] bool hold(Inspection& inspection, const Packet& packet) noexcept {
    if (!has_room(packet, inspection.sender)) return false;
    keep(inspection, packet);
    return true;
  }
  // One that next() has just answered, behind the others: its room is there.
  void keep(Inspection& inspection, const Packet& packet) noexcept {
    const std::uint32_t number = packets_.take();
    packets_[number] = {packet, 0};
    (inspection.last != 0 ? packets_[inspection.last].next : inspection.first) = number;
    inspection.last = number;
    ++inspection.packets;
    inspection.bytes += packet.length;
    bytes_ += packet.length;
    packet_shares_.take(inspection.sender);
    bytes_shares_.take(inspection.sender, packet.length);
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
    packet_shares_.give_back(inspection.sender);
    bytes_shares_.give_back(inspection.sender, packet.length);
    packets_.give_back(number);
    return true;
  }
  [[nodiscard]] const Packet* oldest(const Inspection& inspection) const noexcept {
    return inspection.first != 0 ? &packets_[inspection.first].packet : nullptr;
  }

  [[nodiscard]] std::uint64_t held_bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::uint32_t hello_bytes() const noexcept { return hello_bytes_; }
  [[nodiscard]] std::size_t memory_bytes() const noexcept {
    return packets_.bytes() + inspections_.bytes() + streams_.bytes() + stream_bytes_.bytes() + quic_.bytes() +
           bytes_shares_.bytes() + packet_shares_.bytes() + inspection_shares_.bytes() + stream_shares_.bytes() +
           quic_shares_.bytes();
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
  Shares bytes_shares_;
  Shares packet_shares_;
  Shares inspection_shares_;
  Shares stream_shares_;
  Shares quic_shares_;
};

}  // namespace sallyport::dataplane
