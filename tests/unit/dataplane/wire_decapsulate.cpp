#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "dataplane/wire/decapsulate.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane::wire {
namespace {

using std::string_literals::operator""s;

std::string be16(std::size_t value) { return {static_cast<char>(value >> 8U), static_cast<char>(value)}; }

std::string ethernet(std::uint16_t type, const std::string& payload) {
  return std::string(12, 'm') + be16(type) + payload;
}
std::string vlan(std::uint16_t type, const std::string& payload) { return be16(7) + be16(type) + payload; }

std::string ipv4(std::uint8_t protocol, const std::string& payload, std::uint16_t fragment = 0) {
  return "\x45\0"s + be16(20 + payload.size()) + be16(1) + be16(fragment) + "\x40"s + static_cast<char>(protocol) +
         be16(0) + "\x0a\x01\x02\x03\xc6\x33\x64\x07" + payload;
}
std::string ipv6(std::uint8_t next, const std::string& payload) {
  return "\x60\0\0\0"s + be16(payload.size()) + static_cast<char>(next) + "\x40" + std::string(32, '\xfd') + payload;
}
std::string udp(std::uint16_t destination, const std::string& payload, std::uint16_t source = 40000) {
  return be16(source) + be16(destination) + be16(8 + payload.size()) + be16(0) + payload;
}
std::string vxlan(const std::string& frame) { return udp(4789, "\x08\0\0\0\0\x10\0\0"s + frame); }

const std::string tcp(20, 't');
const std::string inner4 = ipv4(6, tcp);
const std::string inner6 = ipv6(6, tcp);

std::optional<InnermostIp> find(const std::string& bytes, std::uint16_t ethertype = ethertype_ethernet) {
  return find_innermost_ip({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, ethertype);
}

// Every frame here ends with the packet that is looked for.
void expect_last(const std::string& frame, const std::string& packet, bool tunnelled,
                 std::uint16_t start = ethertype_ethernet) {
  const auto found = find(frame, start);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->offset, frame.size() - packet.size());
  EXPECT_EQ(found->ethertype, packet[0] == 0x45 ? ethertype_ipv4 : ethertype_ipv6);
  EXPECT_EQ(found->tunnelled, tunnelled);
}

TEST(Decapsulate, EthernetAndVlanTagsAreNoTunnel) {
  expect_last(ethernet(0x0800, inner4), inner4, false);
  expect_last(ethernet(0x86dd, inner6), inner6, false);
  expect_last(ethernet(0x8100, vlan(0x0800, inner4)), inner4, false);
  expect_last(ethernet(0x88a8, vlan(0x8100, vlan(0x86dd, inner6))), inner6, false);
  expect_last(ethernet(0x9100, vlan(0x9200, vlan(0x0800, inner4))), inner4, false);
  expect_last(inner4, inner4, false, ethertype_ipv4);
}

TEST(Decapsulate, IpInIpOfEveryFamily) {
  expect_last(ethernet(0x0800, ipv4(4, inner4)), inner4, true);
  expect_last(ethernet(0x0800, ipv4(41, inner6)), inner6, true);
  expect_last(ethernet(0x86dd, ipv6(4, inner4)), inner4, true);
  expect_last(ethernet(0x86dd, ipv6(41, inner6)), inner6, true);
  const std::string destination_options = "\x04\x00\x01\x04\0\0\0\0"s;
  expect_last(ethernet(0x86dd, ipv6(60, destination_options + inner4)), inner4, true);
}

TEST(Decapsulate, GreWithEveryOptionalField) {
  expect_last(ethernet(0x0800, ipv4(47, be16(0) + be16(0x0800) + inner4)), inner4, true);
  expect_last(ethernet(0x0800, ipv4(47, be16(0xb000) + be16(0x86dd) + std::string(12, 'g') + inner6)), inner6, true);
  expect_last(ethernet(0x86dd, ipv6(47, be16(0x2000) + be16(0x6558) + std::string(4, 'k') + ethernet(0x0800, inner4))),
              inner4, true);
  expect_last(ethernet(0x0800, ipv4(17, udp(4754, be16(0) + be16(0x0800) + inner4))), inner4, true);
  // PPTP: version 1, key, sequence and acknowledgment
  expect_last(
      ethernet(0x0800, ipv4(47, be16(0x3081) + be16(0x880b) + std::string(12, 'p') + "\xff\x03\x00\x21"s + inner4)),
      inner4, true);
}

TEST(Decapsulate, VxlanAndGeneve) {
  expect_last(ethernet(0x0800, ipv4(17, vxlan(ethernet(0x0800, inner4)))), inner4, true);
  expect_last(ethernet(0x8100, vlan(0x86dd, ipv6(17, vxlan(ethernet(0x8100, vlan(0x0800, inner4)))))), inner4, true);
  const std::string options(8, 'o');
  expect_last(ethernet(0x0800, ipv4(17, udp(6081, "\x02\x00\x65\x58\0\0\1\0"s + options + ethernet(0x86dd, inner6)))),
              inner6, true);
  expect_last(ethernet(0x0800, ipv4(17, udp(6081, "\x00\x00\x08\x00\0\0\1\0"s + inner4))), inner4, true);
}

TEST(Decapsulate, PppoeAndItsShortProtocol) {
  const std::string pppoe = "\x11\x00\x00\x01\x00\x2a"s;
  expect_last(ethernet(0x8864, pppoe + "\x00\x21"s + inner4), inner4, true);
  expect_last(ethernet(0x88a8, vlan(0x8100, vlan(0x8864, pppoe + "\x57"s + inner6))), inner6, true);
}

TEST(Decapsulate, MplsEndsAtTheBottomOfTheStack) {
  const std::string two_labels = "\0\x01\x00\x40\0\x01\x11\x40"s;
  expect_last(ethernet(0x8847, two_labels + inner6), inner6, true);
  const std::string control_word(4, '\0');
  expect_last(ethernet(0x8847, two_labels + control_word + ethernet(0x0800, inner4)), inner4, true);
}

TEST(Decapsulate, Gtp) {
  expect_last(ethernet(0x0800, ipv4(17, udp(2152, "\x30\xff\x00\x28\0\0\0\1"s + inner4))), inner4, true);
  expect_last(ethernet(0x0800, ipv4(17, udp(2152, "\x34\xff\x00\x30\0\0\0\1\0\0\0\x85\x01\x00\x00\x00"s + inner6))),
              inner6, true);
}

TEST(Decapsulate, L2tpInEitherDirection) {
  const std::string short_header = be16(0x0002) + be16(1) + be16(2);
  expect_last(ethernet(0x0800, ipv4(17, udp(1701, short_header + "\xff\x03\x00\x57"s + inner6))), inner6, true);
  const std::string full_header = be16(0x4a02) + be16(99) + be16(1) + be16(2) + be16(3) + be16(4) + be16(2) + "oo";
  expect_last(ethernet(0x0800, ipv4(17, udp(40000, full_header + "\x21"s + inner4, 1701))), inner4, true);
}

TEST(Decapsulate, TunnelsInTunnels) {
  const std::string twice = ipv4(17, vxlan(ethernet(0x0800, ipv4(47, be16(0) + be16(0x86dd) + inner6))));
  expect_last(ethernet(0x0800, twice), inner6, true);
}

TEST(Decapsulate, WhatHoldsNoSoundPacketIsNoTunnel) {
  const auto expect_outer = [](const std::string& outer) {
    const auto found = find(ethernet(0x0800, outer));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->offset, 14U);
    EXPECT_FALSE(found->tunnelled);
  };
  expect_outer(ipv4(17, vxlan(ethernet(0x0806, std::string(28, 'a')))));
  expect_outer(ipv4(17, vxlan(ethernet(0x0800, inner4.substr(0, inner4.size() - 1)))));
  expect_outer(ipv4(17, udp(4789, std::string(40, '\xff'))));
  expect_outer(ipv4(17, udp(4789, "")));
  expect_outer(ipv4(17, udp(2152, "\x32\x01\0\0\0\0\0\0\0\0\0\0"s)));
  expect_outer(ipv4(17, udp(1701, be16(0xc802) + std::string(20, '\0'))));
  expect_outer(ipv4(4, std::string(40, 'x')));
  expect_outer(ipv4(4, inner4, 0x2000));
  expect_outer(ipv4(47, be16(0x4000) + be16(0x0800) + inner4));
  expect_outer(ipv4(50, inner4));
}

