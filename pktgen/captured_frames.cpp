#include "pktgen/captured_frames.h"

#include <algorithm>

#include "dataplane/wire/headers.h"
#include "pktgen/address_shift.h"
#include "pktgen/neighbours.h"
#include "src/capture_link.h"

namespace sallyport::pktgen {
namespace {

namespace wire = dataplane::wire;
using Entry = CapturedFrames::Entry;

bool is_control(const Entry& entry) noexcept {
  return entry.ethertype == 0 ? Neighbours::is_control(entry.bytes)
                              : Neighbours::is_control(entry.ethertype, entry.bytes);
}

}  // namespace

std::size_t Entry::frame_bytes() const noexcept { return bytes.size() + (ethertype == 0 ? 0 : sizeof(wire::Ethernet)); }

CapturedFrames::CapturedFrames(const std::string& path) : reader_(path) {
  if (reader_.error()) return;
  all_.reserve(reader_.count_frames());
  CapturedFrame frame;
  while (reader_.next(frame)) add(frame);
}

void CapturedFrames::add(const CapturedFrame& frame) {
  Entry entry;
  if (frame.link_type == link_type_ethernet) {
    entry.bytes = frame.data;
  } else if (const auto payload = find_link_payload(frame.link_type, frame.data)) {
    entry.bytes = frame.data.subspan(payload->offset);
    entry.ethertype = payload->ethertype;
  }
  if (entry.bytes.empty() || entry.frame_bytes() < sizeof(wire::Ethernet)) {
    ++skipped_;
  } else if (is_control(entry)) {
    ++control_;
  } else {
    entry.time_ns = time_of(frame);
    all_.push_back(entry);
  }
}

// What bears no time at the beginning goes with the first one that does.
std::uint64_t CapturedFrames::time_of(const CapturedFrame& frame) noexcept {
  if (frame.timed) {
    if (!first_ns_) first_ns_ = frame.time_ns;
    latest_ns_ = std::max(latest_ns_, frame.time_ns);
  }
  return first_ns_ ? latest_ns_ - *first_ns_ : 0;
}

void CapturedFrames::drop_larger_than(std::size_t frame_bytes) {
  skipped_ += std::erase_if(all_, [&](const Entry& entry) { return entry.frame_bytes() > frame_bytes; });
}

bool CapturedFrames::any_address_in(const Prefix& block) const noexcept {
  const AddressShift shift(block);
  return std::any_of(all_.begin(), all_.end(), [&](const Entry& entry) {
    return entry.ethertype == 0 ? shift.applies_to(entry.bytes) : shift.applies_to(entry.ethertype, entry.bytes);
  });
}

}  // namespace sallyport::pktgen
