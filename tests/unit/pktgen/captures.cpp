// What is taken of a capture, and what is said of it before anything is sent.
#include <string>

#include <gtest/gtest.h>

#include "pktgen/capture_check.h"
#include "pktgen/captured_frames.h"
#include "tests/unit/src/capture_builder.h"

namespace sallyport::pktgen {
namespace {

using namespace std::string_literals;

constexpr std::uint32_t magic = 0xa1b2c3d4;
constexpr std::uint16_t raw_ip = 101;
constexpr std::uint16_t cooked = 113;

// An IPv4 packet from 10.1.0.1 to 192.0.2.1 without content.
const std::string packet = "\x45\0\0\x14\0\0\0\0\x40\x11\0\0\x0a\x01\0\x01\xc0\0\x02\x01"s;
const std::string macs(12, '\x02');
const std::string frame = macs + "\x08\x00"s + packet;
const std::string arp = macs + "\x08\x06"s + std::string(28, '\0');
// An IPv6 packet that begins so behind its fixed header.
std::string ipv6(char next_header, char first) {
  return "\x60\0\0\0\0\x08"s + next_header + '\x40' + std::string(32, '\x20') + first + std::string(7, '\0');
}

TEST(CapturedFrames, WhatEndsAtTheNextHopIsSkipped) {
  CaptureBuilder file;
  file.pcap_head(magic, 1).pcap_record(1, 0, arp).pcap_record(9, 0, frame);
  file.pcap_record(9, 0, macs + "\x86\xdd"s + ipv6(58, '\x87'));        // a neighbour solicitation
  file.pcap_record(9, 0, macs + "\x86\xdd"s + ipv6('\0', '\x3a'));      // a listener report behind a hop-by-hop header
  file.pcap_record(9, 500'000, macs + "\x86\xdd"s + ipv6(58, '\x80'));  // an echo
  const TemporaryFile capture(file.bytes());
  const CapturedFrames frames(capture.path());
  EXPECT_EQ(frames.all().size(), 2U);
  EXPECT_EQ(frames.control(), 3U);
  EXPECT_EQ(frames.skipped(), 0U);
  EXPECT_EQ(frames.duration_ns(), 500'000'000U) << "from the first that is sent";
}

TEST(CapturedFrames, OtherLinkLayersToo) {
  CaptureBuilder file;
  file.section().interface(raw_ip).interface(cooked).interface(105).interface(1);
  file.packet(0, 5, packet).packet(0, 5, ipv6(58, '\x88'));
  file.packet(1, 5, std::string(14, 'c') + "\x08\x06"s + std::string(28, '\0'));
  file.packet(2, 5, "of IEEE 802.11").packet(3, 5, "too short").packet(3, 5, frame + std::string(2000, 'x'));
  const TemporaryFile capture(file.bytes());
  CapturedFrames frames(capture.path());
  EXPECT_EQ(frames.control(), 2U);
  EXPECT_EQ(frames.skipped(), 2U);
  ASSERT_EQ(frames.all().size(), 2U);
  EXPECT_EQ(frames.all()[0].frame_bytes(), 34U);
  frames.drop_larger_than(1522);
  EXPECT_EQ(frames.all().size(), 1U);
  EXPECT_EQ(frames.skipped(), 3U);
}

TEST(CapturedFrames, WhatHasNoTimeGoesWithTheNextOneThatHas) {
  constexpr std::uint64_t now_us = 1'700'000'000'000'000;
  CaptureBuilder file;
  const CaptureBuilder simple = file.body().u32(static_cast<std::uint32_t>(frame.size())).text(frame);
  file.section().interface(1).block(3, simple).block(3, simple).packet(0, now_us, frame).block(3, simple);
  file.packet(0, now_us + 250'000, frame);
  const TemporaryFile capture(file.bytes());
  const CapturedFrames frames(capture.path());
  std::vector<std::uint64_t> times;
  for (const auto& entry : frames.all()) times.push_back(entry.time_ns);
  EXPECT_EQ(times, (std::vector<std::uint64_t>{0, 0, 0, 0, 250'000'000}));
}

TEST(CapturedFrames, ATimeOfZeroIsATime) {
  CaptureBuilder file;
  file.pcap_head(magic, 1).pcap_record(0, 0, frame).pcap_record(2, 0, frame).pcap_record(1, 0, frame);
  const TemporaryFile capture(file.bytes());
  const CapturedFrames frames(capture.path());
  EXPECT_EQ(frames.all()[1].time_ns, 2'000'000'000U);
  EXPECT_EQ(frames.all()[2].time_ns, 2'000'000'000U) << "it does not run back";
}

std::string error_of(const std::string& bytes) {
  const TemporaryFile capture(bytes);
  const std::string error = capture_error(CapturedFrames(capture.path()), capture.path());
  EXPECT_TRUE(error.empty() || error.starts_with(capture.path() + ": ")) << error;
  return error.empty() ? "" : error.substr(capture.path().size() + 2);
}

TEST(CaptureCheck, EmptyAndBrokenCapturesAreTold) {
  const auto head = [](std::uint32_t link_type) { return CaptureBuilder().pcap_head(magic, link_type); };
  EXPECT_EQ(error_of(head(1).pcap_record(1, 0, frame).bytes()), "");
  EXPECT_EQ(error_of(head(1).bytes()), "there is no frame in it: name another capture");
  EXPECT_EQ(
      error_of(head(105).pcap_record(1, 0, "x").pcap_record(1, 0, "y").bytes()),
      "nothing in it can be sent: 2 frames over the MTU or of an unknown link layer, 0 of ARP, neighbour discovery "
      "and the like: name another capture");
  const std::string one = head(1).pcap_record(1, 0, frame).bytes();
  EXPECT_EQ(error_of(one + one.substr(24, 30)),
            "offset 74: a record of 34 bytes, but 14 are left: write it anew with "
            "tcpdump -w, or name another");
  EXPECT_EQ(capture_error(CapturedFrames("/nonexistent"), "/nonexistent"),
            "/nonexistent: No such file or directory: name another capture, or let this user read it");
}

TEST(CaptureCheck, CopiesThatAreAllAlikeAreTold) {
  const TemporaryFile capture(CaptureBuilder().pcap_head(magic, raw_ip).pcap_record(1, 0, packet).bytes());
  const CapturedFrames frames(capture.path());
  ReplayOptions options;
  options.copies = 3;
  for (const char* block : {"10.1.0.0/24", "192.0.2.1/32"}) {
    options.shift = parse_prefix(block)->prefix;
    EXPECT_EQ(copies_error(frames, options), "") << block;
  }
  for (const char* block : {"10.9.0.0/16", "2001:db8::/32"}) {
    options.shift = parse_prefix(block)->prefix;
    EXPECT_NE(copies_error(frames, options).find("all copies would be alike"), std::string::npos) << block;
  }
}

TEST(CaptureCheck, APaceThatTakesLongIsTold) {
  const TemporaryFile capture(
      CaptureBuilder().pcap_head(magic, 1).pcap_record(0, 0, frame).pcap_record(10 * 86'400, 0, frame).bytes());
  const CapturedFrames frames(capture.path());
  ReplayOptions options;
  EXPECT_NE(duration_warning(frames, options).find("it takes 10.0 days"), std::string::npos);
  options.speed = 100;
  EXPECT_NE(duration_warning(frames, options).find("it takes 2.4 hours"), std::string::npos);
  options.speed = 1000;
  EXPECT_EQ(duration_warning(frames, options), "");
  options.loops = 100;
  EXPECT_NE(duration_warning(frames, options), "");
  options.common.seconds = 60;
  EXPECT_EQ(duration_warning(frames, options), "");
}

}  // namespace
}  // namespace sallyport::pktgen
