// How frames are known again: captured ones behind a translator, numbered ones in any order.
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/wire/headers.h"
#include "pktgen/frame_key.h"
#include "pktgen/sent_frames.h"
#include "pktgen/sequence_window.h"

namespace sallyport::pktgen {
namespace {

namespace wire = dataplane::wire;
using Bytes = std::vector<std::uint8_t>;

// What a translator writes anew stands apart from what it leaves.
struct Packet {
  std::uint8_t protocol = 6;
  std::uint8_t source = 5;  // 10.1.0.5
  std::uint16_t source_port = 1024;
  std::uint8_t destination = 7;  // 192.0.2.7
  std::uint16_t destination_port = 443;
  std::uint8_t ttl = 64;
  std::uint16_t identification = 1;
  std::uint32_t sequence = 1000;
  std::uint8_t flags = wire::Tcp::syn;
  std::uint16_t fragment = 0;
  const char* payload = "";

  [[nodiscard]] std::string_view content() const { return payload; }
};

constexpr std::array<std::uint8_t, 4> protocols = {1, 6, 17, 132};

std::size_t header_bytes(std::uint8_t protocol) {
  if (protocol == 6) return sizeof(wire::Tcp);
  if (protocol == 132) return sizeof(wire::Sctp);
  return sizeof(wire::Udp);
}

void write_ports(std::uint8_t* header, const Packet& packet) {
  auto& udp = wire::at<wire::Udp>(header);
  udp.source_port = packet.source_port;
  udp.destination_port = packet.destination_port;
  if (packet.protocol == 17) udp.length = static_cast<std::uint16_t>(sizeof udp + packet.content().size());
  if (packet.protocol != 6) return;
  auto& tcp = wire::at<wire::Tcp>(header);
  tcp.sequence = packet.sequence;
  tcp.offset = 0x50;
  tcp.flags = packet.flags;
}

Bytes frame_of(const Packet& packet) {
  const std::size_t header = header_bytes(packet.protocol);
  Bytes frame(sizeof(wire::Ethernet) + sizeof(wire::Ipv4) + header + packet.content().size());
  wire::at<wire::Ethernet>(frame.data()).type = wire::ethertype_ipv4;
  auto& ip = wire::at<wire::Ipv4>(frame.data() + sizeof(wire::Ethernet));
  ip.version_length = 0x45;
  ip.total_length = static_cast<std::uint16_t>(frame.size() - sizeof(wire::Ethernet));
  ip.identification = packet.identification;
  ip.fragment = packet.fragment;
  ip.ttl = packet.ttl;
  ip.protocol = packet.protocol;
  ip.source = {10, 1, 0, packet.source};
  ip.destination = {192, 0, 2, packet.destination};
  std::uint8_t* const behind = frame.data() + sizeof(wire::Ethernet) + sizeof ip;
  if (packet.protocol == 1) {
    auto& icmp = wire::at<wire::Icmp>(behind);
    icmp.type = wire::icmp_echo_request;
    icmp.identifier = packet.source_port;
    icmp.sequence = static_cast<std::uint16_t>(packet.sequence);
  } else {
    write_ports(behind, packet);
  }
  std::copy(packet.content().begin(), packet.content().end(), behind + header);
  return frame;
}

// As a gateway with one address of its own does it; a wire fills up what is short.
Bytes translated(Packet packet) {
  packet.source = 200;
  packet.source_port = 40'000;
  packet.ttl = 63;
  packet.identification = 777;
  Bytes frame = frame_of(packet);
  frame[0] = frame[6] = 2;
  const std::size_t checksum = packet.protocol == 1 ? 36 : packet.protocol == 6 ? 50 : packet.protocol == 17 ? 40 : 42;
  frame[24] = frame[checksum] = 0xab;
  frame.resize(std::max<std::size_t>(frame.size(), 60));
  return frame;
}

TEST(FrameKey, IsTheSameBehindATranslator) {
  for (const std::uint8_t protocol : protocols) {
    for (const char* payload : {"", "x", "a payload",
                                "a payload that is longer than what is looked at of it: in all it has "
                                "rather more than eighty bytes"}) {
      const Packet packet{.protocol = protocol, .payload = payload};
      EXPECT_EQ(frame_key(frame_of(packet)), frame_key(translated(packet))) << int{protocol} << ' ' << payload;
    }
  }
  const Packet later{.protocol = 17, .fragment = 185, .payload = "of a datagram"};
  Bytes there = frame_of(later);
  EXPECT_NE(frame_key(there), frame_key(frame_of({.protocol = 17, .fragment = 190, .payload = "of a datagram"})));
}

TEST(FrameKey, TellsWhatIsNotTheSame) {
  const Packet syn;
  const std::vector<Packet> others = {{.destination = 8},
                                      {.destination_port = 80},
                                      {.sequence = 1001},
                                      {.flags = wire::Tcp::syn | wire::Tcp::ack},
                                      {.flags = wire::Tcp::rst | wire::Tcp::ack},
                                      {.payload = "x"}};
  for (const Packet& other : others) EXPECT_NE(frame_key(frame_of(syn)), frame_key(frame_of(other)));
  const auto with = [](const std::string& payload) {
    return frame_key(frame_of({.protocol = 17, .payload = payload.c_str()}));
  };
  EXPECT_NE(with(std::string(100, 'x')), with(std::string(101, 'x')));
  EXPECT_NE(with(std::string(100, 'x')), with(std::string(99, 'x') + 'y'));
}

TEST(FrameKey, VlanTagsAndPaddingDoNotMatter) {
  Bytes tagged = frame_of({});
  const Bytes tag = {0x81, 0, 0, 5};
  tagged.insert(tagged.begin() + 12, tag.begin(), tag.end());
  EXPECT_EQ(frame_key(tagged), frame_key(frame_of({})));
  Bytes other(20, 0x33);  // no EtherType that is known
  const std::uint64_t key = frame_key(other);
  other.resize(60);
  EXPECT_EQ(frame_key(other), key);
  other[30] = 1;
  EXPECT_NE(frame_key(other), key);
}

TEST(FrameKey, OfIpv6LooksBehindExtensionHeaders) {
  Bytes frame(sizeof(wire::Ethernet) + sizeof(wire::Ipv6) + 8 + sizeof(wire::Udp));
  wire::at<wire::Ethernet>(frame.data()).type = wire::ethertype_ipv6;
  auto& ip = wire::at<wire::Ipv6>(frame.data() + 14);
  ip.payload_length = 16;
  ip.next_header = wire::next_destination;
  std::uint8_t* const extension = frame.data() + 54;
  extension[0] = 17;
  auto& udp = wire::at<wire::Udp>(frame.data() + 62);
  udp.destination_port = 9;
  udp.length = sizeof udp;
  const std::uint64_t key = frame_key(frame);
  udp.source_port = 777;
  EXPECT_EQ(frame_key(frame), key);
  udp.destination_port = 10;
  EXPECT_NE(frame_key(frame), key);
}

TEST(FrameKey, ADatagramSentBackIsKnownByItsSender) {
  const Packet there{.protocol = 17, .payload = "a question"};
  Bytes back = translated(there);
  auto& ip = wire::at<wire::Ipv4>(back.data() + 14);
  auto& udp = wire::at<wire::Udp>(back.data() + 34);
  std::swap(ip.source, ip.destination);
  std::swap(udp.source_port, udp.destination_port);
  EXPECT_NE(frame_key(back), frame_key(frame_of(there)));
  EXPECT_EQ(key_of_what_was_sent_back(back), frame_key(frame_of(there)));
  EXPECT_FALSE(key_of_what_was_sent_back(frame_of({})));
}

TEST(FrameKey, BrokenFramesAreReadNoFurtherThanTheyGo) {
  for (const std::uint8_t protocol : protocols) {
    const Bytes whole = frame_of({.protocol = protocol, .payload = "a payload"});
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
      const Bytes frame(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut));
      (void)frame_key(frame);
      (void)key_of_what_was_sent_back(frame);
    }
    for (std::size_t at = 12; at < whole.size(); ++at) {
      for (unsigned value = 0; value < 256; ++value) {
        Bytes frame = whole;
        frame[at] = static_cast<std::uint8_t>(value);
        (void)frame_key(frame);
      }
    }
  }
}

