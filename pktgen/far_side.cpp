#include "pktgen/far_side.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "dataplane/wire/headers.h"
#include "pktgen/client_hellos.h"
#include "pktgen/mixed.h"
#include "pktgen/tcp_segment.h"

namespace sallyport::pktgen {
namespace {

namespace wire = dataplane::wire;
using dataplane::MacAddress;
using dataplane::Packet;

// An address and port that stay when the frame they were read from is written over.
struct KeptEndpoint {
  explicit KeptEndpoint(const TcpEndpoint& end) noexcept : bytes(end.address.size()), port(end.port) {
    std::copy(end.address.begin(), end.address.end(), address.begin());
  }
  [[nodiscard]] TcpEndpoint get() const noexcept { return {std::span(address).first(bytes), port}; }

  std::array<std::uint8_t, 16> address{};
  std::size_t bytes;
  std::uint16_t port;
};

std::uint32_t first_sequence(const TcpSegment& segment) noexcept {
  std::uint64_t hash = std::uint64_t{segment.from.port} << 16U | segment.to.port;
  for (const std::uint8_t byte : segment.from.address) hash = mixed(hash ^ byte);
  return static_cast<std::uint32_t>(hash);
}

void turn_round(std::uint8_t* frame, const MacAddress& own) noexcept {
  auto& ethernet = wire::at<wire::Ethernet>(frame);
  ethernet.destination = ethernet.source;
  ethernet.source = own;
}

// What answers the segment; no flags: nothing.
TcpWords answering(const TcpSegment& segment) noexcept {
  TcpWords words{segment.words.acknowledgment, segment.next_sequence(), 0};
  const std::uint8_t flags = segment.words.flags;
  if ((flags & wire::Tcp::rst) != 0) return words;
  if ((flags & wire::Tcp::syn) != 0) {
    if ((flags & wire::Tcp::ack) != 0) return words;
    words.sequence = first_sequence(segment);
    words.flags = wire::Tcp::syn | wire::Tcp::ack;
  } else if ((flags & wire::Tcp::fin) != 0) {
    words.flags = wire::Tcp::fin | wire::Tcp::ack;
  } else if ((flags & wire::Tcp::psh) != 0 && segment.payload_bytes != 0) {
    words.flags = wire::Tcp::psh | wire::Tcp::ack;
  }
  return words;
}

}  // namespace

FarSide::FarSide(const IpAddress& address, std::uint16_t port, std::uint16_t mtu)
    : address_(address), port_(port), mtu_(mtu), hello_(server_hello()) {}

FarSide::FarSide(std::uint16_t mtu) : mtu_(mtu), hello_(server_hello()) {}

bool FarSide::answer(Packet& frame, const MacAddress& own) noexcept {
  if (!answer_segment(frame, own) && (address_ || !send_back(frame, own))) return false;
  ++answered_;
  return true;
}

bool FarSide::answer_segment(Packet& frame, const MacAddress& own) noexcept {
  const std::span<std::uint8_t> bytes(frame.data, frame.length);
  const std::optional<Transport> found = find_transport(bytes);
  const std::optional<TcpSegment> segment = read_tcp(bytes);
  if (!segment) return false;
  if (address_) {
    const bool ours = segment->to.port == port_ && segment->to.address.size() == address_bytes(address_->family) &&
                      std::equal(segment->to.address.begin(), segment->to.address.end(), address_->bytes.begin());
    if (!ours) return false;
  }
  const TcpWords words = answering(*segment);
  if (words.flags == 0) return false;
  const KeptEndpoint client(segment->from);
  const KeptEndpoint server(segment->to);
  const std::size_t payload = words.flags == (wire::Tcp::psh | wire::Tcp::ack) ? hello_.size() : 0;
  std::memcpy(frame.data + tcp_payload_offset(found->ip, found->family, words.flags), hello_.data(), payload);
  turn_round(frame.data, own);
  const auto headers = static_cast<std::uint16_t>(tcp_payload_offset(0, found->family, 0));
  frame.length = write_tcp(frame.data, found->ip, server.get(), client.get(), words, payload,
                           static_cast<std::uint16_t>(mtu_ - headers));
  return true;
}

// Addresses and ports change places: no checksum notices.
bool FarSide::send_back(Packet& frame, const MacAddress& own) noexcept {
  const std::optional<Transport> found = find_transport({frame.data, frame.length});
  if (!found || found->protocol != protocol_udp) return false;
  turn_round(frame.data, own);
  std::uint8_t* const packet = frame.data + found->ip;
  if (found->family == Family::v4) {
    auto& ip = wire::at<wire::Ipv4>(packet);
    std::swap(ip.source, ip.destination);
  } else {
    auto& ip = wire::at<wire::Ipv6>(packet);
    std::swap(ip.source, ip.destination);
  }
  auto& udp = wire::at<wire::Udp>(frame.data + found->header);
  std::swap(udp.source_port, udp.destination_port);
  return true;
}

}  // namespace sallyport::pktgen
