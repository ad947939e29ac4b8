// What was seen of one packet, as a worker hands it to the control plane: a blob of a BlobRing.
//
//   SightingHead | FlowRecord, if head.has_flow | head.frames times: FrameHead, captured bytes
//
// The frame that was received comes first, where there was one; those that were sent for it follow. Written and read by
// one program, so values lie as they do in memory.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "dataplane/drop.h"
#include "dataplane/flow_record.h"
#include "dataplane/packet.h"
#include "dataplane/tap/sight.h"

namespace sallyport::dataplane {

struct FrameHead {
  Seen seen = Seen::received;
  PortIndex port = no_port;
  std::uint16_t weight = 1;    // of Packet; 0: made by the gateway itself
  std::uint32_t length = 0;    // on the wire
  std::uint32_t captured = 0;  // bytes that follow
  bool sound = false;          // what comes next is true
  bool ip = false;
  bool fragment = false;
  PacketKind kind = PacketKind::other;
  std::uint8_t ip_protocol = 0;
  std::uint8_t tcp_flags = 0;
  std::uint8_t ttl = 0;
  FlowKey key;
};

// A packet's flow, and how it stands.
enum class FlowFound : std::uint8_t { none, waiting, allowed, denied };

struct SightingHead {
  static constexpr std::size_t ends_max = 4;
  static constexpr std::uint32_t nowhere = ~std::uint32_t{0};
  struct End {
    Drop why = Drop::no_policy;
    std::uint32_t packets = 0;
  };

  std::uint64_t time_ns = 0;  // since the epoch
  std::uint32_t worker = 0;
  std::uint32_t handed_to = nowhere;  // another worker
  std::uint32_t held = 0;             // packets that wait now because of this one
  std::uint16_t frames = 0;
  std::uint16_t frames_left_out = 0;
  FlowFound found = FlowFound::none;  // before
  FlowFound now = FlowFound::none;    // after
  bool received = false;              // else it was sent, or ended, when its time had come
  bool from_inside = false;
  bool has_flow = false;
  bool to_kernel = false;
  std::uint8_t ends = 0;
  std::array<End, ends_max> end{};  // reasons, with what had waited before
};
static_assert(std::is_trivially_copyable_v<SightingHead> && std::is_trivially_copyable_v<FrameHead>);

// The same, taken apart. Bytes lie in the blob.
struct Sighting {
  struct Frame {
    FrameHead head;
    std::span<const std::uint8_t> bytes;
  };
  SightingHead head;
  std::optional<FlowRecord> flow;
  std::vector<Frame> frames;

  [[nodiscard]] static Sighting of(std::span<const std::uint8_t> blob);
};

}  // namespace sallyport::dataplane