std::optional<std::uint64_t> since_when(SentFrames& frames, std::uint64_t key) {
  std::optional<std::uint64_t> cycles;
  EXPECT_EQ(frames.received(key, cycles), Recognised::ours);
  return cycles;
}
Recognised taken(SentFrames& frames, std::uint64_t key) {
  std::optional<std::uint64_t> cycles;
  return frames.received(key, cycles);
}

// A hundred SYN, and a kernel that answers each with a reset and forwards none.
TEST(SentFrames, AnswersOfOthersAreForeign) {
  SentFrames frames(100, 1);
  for (std::uint32_t i = 0; i < 100; ++i) frames.sent(frame_key(frame_of({.sequence = i})), i + 1);
  for (std::uint32_t i = 0; i < 100; ++i) {
    const Packet reset{.source = 7,
                       .source_port = 443,
                       .destination = 5,
                       .destination_port = 1024,
                       .sequence = 0,
                       .flags = wire::Tcp::rst | wire::Tcp::ack};
    EXPECT_EQ(taken(frames, frame_key(frame_of(reset))), Recognised::foreign);
  }
  for (std::uint32_t i = 0; i < 100; ++i) {
    EXPECT_EQ(taken(frames, frame_key(translated({.sequence = i}))), Recognised::ours);
  }
}

