#include "dataplane/tap/story.h"

#include <algorithm>
#include <cstring>

namespace sallyport::dataplane {
namespace {

[[nodiscard]] FlowFound found(const Sight& sight) noexcept {
  if (sight.flow == 0) return FlowFound::none;
  if (sight.verdict == Verdict::waiting) return FlowFound::waiting;
  return sight.verdict == Verdict::allowed ? FlowFound::allowed : FlowFound::denied;
}

template <typename Value>
[[nodiscard]] BlobRing::Piece bytes_of(const Value& value) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

}  // namespace

Story::Story(std::size_t store_bytes)
    : store_bytes_(store_bytes), store_(std::make_unique_for_overwrite<std::uint8_t[]>(store_bytes)) {}

void Story::begin(Instant now, std::uint32_t worker, bool received, const Sight& sight) noexcept {
  head_ = SightingHead{};
  head_.time_ns = now;
  head_.worker = worker;
  head_.received = received;
  head_.from_inside = sight.from_inside;
  head_.found = found(sight);
  stored_ = 0;
}

void Story::add_frame(PortIndex port, const Packet& packet, Seen seen, const Sight& sight,
                      std::uint32_t snap_bytes) noexcept {
  if (head_.frames == frames_max) {
    ++head_.frames_left_out;
    return;
  }
  const Parsed& parsed = sight.parsed;
  const auto left = static_cast<std::uint32_t>(store_bytes_ - stored_);
  FrameHead& frame = frames_[head_.frames];
  frame = {.seen = seen,
           .port = port,
           .weight = packet.weight,
           .length = packet.length,
           .captured = std::min({packet.length, snap_bytes, left}),
           .sound = sight.sound,
           .ip = sight.ip_bytes != 0,
           .fragment = parsed.fragment,
           .kind = parsed.kind,
           .ip_protocol = parsed.ip_protocol,
           .tcp_flags = parsed.tcp_flags,
           .ttl = parsed.ttl,
           .key = parsed.key};
  std::memcpy(&store_[stored_], packet.data, frame.captured);
  at_[head_.frames++] = stored_;
  stored_ += frame.captured;
}

void Story::forget_last_frames(std::size_t count) noexcept {
  const std::size_t left_out = std::min<std::size_t>(count, head_.frames_left_out);
  head_.frames_left_out = static_cast<std::uint16_t>(head_.frames_left_out - left_out);
  head_.frames = static_cast<std::uint16_t>(head_.frames - std::min<std::size_t>(count - left_out, head_.frames));
}

void Story::add_end(Drop why, std::uint64_t packets) noexcept {
  if (head_.ends == SightingHead::ends_max) return;
  head_.end[head_.ends++] = {why, static_cast<std::uint32_t>(packets)};
}

void Story::set_flow(const Sight& sight, const FlowRecord& flow) noexcept {
  head_.now = found(sight);
  flow_ = flow;
  head_.has_flow = true;
}

void Story::put_into(Tap& tap) const noexcept {
  std::array<FrameHead, frames_max> frames;
  std::array<BlobRing::Piece, 2 + 2 * frames_max> pieces;
  std::size_t count = 0;
  pieces[count++] = bytes_of(head_);
  if (head_.has_flow) pieces[count++] = bytes_of(flow_);
  for (std::size_t i = 0; i < head_.frames; ++i) {
    frames[i] = frames_[i];
    frames[i].captured = std::min(frames[i].captured, tap.settings().snap_bytes);
    pieces[count++] = bytes_of(frames[i]);
    pieces[count++] = {&store_[at_[i]], frames[i].captured};
  }
  tap.put(head_.worker, std::span(pieces).first(count));
}

}  // namespace sallyport::dataplane
