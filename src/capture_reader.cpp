#include "src/capture_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include <fmt/format.h>

namespace sallyport {
namespace {

constexpr std::size_t pcap_head_bytes = 24;
constexpr std::size_t pcap_record_bytes = 16;
constexpr std::uint32_t pcap_magic_us = 0xa1b2c3d4;
constexpr std::uint32_t pcap_magic_ns = 0xa1b23c4d;

constexpr std::uint32_t block_section = 0x0a0d0d0a;
constexpr std::uint32_t block_interface = 1;
constexpr std::uint32_t block_packet_old = 2;
constexpr std::uint32_t block_packet_simple = 3;
constexpr std::uint32_t block_packet = 6;
constexpr std::uint32_t byte_order_magic = 0x1a2b3c4d;
constexpr std::size_t block_frame_bytes = 12;  // type, length, length again
constexpr std::size_t interfaces_max = 65536;

constexpr std::uint64_t ns_per_second = 1'000'000'000;
__extension__ using Wide = unsigned __int128;

// Ticks of a clock of `resolution` (if_tsresol) as nanoseconds; what does not fit is cut to the range.
std::uint64_t to_nanoseconds(std::uint64_t ticks, std::uint8_t resolution, std::int64_t offset_seconds) noexcept {
  Wide ns = Wide{ticks} * ns_per_second;
  const unsigned exponent = resolution & 0x7fU;
  if ((resolution & 0x80U) != 0) {
    ns >>= exponent;
  } else {
    for (unsigned i = 0; i < exponent && ns != 0; ++i) ns /= 10;
  }
  const bool back = offset_seconds < 0;
  const auto magnitude =
      back ? ~static_cast<std::uint64_t>(offset_seconds) + 1 : static_cast<std::uint64_t>(offset_seconds);
  const Wide offset = Wide{magnitude} * ns_per_second;
  ns = !back ? ns + offset : ns > offset ? ns - offset : 0;
  return static_cast<std::uint64_t>(std::min(ns, Wide{std::numeric_limits<std::uint64_t>::max()}));
}

std::uint32_t raw_u32(const std::uint8_t* at) noexcept {
  std::uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

}  // namespace

CaptureReader::CaptureReader(const std::string& path) : path_(path) {
  if (!file_.open(path)) {
    error_ = {CaptureError::Kind::unreadable, fmt::format("{}: {}", path, std::strerror(errno))};
    return;
  }
  bytes_ = file_.bytes();
  if (bytes_.size() >= 4 && raw_u32(bytes_.data()) == block_section) {
    format_ = Format::pcapng;
    if (!read_section(bytes_.size())) return;
  } else {
    read_pcap_head();
  }
}

bool CaptureReader::next(CapturedFrame& frame) {
  if (error_) return false;
  return format_ == Format::pcap ? next_pcap(frame) : next_pcapng(frame);
}

bool CaptureReader::fail(std::size_t offset, const std::string& what) {
  error_ = {CaptureError::Kind::malformed, fmt::format("{}: offset {}: {}", path_, offset, what)};
  return false;
}

std::uint16_t CaptureReader::u16(const std::uint8_t* at) const noexcept {
  std::uint16_t value;
  std::memcpy(&value, at, sizeof value);
  return swapped_ ? __builtin_bswap16(value) : value;
}

std::uint32_t CaptureReader::u32(const std::uint8_t* at) const noexcept {
  const std::uint32_t value = raw_u32(at);
  return swapped_ ? __builtin_bswap32(value) : value;
}

// A walk over the lengths alone.
std::uint64_t CaptureReader::count_frames() const noexcept {
  const bool is_pcap = format_ == Format::pcap;
  const std::size_t head = is_pcap ? pcap_record_bytes : block_frame_bytes;
  bool swapped = swapped_;
  const auto number = [&](std::size_t at) {
    const std::uint32_t value = raw_u32(bytes_.data() + at);
    return swapped ? __builtin_bswap32(value) : value;
  };
  std::uint64_t count = 0;
  for (std::size_t at = offset_; at + head <= bytes_.size();) {
    std::size_t length = 0;
    if (is_pcap) {
      length = head + number(at + 8);
      ++count;
    } else {
      if (number(at) == block_section) swapped = raw_u32(bytes_.data() + at + 8) != byte_order_magic;
      const std::uint32_t type = number(at);
      length = number(at + 4);
      if (length < head) break;
      if (type == block_packet || type == block_packet_old || type == block_packet_simple) ++count;
    }
    if (length > bytes_.size() - at) break;
    at += length;
  }
  return count;
}

void CaptureReader::read_pcap_head() {
  if (bytes_.size() < pcap_head_bytes) {
    fail(0, fmt::format("no capture: {} bytes, expected a pcap or pcapng file", bytes_.size()));
    return;
  }
  const std::uint32_t magic = raw_u32(bytes_.data());
  const std::uint32_t turned = __builtin_bswap32(magic);
  swapped_ = turned == pcap_magic_us || turned == pcap_magic_ns;
  const std::uint32_t known = swapped_ ? turned : magic;
  if (known != pcap_magic_us && known != pcap_magic_ns) {
    fail(0, fmt::format("no capture: begins with {:08x}, expected a pcap or pcapng file", turned));
    return;
  }
  fraction_ns_ = known == pcap_magic_ns ? 1 : 1000;
  link_type_ = u32(bytes_.data() + 20) & 0xffffU;  // above: the length of a frame check sequence
  offset_ = pcap_head_bytes;
}

bool CaptureReader::next_pcap(CapturedFrame& frame) {
  const std::size_t left = bytes_.size() - offset_;
  if (left == 0) return false;
  if (left < pcap_record_bytes)
    return fail(offset_, fmt::format("the file ends inside a record's head, {} bytes left", left));
  const std::uint8_t* record = bytes_.data() + offset_;
  const std::uint32_t captured = u32(record + 8);
  if (captured > left - pcap_record_bytes) {
    return fail(offset_, fmt::format("a record of {} bytes, but {} are left", captured, left - pcap_record_bytes));
  }
  frame.timed = true;
  frame.time_ns = u32(record) * ns_per_second + std::uint64_t{u32(record + 4)} * fraction_ns_;
  frame.link_type = link_type_;
  frame.original_length = std::max(u32(record + 12), captured);
  frame.data = bytes_.subspan(offset_ + pcap_record_bytes, captured);
  offset_ += pcap_record_bytes + captured;
  fetch_ahead();
  return true;
}

// Where the next record begins says this one's head, so that its head would be waited for each time: memory is fetched
// in a line, whatever stands in it.
void CaptureReader::fetch_ahead() noexcept {
  constexpr std::size_t ahead_bytes = 8192, line_bytes = 64;
  const std::size_t end = std::min(offset_ + ahead_bytes, bytes_.size());
  for (fetched_ = std::max(fetched_, offset_); fetched_ < end; fetched_ += line_bytes)
    __builtin_prefetch(bytes_.data() + fetched_);
}

bool CaptureReader::next_pcapng(CapturedFrame& frame) {
  Block block;
  while (next_block(block)) {
    switch (block.type) {
      case block_interface:
        if (!read_interface(block)) return false;
        break;
      case block_packet:
      case block_packet_old:
        return read_packet(block, frame);
      case block_packet_simple:
        return read_simple_packet(block, frame);
      default:
        break;  // names, statistics, secrets, comments
    }
  }
  return false;
}

bool CaptureReader::next_block(Block& block) {
  const std::size_t left = bytes_.size() - offset_;
  if (left == 0) return false;
  if (left < block_frame_bytes)
    return fail(offset_, fmt::format("the file ends inside a block's head, {} bytes left", left));
  if (raw_u32(bytes_.data() + offset_) == block_section && !read_section(left)) return false;
  const std::uint8_t* start = bytes_.data() + offset_;
  const std::uint32_t length = u32(start + 4);
  if (length < block_frame_bytes || length % 4 != 0)
    return fail(offset_, fmt::format("a block cannot be {} bytes long", length));
  if (length > left) return fail(offset_, fmt::format("a block of {} bytes, but {} are left", length, left));
  if (u32(start + length - 4) != length) {
    return fail(offset_, fmt::format("the block begins as {} bytes and ends as {}", length, u32(start + length - 4)));
  }
  block = {offset_, u32(start), {start + 8, length - block_frame_bytes}};
  offset_ += length;
  fetch_ahead();
  return true;
}

// The head of a section says in which byte order the rest of it is; interfaces are numbered anew.
bool CaptureReader::read_section(std::size_t left) {
  constexpr std::size_t section_bytes = 28;
  if (left < section_bytes)
    return fail(offset_, fmt::format("the file ends inside a section's head, {} bytes left", left));
  const std::uint32_t order = raw_u32(bytes_.data() + offset_ + 8);
  if (order != byte_order_magic && order != __builtin_bswap32(byte_order_magic)) {
    return fail(offset_, "a section without byte-order magic");
  }
  swapped_ = order != byte_order_magic;
  const std::uint16_t major = u16(bytes_.data() + offset_ + 12);
  if (major != 1) return fail(offset_, fmt::format("pcapng version {}, expected 1", major));
  interfaces_.clear();
  return true;
}

bool CaptureReader::read_interface(const Block& block) {
  constexpr std::size_t fixed_bytes = 8;
  constexpr std::uint16_t option_end = 0, option_resolution = 9, option_time_offset = 14;
  if (block.body.size() < fixed_bytes) return fail(block.offset, "an interface block without content");
  if (interfaces_.size() == interfaces_max) return fail(block.offset, "more than 65536 interfaces in a section");
  Interface added;
  added.link_type = u16(block.body.data());
  added.snap_length = u32(block.body.data() + 4);
  for (auto rest = block.body.subspan(fixed_bytes); rest.size() >= 4;) {
    const std::uint16_t code = u16(rest.data());
    const std::size_t length = u16(rest.data() + 2);
    if (code == option_end) break;
    if (length > rest.size() - 4) return fail(block.offset, "an interface option runs past its block");
    const std::uint8_t* value = rest.data() + 4;
    if (code == option_resolution && length == 1) added.resolution = *value;
    if (code == option_time_offset && length == 8) {
      const std::uint64_t low = u32(value + (swapped_ ? 4 : 0));
      const std::uint64_t high = u32(value + (swapped_ ? 0 : 4));
      added.offset_seconds = static_cast<std::int64_t>(high << 32U | low);
    }
    rest = rest.subspan(std::min(rest.size(), 4 + (length + 3) / 4 * 4));
  }
  interfaces_.push_back(added);
  return true;
}

// Enhanced and old packet blocks differ in how the interface is written.
bool CaptureReader::read_packet(const Block& block, CapturedFrame& frame) {
  constexpr std::size_t fixed_bytes = 20;
  if (block.body.size() < fixed_bytes) return fail(block.offset, "a packet block without content");
  const std::uint8_t* body = block.body.data();
  const std::uint32_t interface = block.type == block_packet_old ? u16(body) : u32(body);
  if (interface >= interfaces_.size())
    return fail(block.offset, fmt::format("a packet of interface {}, which is not declared", interface));
  const std::uint32_t captured = u32(body + 12);
  if (captured > block.body.size() - fixed_bytes) {
    return fail(block.offset, fmt::format("a packet of {} bytes in a block of {}", captured, block.body.size()));
  }
  const Interface& from = interfaces_[interface];
  const std::uint64_t ticks = std::uint64_t{u32(body + 4)} << 32U | u32(body + 8);
  frame.timed = true;
  frame.time_ns = last_time_ns_ = to_nanoseconds(ticks, from.resolution, from.offset_seconds);
  frame.link_type = from.link_type;
  frame.original_length = std::max(u32(body + 16), captured);
  frame.data = block.body.subspan(fixed_bytes, captured);
  return true;
}

bool CaptureReader::read_simple_packet(const Block& block, CapturedFrame& frame) {
  constexpr std::size_t fixed_bytes = 4;
  if (interfaces_.empty()) return fail(block.offset, "a packet before any interface");
  if (block.body.size() < fixed_bytes) return fail(block.offset, "a packet block without content");
  const Interface& from = interfaces_.front();
  const std::uint32_t original = u32(block.body.data());
  std::size_t captured = std::min<std::size_t>(original, block.body.size() - fixed_bytes);
  if (from.snap_length != 0) captured = std::min<std::size_t>(captured, from.snap_length);
  frame.timed = false;
  frame.time_ns = last_time_ns_;
  frame.link_type = from.link_type;
  frame.original_length = original;
  frame.data = block.body.subspan(fixed_bytes, captured);
  return true;
}

}  // namespace sallyport
