#include "dataplane/tap/sighting.h"

#include <cstring>

namespace sallyport::dataplane {
namespace {

template <typename Value>
[[nodiscard]] Value take(std::span<const std::uint8_t>& from) noexcept {
  Value value;
  std::memcpy(&value, from.data(), sizeof value);
  from = from.subspan(sizeof value);
  return value;
}

}  // namespace

Sighting Sighting::of(std::span<const std::uint8_t> blob) {
  Sighting sighting;
  sighting.head = take<SightingHead>(blob);
  if (sighting.head.has_flow) sighting.flow = take<FlowRecord>(blob);
  for (unsigned i = 0; i < sighting.head.frames; ++i) {
    const auto head = take<FrameHead>(blob);
    sighting.frames.push_back({head, blob.first(head.captured)});
    blob = blob.subspan(head.captured);
  }
  return sighting;
}

}  // namespace sallyport::dataplane
