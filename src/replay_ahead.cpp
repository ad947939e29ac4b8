#include "src/replay_ahead.h"

#include "dataplane/flow/memory.h"
#include "dataplane/stages/parse.h"
#include "src/capture_link.h"

namespace sallyport {

using dataplane::PacketKind;
using dataplane::Pipeline;

const CapturedFrame* ReplayAhead::next() {
  fill();
  if (taken_ == read_) return nullptr;
  if (Place* place = ahead(places * 3 / 4)) read_key(*place);
  if (Place* place = ahead(places / 2)) find_side(*place);
  if (const Place* place = ahead(places / 4)) find_flow(*place);
  return &ring_[taken_++ % places].frame;
}

void ReplayAhead::fill() {
  // One place stays free: the frame that is being replayed.
  while (!ended_ && read_ - taken_ < places - 1) {
    Place& place = ring_[read_ % places];
    ended_ = !capture_.next(place.frame);
    if (ended_) return;
    place.followed = false;
    dataplane::prefetch(place.frame.data.data());
    ++read_;
  }
}

ReplayAhead::Place* ReplayAhead::ahead(std::size_t distance) noexcept {
  return taken_ + distance < read_ ? &ring_[(taken_ + distance) % places] : nullptr;
}

void ReplayAhead::read_key(Place& place) const noexcept {
  if (place.frame.link_type != link_type_ethernet) return;
  dataplane::Packet packet;
  packet.data = const_cast<std::uint8_t*>(place.frame.data.data());  // parse() only reads
  packet.length = static_cast<std::uint32_t>(place.frame.data.size());
  dataplane::Parsed parsed;
  dataplane::Drop why{};
  if (dataplane::parse(packet, {.any_vlan = true, .verify_ip_checksum = false}, parsed, why) !=
      dataplane::ParseResult::ok) {
    return;
  }
  place.followed = !parsed.fragment && (parsed.kind == PacketKind::tcp || parsed.kind == PacketKind::udp);
  place.key = parsed.key;
  if (place.followed) sides_.foresee(place.key);
}

void ReplayAhead::find_side(Place& place) const noexcept {
  if (!place.followed) return;
  if (sides_.find(place.key, engine_.now()) == ReplaySides::Sender::outside) place.key = place.key.reversed();
  engine_.foresee(place.key, Pipeline::Foresight::index);
}

void ReplayAhead::find_flow(const Place& place) const noexcept {
  if (place.followed) engine_.foresee(place.key, Pipeline::Foresight::flow);
}

}  // namespace sallyport
