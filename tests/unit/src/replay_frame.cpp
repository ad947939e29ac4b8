#include "src/replay_frame.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "src/replay_world.h"
#include "tests/unit/src/packet_builder.h"

namespace sallyport {
namespace {

using dataplane::wire::Tcp;

constexpr std::uint32_t raw_ip = 101;

// What comes of one frame. Empty: refused.
struct Loaded {
  std::string frame;
  std::set<std::uint32_t> unknown;
};

Loaded load(FrameLoader loader, std::uint32_t link_type, const std::string& bytes, std::uint32_t original = 0) {
  ReplayBuffers buffers;
  dataplane::Packet packet;
  EXPECT_TRUE(buffers.take(packet));
  CapturedFrame frame;
  frame.link_type = link_type;
  frame.original_length = std::max<std::uint32_t>(original, static_cast<std::uint32_t>(bytes.size()));
  frame.data = {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
  Loaded loaded;
  if (loader.load(frame, packet)) loaded.frame.assign(reinterpret_cast<const char*>(packet.data), packet.length);
  loaded.unknown = loader.unknown_link_types();
  return loaded;
}

FrameLoader plain() { return {false, {}}; }
FrameLoader looking_inside() { return {true, {}}; }

const std::string segment = tcp_packet("10.1.2.3", 41000, "198.51.100.7", 443, Tcp::ack, "data!");
const std::string segment6 = tcp_packet("fd00::3", 41000, "2001:db8::7", 443, Tcp::ack, "data!");

TEST(ReplayFrame, EthernetStaysAsItIs) {
  for (const std::string& frame :
       {ethernet_frame(segment), ethernet_frame(segment6) + "trailer", std::string("short")}) {
    EXPECT_EQ(load(plain(), 1, frame).frame, frame);
    EXPECT_EQ(load(looking_inside(), 1, frame).frame, frame);
  }
}

TEST(ReplayFrame, OtherLinkLayersGetAHeaderOfOurs) {
  const std::string macs("\x02\0\0\0\0\x02\x02\0\0\0\0\x01", 12);
  EXPECT_EQ(load(plain(), raw_ip, segment).frame, macs + big_endian(0x0800) + segment);
  EXPECT_EQ(load(plain(), raw_ip, segment6).frame, macs + big_endian(0x86dd) + segment6);
  EXPECT_EQ(load(plain(), raw_ip, segment + "trailer").frame, macs + big_endian(0x0800) + segment);
  EXPECT_EQ(load({false, {7}}, raw_ip, segment).frame,
            macs + big_endian(0x8100) + big_endian(7) + big_endian(0x0800) + segment);
  EXPECT_EQ(
      load({false, {7, 100}}, raw_ip, segment).frame,
      macs + big_endian(0x88a8) + big_endian(100) + big_endian(0x8100) + big_endian(7) + big_endian(0x0800) + segment);
}

TEST(ReplayFrame, TunnelsAreOpenedWhereAskedFor) {
  std::string outer = ip_packet("192.0.2.1", "192.0.2.2", static_cast<IpProtocol>(4), segment, 0);
  outer.replace(20, segment.size(), segment);  // ip_packet() has put a checksum into it
  EXPECT_EQ(load(looking_inside(), 1, ethernet_frame(outer)).frame.substr(12), big_endian(0x0800) + segment);
  EXPECT_EQ(load(plain(), 1, ethernet_frame(outer)).frame, ethernet_frame(outer));
}

TEST(ReplayFrame, WhatWasCutOffIsZero) {
  const std::string frame = ethernet_frame(segment);
  const auto cut = load(looking_inside(), 1, frame.substr(0, 40), static_cast<std::uint32_t>(frame.size())).frame;
  EXPECT_EQ(cut, frame.substr(0, 40) + std::string(frame.size() - 40, '\0'));
  EXPECT_EQ(load(plain(), 1, "x", 0xffffffff).frame.size(), ReplayBuffers::frame_bytes_max);
}

TEST(ReplayFrame, FramesBeyondEveryIpPacketAreCut) {
  EXPECT_EQ(load(plain(), 1, std::string(100'000, 'x')).frame.size(), ReplayBuffers::frame_bytes_max);
  EXPECT_EQ(load(looking_inside(), raw_ip, segment.substr(0, 20) + std::string(100'000, 'x')).frame.size(),
            14 + segment.size());
}

TEST(ReplayFrame, LengthsLeftToTheDeviceAreMended) {
  for (const std::string& ip : {tcp_packet("10.1.2.3", 1, "198.51.100.7", 2, Tcp::ack, std::string(5000, 'd')),
                                tcp_packet("fd00::3", 1, "2001:db8::7", 2, Tcp::ack, std::string(5000, 'd'))}) {
    std::string without = ip;
    const std::size_t at = ip[0] == '\x45' ? 2 : 4;
    without[at] = without[at + 1] = '\0';
    EXPECT_EQ(load(looking_inside(), 1, ethernet_frame(without)).frame, ethernet_frame(ip));
    EXPECT_EQ(load(looking_inside(), raw_ip, without).frame.substr(14), ip);
    EXPECT_EQ(load(plain(), 1, ethernet_frame(without)).frame, ethernet_frame(without)) << "a wire has no such packets";
  }
}

TEST(ReplayFrame, RefusesWhatIsNeitherEthernetNorIp) {
  EXPECT_EQ(load(plain(), raw_ip, "\x50").frame, "");
  EXPECT_EQ(load(looking_inside(), 9, std::string("\xff\x03\xc0\x21", 4)).frame, "") << "LCP";
  EXPECT_TRUE(load(plain(), raw_ip, "\x50").unknown.empty());
  EXPECT_EQ(load(plain(), 127, segment).unknown, std::set<std::uint32_t>{127});
}

TEST(ReplayBuffers, AreHandedOutLastInFirstOut) {
  ReplayBuffers buffers;
  dataplane::Packet first;
  dataplane::Packet second;
  ASSERT_TRUE(buffers.take(first) && buffers.take(second));
  EXPECT_NE(first.data, second.data);
  first.data[ReplayBuffers::frame_bytes_max - 1] = 1;
  buffers.give_back(first);
  buffers.give_back(second);
  dataplane::Packet again;
  ASSERT_TRUE(buffers.take(again));
  EXPECT_EQ(again.data, second.data);
  ASSERT_TRUE(buffers.take(again));
  EXPECT_EQ(again.data, first.data);
  EXPECT_EQ(again.headroom, ReplayBuffers::headroom);
}

}  // namespace
}  // namespace sallyport
