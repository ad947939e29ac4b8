#include "pktgen/replay_source.h"

#include <algorithm>
#include <cstring>

#include "dataplane/io/generator_ports.h"
#include "dataplane/wire/headers.h"
#include "pktgen/frame_key.h"

namespace sallyport::pktgen {
namespace {

namespace wire = dataplane::wire;
using dataplane::GeneratorPorts;

}  // namespace

ReplaySource::ReplaySource(const ReplayOptions& options, const CapturedFrames& frames, const dataplane::MacAddress& own,
                           std::optional<dataplane::MacAddress> destination)
    : options_(options),
      frames_(frames.all()),
      own_(own),
      destination_(destination),
      pace_(options.rate, GeneratorPorts::cycles_per_second()),
      sent_(frames.all().size(), options.copies),
      cycles_a_nanosecond_(static_cast<double>(GeneratorPorts::cycles_per_second()) / 1e9) {
  if (options.shift) shift_.emplace(*options.shift);
}

std::optional<std::size_t> ReplaySource::due(std::uint64_t now_cycles, std::size_t most) {
  if (frames_.empty()) return std::nullopt;
  const std::size_t frames_a_loop = frames_.size() * options_.copies;
  if (next_ == frames_a_loop) {
    if (++loop_ == options_.loops) return std::nullopt;
    next_ = 0;
    loop_began_ = 0;
  }
  most = std::min(most, frames_a_loop - next_);
  return options_.own_pace ? due_by_time(now_cycles, most) : pace_.due(now_cycles, most);
}

std::size_t ReplaySource::due_by_time(std::uint64_t now_cycles, std::size_t most) {
  if (loop_began_ == 0) loop_began_ = now_cycles;
  const double elapsed_ns = static_cast<double>(now_cycles - loop_began_) / cycles_a_nanosecond_ * options_.speed;
  std::size_t due = 0;
  while (due < most && static_cast<double>(entry(next_ + due).time_ns) <= elapsed_ns) ++due;
  return due;
}

std::uint32_t ReplaySource::write(std::uint64_t now_cycles, std::uint8_t* bytes) {
  const std::size_t copy = next_ % options_.copies;
  const CapturedFrames::Entry& entry = this->entry(next_++);
  pace_.taken(1);
  const std::size_t head = entry.ethertype == 0 ? 0 : sizeof(wire::Ethernet);
  const std::size_t length = entry.frame_bytes();
  std::memcpy(bytes + head, entry.bytes.data(), entry.bytes.size());
  auto& ethernet = wire::at<wire::Ethernet>(bytes);
  if (head != 0) {
    ethernet.destination = destination_.value_or(dataplane::MacAddress{0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
    ethernet.source = own_;
    ethernet.type = entry.ethertype;
  } else if (destination_) {
    ethernet.destination = *destination_;
  }
  if (shift_ && copy != 0) shift_->apply({bytes, length}, copy);
  sent_.sent(frame_key({bytes, length}), now_cycles);
  return static_cast<std::uint32_t>(length);
}

// A far side that sends datagrams back shows that they have arrived, too.
Recognised ReplaySource::recognise(std::span<const std::uint8_t> frame, std::optional<std::uint64_t>& sent_cycles) {
  const Recognised found = sent_.received(frame_key(frame), sent_cycles);
  if (found != Recognised::foreign) return found;
  const std::optional<std::uint64_t> sent_back = key_of_what_was_sent_back(frame);
  return sent_back ? sent_.received(*sent_back, sent_cycles) : found;
}

}  // namespace sallyport::pktgen
