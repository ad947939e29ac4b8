#include "src/replay_frame.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/wire/decapsulate.h"
#include "dataplane/wire/headers.h"
#include "src/capture_link.h"
#include "src/replay_world.h"

namespace sallyport {
namespace {

using namespace dataplane::wire;
using Bytes = std::span<const std::uint8_t>;

constexpr std::array<std::uint8_t, 12> macs = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
constexpr std::size_t longest_unmended = 1500;

Bytes cut(Bytes bytes) noexcept {
  return bytes.first(std::min<std::size_t>(bytes.size(), ReplayBuffers::frame_bytes_max));
}

void put(Bytes bytes, dataplane::Packet& packet) noexcept {
  std::memmove(packet.data, bytes.data(), bytes.size());
  packet.length = static_cast<std::uint32_t>(bytes.size());
}

// The packet without what a link layer or an outer packet has put behind it; where its length makes no sense, all.
Bytes without_trailer(Bytes ip, std::uint16_t ethertype) noexcept {
  const bool v4 = ethertype == ethertype_ipv4;
  const std::size_t header = v4 ? sizeof(Ipv4) : sizeof(Ipv6);
  if (ip.size() < header) return ip;
  const std::size_t length = v4 ? at<Ipv4>(ip.data()).total_length.get() : at<Ipv6>(ip.data()).payload_length.get();
  const std::size_t total = v4 ? length : header + length;
  return length != 0 && total >= header && total < ip.size() ? ip.first(total) : ip;
}

// Captured on the sending machine before its device cut the segments, the length may still be missing.
void mend_missing_length(std::uint8_t* ip, std::size_t bytes, std::uint16_t ethertype) noexcept {
  constexpr std::uint8_t protocol_tcp = 6;
  if (bytes <= longest_unmended) return;
  const auto length = [](std::size_t value) { return static_cast<std::uint16_t>(std::min<std::size_t>(value, 65535)); };
  if (ethertype == ethertype_ipv4) {
    auto& header = at<Ipv4>(ip);
    if (header.total_length.get() == 0 && header.protocol == protocol_tcp) header.total_length = length(bytes);
  } else {
    auto& header = at<Ipv6>(ip);
    if (header.payload_length.get() == 0 && header.next_header == protocol_tcp) {
      header.payload_length = length(bytes - sizeof(Ipv6));
    }
  }
}

}  // namespace

Bytes FrameLoader::whole(const CapturedFrame& frame) {
  if (frame.original_length <= frame.data.size()) return cut(frame.data);
  filled_.assign(std::min<std::size_t>(frame.original_length, ReplayBuffers::frame_bytes_max), 0);
  std::memcpy(filled_.data(), frame.data.data(), std::min(frame.data.size(), filled_.size()));
  return filled_;
}

bool FrameLoader::load(const CapturedFrame& frame, dataplane::Packet& packet) {
  const auto payload = find_link_payload(frame.link_type, frame.data);
  if (!payload) {
    if (!is_known_link_type(frame.link_type)) unknown_link_types_.insert(frame.link_type);
    return false;
  }
  const Bytes bytes = whole(frame);
  const bool is_ethernet = payload->ethertype == ethertype_ethernet && payload->offset == 0;
  if (is_ethernet && !tunnels_) {
    put(bytes, packet);
    return true;
  }
  const Bytes network = bytes.subspan(std::min<std::size_t>(payload->offset, bytes.size()));
  if (!tunnels_) {
    if (payload->ethertype != ethertype_ipv4 && payload->ethertype != ethertype_ipv6) return false;
    put_behind_header(network, payload->ethertype, packet);
    return true;
  }
  const auto innermost = find_innermost_ip(network, payload->ethertype);
  if (!innermost && !is_ethernet) return false;
  if (is_ethernet && (!innermost || !innermost->tunnelled)) {
    put(bytes, packet);
    if (innermost)
      mend_missing_length(packet.data + innermost->offset, packet.length - innermost->offset, innermost->ethertype);
  } else {
    put_behind_header(network.subspan(innermost->offset), innermost->ethertype, packet);
  }
  return true;
}

bool FrameLoader::unwrap(dataplane::Packet& packet) const {
  const Bytes bytes(packet.data, packet.length);
  const auto innermost = find_innermost_ip(bytes, ethertype_ethernet);
  if (!innermost || !innermost->tunnelled) return false;
  put_behind_header(bytes.subspan(innermost->offset), innermost->ethertype, packet);
  return true;
}

void FrameLoader::put_behind_header(Bytes ip, std::uint16_t ethertype, dataplane::Packet& packet) const {
  ip = without_trailer(ip, ethertype);
  const std::size_t header = sizeof(Ethernet) + vlan_.bytes();
  ip = ip.first(std::min<std::size_t>(ip.size(), ReplayBuffers::frame_bytes_max - header));
  std::memmove(packet.data + header, ip.data(), ip.size());
  std::copy(macs.begin(), macs.end(), packet.data);
  put_type(packet.data, vlan_, ethertype);
  packet.length = static_cast<std::uint32_t>(header + ip.size());
  mend_missing_length(packet.data + header, ip.size(), ethertype);
}

}  // namespace sallyport
