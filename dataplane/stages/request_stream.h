// The client's stream of a followed connection, segment by segment: what it brings is put together, read and decided.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/core.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {

// Where a segment's payload lies in the client's stream.
struct Segment {
  Segment(const Packet& packet, const Parsed& parsed) noexcept
      : bytes(packet.data + parsed.payload_offset, parsed.payload_bytes) {
    const auto& tcp = wire::at<wire::Tcp>(packet.data + parsed.l4_offset);
    first = tcp.sequence.get() + ((tcp.flags & wire::Tcp::syn) != 0 ? 1 : 0);
    end = first + parsed.payload_bytes;
  }
  std::span<const std::uint8_t> bytes;
  std::uint32_t first, end;
};

// What becomes of a segment.
struct Outcome {
  enum class What : std::uint8_t {
    passes,
    waits,
    ends,      // under `drop`: it comes again
    refused,   // its request is denied; the flow's facts say why
    denied,    // for `reason`
    not_http,  // shows no request
    other,     // nor has to: the server agreed to another protocol
  };
  What what = What::passes;
  Drop drop = Drop::held_full;
  classifier::Reason reason = classifier::Reason::hello_malformed;
};

// Decides what a segment with payload brings, and forwards what waited for it. With `waits` it has its place in the
// flow's inspection, and is to be held.
[[nodiscard]] Outcome read_segment(Core& core, FlowNumber number, RequestFollow& follow, const Packet& packet,
                                   const Parsed& parsed) noexcept;
// From here on frames; `opened` as of Http2Follower. False: no room for one more connection.
[[nodiscard]] bool begin_http2(Core& core, RequestFollow& follow, std::uint32_t opened) noexcept;

// Counts for its client what a connection's header tables grow and shrink by while this lives.
class HpackUse {
 public:
  HpackUse(Core& core, const RequestFollow& follow) noexcept
      : core_(core), sender_(follow.sender), before_(classifier::names::bytes_in_use(*core.hpack)) {}
  ~HpackUse() {
    const std::size_t now = classifier::names::bytes_in_use(*core_.hpack);
    if (now > before_) core_.hpack_shares.take(sender_, now - before_);
    if (now < before_) core_.hpack_shares.give_back(sender_, before_ - now);
  }
  HpackUse(const HpackUse&) = delete;
  HpackUse& operator=(const HpackUse&) = delete;

 private:
  Core& core_;
  const SharePlace sender_;
  const std::size_t before_;
};

}  // namespace sallyport::dataplane
