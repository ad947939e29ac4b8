#include "dataplane/stages/cut.h"

#include <cstring>

#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {

using namespace wire;

void cut_payload(Packet& packet, Parsed& parsed, std::uint32_t kept) noexcept {
  std::uint8_t* l3 = packet.data + parsed.l3_offset;
  std::uint8_t* l4 = packet.data + parsed.l4_offset;
  const std::uint8_t* payload = packet.data + parsed.payload_offset;
  const std::uint32_t cut = parsed.payload_bytes - kept;
  const std::uint32_t before = parsed.l4_bytes();
  Delta transport;
  transport.replace(fold(sum_words(payload, parsed.payload_bytes)), fold(sum_words(payload, kept)));
  transport.replace(Be16(static_cast<std::uint16_t>(before)).raw(),
                    Be16(static_cast<std::uint16_t>(before - cut)).raw());
  update(at<Tcp>(l4).checksum, transport);
  if (parsed.key.family == Family::v4) {
    auto& ip = at<Ipv4>(l3);
    const std::uint16_t old_length = ip.total_length.raw();
    ip.total_length = static_cast<std::uint16_t>(parsed.l3_bytes - cut);
    Delta header;
    header.replace(old_length, ip.total_length.raw());
    update(ip.checksum, header);
  } else {
    auto& ip = at<Ipv6>(l3);
    ip.payload_length = static_cast<std::uint16_t>(ip.payload_length.get() - cut);
  }
  packet.length = parsed.payload_offset + kept;
  parsed.l3_bytes -= cut;
  parsed.payload_bytes = kept;
}

bool copy_front(Core& core, const Packet& packet, const Parsed& parsed, std::uint32_t kept, Packet& front,
                Parsed& parsed_front) noexcept {
  Packet own;
  const std::uint32_t whole = parsed.payload_offset + parsed.payload_bytes;
  if (!core.world.allocate(whole, own)) return false;
  core.counters.originated.add();
  std::memcpy(own.data, packet.data, whole);
  front = packet;
  front.data = own.data;
  front.length = whole;
  front.headroom = own.headroom;
  front.buffer = own.buffer;
  front.weight = 0;
  front.reassembled = false;
  parsed_front = parsed;
  auto& tcp = at<Tcp>(front.data + parsed.l4_offset);
  std::uint16_t before, after;  // the word in which the flags are
  std::memcpy(&before, &tcp.offset, sizeof before);
  tcp.flags = static_cast<std::uint8_t>(tcp.flags & ~Tcp::fin);
  std::memcpy(&after, &tcp.offset, sizeof after);
  Delta flags;
  flags.replace(before, after);
  update(tcp.checksum, flags);
  parsed_front.tcp_flags = tcp.flags;
  cut_payload(front, parsed_front, kept);
  return true;
}

}  // namespace sallyport::dataplane
