// One client's stream over TCP through a gateway of its own, in whatever pieces: for fuzz targets that compare two ways
// of sending the same bytes. Nothing may leave but bytes of the stream at their place.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/load.h"
#include "dataplane/pipeline.h"
#include "tests/fuzz/cuts.h"
#include "tests/unit/dataplane/packet_maker.h"
#include "tests/unit/dataplane/vector_world.h"

namespace sallyport::fuzz {

inline constexpr dataplane::PortIndex inside = 0;
inline constexpr dataplane::PortIndex outside = 1;

inline dataplane::Snapshot make_policy_snapshot(const std::string& policy) {
  static classifier::Identities identities;
  auto loaded = config::load_policy({{"policy.toml", policy}});
  auto compiled = classifier::Policy::compile(std::move(loaded.model.value()), identities);
  return dataplane::make_snapshot(std::shared_ptr<const classifier::Policy>(std::move(compiled.policy)),
                                  dataplane::Routing::two_wires(inside, outside), 1, 1);
}

inline dataplane::PipelineSettings small_settings() {
  dataplane::PipelineSettings made;
  made.ports.resize(2);
  made.ports[outside].role = config::PortRole::outside;
  made.limits.flows = 16;
  made.limits.held_bytes = 1U << 20U;
  made.nat.source_check = false;
  made.kernel = false;
  return made;
}

struct Piece {
  std::size_t at, count;
};

struct Answer {
  bool allowed = false;
  classifier::Reason reason{};
  std::string name;
  std::size_t left = 0;  // up to here bytes left
};

[[nodiscard]] inline bool is_refusal(const Answer& answer) {
  using enum classifier::Reason;
  return !answer.allowed && (answer.reason == hello_conflict || answer.reason == hello_malformed ||
                             answer.reason == hello_too_large || answer.reason == hello_timeout);
}

// One connection on a gateway of its own.
class ClientStream {
 public:
  ClientStream(std::span<const std::uint8_t> stream, std::uint16_t port, const dataplane::Snapshot& snapshot)
      : stream_(stream), snapshot_(snapshot), pipeline_(small_settings(), world_), server_("198.51.100.7", port) {}

  Answer send(const std::vector<Piece>& pieces) {
    using dataplane::wire::Tcp;
    send(inside, dataplane::test::tcp(client_, server_, Tcp::syn, {.seq = first_byte - 1}));
    if (!world_.sent[outside].empty()) {
      const dataplane::test::Seen syn = dataplane::test::look_at(world_.sent[outside].front());
      const dataplane::test::End egress(syn.from(), syn.from_port());
      send(outside, dataplane::test::tcp(server_, egress, Tcp::syn | Tcp::ack, {.seq = 5000, .ack = first_byte}));
    }
    for (const Piece& piece : pieces) {
      const auto part = stream_.subspan(piece.at, piece.count);
      send(inside, dataplane::test::tcp(client_, server_, Tcp::ack,
                                        {.seq = first_byte + static_cast<std::uint32_t>(piece.at),
                                         .ack = 5001,
                                         .payload = dataplane::test::Frame(part.begin(), part.end())}));
    }
    pipeline_.finish(now, snapshot_);
    const std::size_t left = check_what_left();
    insist(world_.buffers == 0 && pipeline_.counters().held.get() == 0 && world_.records.size() == 1);
    const dataplane::FlowRecord& record = world_.records.front();
    return {record.allowed, record.reason, std::string(record.server_name()), left};
  }

 private:
  static constexpr std::uint32_t first_byte = 1001;
  static constexpr dataplane::Instant now = 1'700'000'000'000'000'000;

  void send(dataplane::PortIndex port, const dataplane::test::Frame& frame) {
    dataplane::Packet packet;
    insist(world_.allocate(static_cast<std::uint32_t>(frame.size()), packet));
    std::ranges::copy(frame, packet.data);
    pipeline_.process(port, {&packet, 1}, now, snapshot_);
  }
  [[nodiscard]] std::size_t check_what_left() const {
    std::size_t end = 0;
    for (const dataplane::test::Frame& frame : world_.sent[outside]) {
      const dataplane::test::Seen seen = dataplane::test::look_at(frame);
      const auto payload = seen.payload();
      if (payload.empty()) continue;
      const std::size_t at = seen.tcp().sequence.get() - first_byte;
      insist(at + payload.size() <= stream_.size());
      insist(std::ranges::equal(payload, stream_.subspan(at, payload.size())));
      end = std::max(end, at + payload.size());
    }
    return end;
  }

  std::span<const std::uint8_t> stream_;
  const dataplane::Snapshot& snapshot_;
  dataplane::test::VectorWorld world_;
  dataplane::Pipeline pipeline_;
  const dataplane::test::End client_{"10.0.0.1", 40000}, server_;
};

// In pieces of at most `most` bytes.
inline std::vector<Piece> cut(std::size_t size, std::size_t most, Cuts* cuts) {
  std::vector<Piece> pieces;
  for (std::size_t at = 0; at < size;) {
    const std::size_t count = std::min(cuts != nullptr ? cuts->next(most) : most, size - at);
    pieces.push_back({at, count});
    at += count;
  }
  return pieces;
}

// In another order, some of them more than once.
inline void shuffle_and_repeat(std::vector<Piece>& pieces, Cuts& cuts) {
  for (std::size_t i = pieces.size(); i > 1; --i) std::swap(pieces[i - 1], pieces[cuts.next(i) - 1]);
  for (std::size_t i = 0, repeated = cuts.next(4) - 1; i < repeated && !pieces.empty(); ++i) {
    pieces.insert(pieces.begin() + static_cast<std::ptrdiff_t>(cuts.next(pieces.size()) - 1), pieces.back());
  }
}

}  // namespace sallyport::fuzz