constexpr std::uint64_t one = 0x123456789abcdef0U;
constexpr std::uint64_t other = 0x223456789abcdef0U;

TEST(SentFrames, NoMoreComeBackThanWereSent) {
  SentFrames frames(10, 1);
  frames.sent(one, 100);
  frames.sent(one, 200);
  EXPECT_EQ(taken(frames, one), Recognised::ours);
  EXPECT_EQ(taken(frames, one), Recognised::ours);
  EXPECT_EQ(taken(frames, one), Recognised::repeated);
  EXPECT_EQ(taken(frames, other), Recognised::foreign);
}

TEST(SentFrames, WhatWasSentAgainMeanwhileIsNotTimed) {
  SentFrames frames(10, 1);
  frames.sent(one, 100);
  frames.sent(other, 150);
  EXPECT_EQ(since_when(frames, one), 100U);
  frames.sent(one, 200);
  EXPECT_EQ(since_when(frames, one), 200U) << "the first had come back";
  frames.sent(other, 300);
  EXPECT_EQ(since_when(frames, other), std::nullopt);
  EXPECT_EQ(since_when(frames, other), std::nullopt);
  frames.sent(other, 400);
  EXPECT_EQ(since_when(frames, other), 400U);
}

// As many as there is room for are told apart; beyond that they are counted.
TEST(SentFrames, AFullTableStillCounts) {
  constexpr std::uint64_t more = 100'000;
  SentFrames frames(1, 1);
  const auto key = [](std::uint64_t i) { return (i + 1) * 0x9e3779b97f4a7c15U; };
  for (std::uint64_t i = 0; i < more; ++i) frames.sent(key(i), i + 1);
  std::uint64_t ours = 0;
  for (std::uint64_t i = 0; i < more; ++i) ours += taken(frames, key(i)) == Recognised::ours ? 1U : 0U;
  EXPECT_EQ(ours, more);
  EXPECT_NE(taken(frames, key(0)), Recognised::ours);
  EXPECT_NE(taken(frames, key(more)), Recognised::ours);
}

TEST(SequenceWindow, EachNumberCountsOnce) {
  SequenceWindow window;
  EXPECT_EQ(window.take(0), Recognised::ours);
  EXPECT_EQ(window.take(1), Recognised::ours);
  EXPECT_EQ(window.take(1), Recognised::repeated);
  EXPECT_EQ(window.take(4), Recognised::ours);
  EXPECT_EQ(window.take(3), Recognised::late);
  EXPECT_EQ(window.take(3), Recognised::repeated);
  EXPECT_EQ(window.take(2), Recognised::late);
  EXPECT_EQ(window.take(0), Recognised::repeated);
  EXPECT_EQ(window.take(5), Recognised::ours);
}

TEST(SequenceWindow, GoesOnOverItsOwnEndAndThatOfTheNumbers) {
  SequenceWindow window;
  std::uint32_t number = 0;
  for (std::uint64_t step = 0; step < 140; ++step, number += SequenceWindow::packets / 2) {
    EXPECT_EQ(window.take(number), Recognised::ours) << step;
    EXPECT_EQ(window.take(number), Recognised::repeated) << step;
    EXPECT_EQ(window.take(number - 1), Recognised::late) << step;
  }
  EXPECT_EQ(window.take(number - 2 * SequenceWindow::packets), Recognised::repeated) << "too old to tell";
  EXPECT_EQ(window.take(number + SequenceWindow::packets), Recognised::ours);
  EXPECT_EQ(window.take(number + 1), Recognised::late) << "nothing of the time before is left";
}

}  // namespace
}  // namespace sallyport::pktgen
