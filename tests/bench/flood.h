// Packets of a flood: each opens another flow, no two alike.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "dataplane/packet.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"
#include "tests/unit/classifier/names_hello_builder.h"
#include "tests/unit/dataplane/packet_maker.h"

namespace sallyport::dataplane::bench {

class Flood {
 public:
  enum class Of : std::uint8_t { udp, syns, hellos };  // the whole hello in the SYN, each with another name

  explicit Flood(Of what) : frame_(made(what)) {
    const auto at = std::search(frame_.begin(), frame_.end(), digits.begin(), digits.end());
    if (at != frame_.end()) name_at_ = static_cast<std::size_t>(at - frame_.begin());
  }

  [[nodiscard]] std::size_t bytes() const { return frame_.size(); }
  // The next one instead of what lies there; the buffer has room for bytes().
  void put_into(Packet& packet) {
    constexpr std::uint32_t inside = 0x0a000000U, outside = 0x2e000000U, of_a_network = 0x00ffffffU;
    const std::uint32_t number = next_++ * 2654435761U;  // each one once
    auto& ip = wire::at<wire::Ipv4>(frame_.data() + sizeof(wire::Ethernet));
    put(ip.source, inside | (number & of_a_network));
    put(ip.destination, outside | (number * 2246822519U & of_a_network));
    ip.checksum.set_raw(0);
    ip.checksum.set_raw(
        static_cast<std::uint16_t>(~wire::fold(wire::sum_plain_ipv4(frame_.data() + sizeof(wire::Ethernet)))));
    const auto port = static_cast<std::uint16_t>(number >> 16U | 1024U);
    std::memcpy(frame_.data() + sizeof(wire::Ethernet) + sizeof(wire::Ipv4), &port, sizeof port);
    for (std::size_t i = 0; name_at_ != 0 && i < digits.size(); ++i) {
      frame_[name_at_ + i] = static_cast<std::uint8_t>('a' + (number >> 4U * i & 0xfU));
    }
    std::memcpy(packet.data, frame_.data(), frame_.size());
    packet.length = static_cast<std::uint32_t>(frame_.size());
  }

 private:
  static inline const std::string digits = "00000000";

  static void put(std::array<std::uint8_t, 4>& to, std::uint32_t address) {
    const std::uint32_t raw = __builtin_bswap32(address);
    std::memcpy(to.data(), &raw, sizeof raw);
  }
  static test::Frame made(Of what) {
    const test::End client("10.0.0.1", 1024);
    if (what == Of::udp) return test::udp(client, {"46.0.0.1", 4433}, test::Frame(18, 'x'));
    test::Frame hello;
    if (what == Of::hellos)
      hello = classifier::names::record(classifier::names::browser_hello(digits + ".flood.example", 32).message());
    return test::tcp(client, {"46.0.0.1", 443}, wire::Tcp::syn, {.seq = 1000, .payload = hello});
  }

  test::Frame frame_;
  std::size_t name_at_ = 0;  // 0: it has none
  std::uint32_t next_ = 0;
};

}  // namespace sallyport::dataplane::bench