TEST(Decapsulate, TheOutermostPacketIsReportedAsItIs) {
  std::string broken = inner4;
  broken[3] = '\x7f';  // a total length past the frame
  EXPECT_EQ(find(ethernet(0x0800, broken))->offset, 14U);
  EXPECT_FALSE(find(ethernet(0x0806, std::string(28, 'a'))));
  EXPECT_FALSE(find(ethernet(0x8863, std::string(28, 'a'))));
  EXPECT_FALSE(find(""));
  EXPECT_FALSE(find(ethernet(0x8100, "v")));
}

// 802.3 with SNAP: IP is there, but not behind a plain Ethernet header.
TEST(Decapsulate, SnapNeedsAHeaderOfOurOwn) {
  expect_last(ethernet(static_cast<std::uint16_t>(8 + inner4.size()), "\xaa\xaa\x03\0\0\0\x08\0"s + inner4), inner4,
              true);
}

// Whatever is cut off or changed, nothing outside the frame is read (the sanitizers watch) and the answer lies inside.
TEST(Decapsulate, SurvivesEveryCutAndEveryChangedByte) {
  const std::string pppoe = "\x11\x00\x00\x01\x00\x2a\x00\x21"s;
  const std::string gtp = "\x34\xff\x00\x30\0\0\0\1\0\0\0\x85\x01\x00\x00\x00"s;
  for (const std::string& frame :
       {ethernet(0x8100, vlan(0x8864, pppoe + ipv4(17, vxlan(ethernet(0x86dd, ipv6(41, inner6)))))),
        ethernet(0x8847, "\0\x01\x00\x40\0\x01\x11\x40"s + ipv4(17, udp(2152, gtp + inner4))),
        ethernet(0x0800, ipv4(47, be16(0xb000) + be16(0x6558) + std::string(12, 'g') +
                                      ethernet(0x0800, ipv4(17, udp(1701, be16(0x4a02) + std::string(14, '\0') +
                                                                              "\x21"s + inner4)))))}) {
    for (std::size_t i = 0; i < frame.size(); ++i) {
      const std::string cut(frame.substr(0, i));
      if (const auto found = find(cut)) {
        EXPECT_LT(found->offset, cut.size());
      }
      for (unsigned value = 0; value < 256; ++value) {
        std::string changed = frame;
        changed[i] = static_cast<char>(value);
        if (const auto found = find(changed)) {
          EXPECT_LT(found->offset, changed.size());
        }
      }
    }
  }
}

}  // namespace
}  // namespace sallyport::dataplane::wire
