#include "src/capture_link.h"

#include <string>

#include <gtest/gtest.h>

namespace sallyport {
namespace {

using std::string_literals::operator""s;

std::optional<LinkPayload> find(std::uint32_t link_type, const std::string& frame) {
  return find_link_payload(link_type, {reinterpret_cast<const std::uint8_t*>(frame.data()), frame.size()});
}

void expect(std::uint32_t link_type, const std::string& frame, std::uint32_t offset, std::uint16_t ethertype) {
  const auto found = find(link_type, frame);
  ASSERT_TRUE(found) << link_type;
  EXPECT_EQ(found->offset, offset) << link_type;
  EXPECT_EQ(found->ethertype, ethertype) << link_type;
}

constexpr std::uint16_t ipv4 = 0x0800;
constexpr std::uint16_t ipv6 = 0x86dd;
constexpr std::uint16_t ethernet = 0x6558;
constexpr std::uint16_t ppp = 0x880b;

TEST(CaptureLink, RawIpIsToldByItsVersion) {
  for (const std::uint32_t type : {12U, 14U, 101U}) {
    expect(type, "\x45", 0, ipv4);
    expect(type, "\x60", 0, ipv6);
    EXPECT_FALSE(find(type, "\x50"));
    EXPECT_FALSE(find(type, ""));
  }
  expect(228, "\x45", 0, ipv4);
  expect(229, "\x60", 0, ipv6);
}

TEST(CaptureLink, CookedHeadersNameTheEtherType) {
  expect(113, std::string(14, 'c') + "\x86\xdd", 16, ipv6);
  EXPECT_FALSE(find(113, std::string(15, 'c')));
  expect(276, "\x08\x00"s + std::string(18, 'c'), 20, ipv4);
  EXPECT_FALSE(find(276, std::string(19, 'c')));
}

TEST(CaptureLink, LoopbackFamiliesOfEverySystemAndByteOrder) {
  expect(0, "\x02\0\0\0"s, 4, ipv4);
  expect(0, "\0\0\0\x02"s, 4, ipv4);
  expect(108, "\0\0\0\x02"s, 4, ipv4);
  for (const char family : {'\x0a', '\x18', '\x1c', '\x1e'}) {
    expect(0, std::string{family, 0, 0, 0}, 4, ipv6);
    expect(108, std::string{0, 0, 0, family}, 4, ipv6);
  }
  EXPECT_FALSE(find(0, "\x07\0\0\0"s));
  EXPECT_FALSE(find(0, "\x02\0\0"s));
}

TEST(CaptureLink, PointToPoint) {
  expect(1, "", 0, ethernet);
  expect(9, "\xff\x03\x00\x21"s, 0, ppp);
  expect(50, "\x00\x21"s, 0, ppp);
  expect(51, "\x11", 0, 0x8864);
  expect(166, "\x01\x00\x21"s, 1, ppp);
  expect(204, "\x00\x03\x00\x21"s, 2, ppp);
  expect(104, "\x0f\x00\x08\x00"s, 4, ipv4);
  EXPECT_FALSE(find(104, "\x0f\x00\x08"s));
}

TEST(CaptureLink, TellsWhatItDoesNotKnow) {
  EXPECT_TRUE(is_known_link_type(276));
  EXPECT_FALSE(is_known_link_type(127));
  EXPECT_FALSE(find(127, "\x45"));
}

}  // namespace
}  // namespace sallyport
