// RFC 6296.
#include "classifier/prefix_translation.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace sallyport::classifier {
namespace {

IpAddress ip(const std::string& text) { return parse_address(text).value(); }
Prefix net(const std::string& text) { return parse_prefix(text).value().prefix; }

std::uint32_t checksum(const IpAddress& address) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < 16; i += 2)
    sum += static_cast<std::uint32_t>(address.bytes[i] << 8U | address.bytes[i + 1]);
  return sum % 0xffff;
}

TEST(PrefixTranslation, ExampleOfTheRfc) {
  const PrefixTranslation npt(net("fd01:203:405::/48"), net("2001:db8:1::/48"));
  EXPECT_EQ(to_string(npt.to_outside(ip("fd01:203:405:1::1234")).value()), "2001:db8:1:d550::1234");
  EXPECT_EQ(to_string(npt.to_inside(ip("2001:db8:1:d550::1234")).value()), "fd01:203:405:1::1234");
  EXPECT_FALSE(npt.to_outside(ip("fd01:203:406:1::1234")));
  EXPECT_FALSE(npt.to_outside(ip("fd01:203:405:ffff::1234")));
  EXPECT_FALSE(npt.to_inside(ip("2001:db8:1:ffff::1234")));
}

TEST(PrefixTranslation, LongPrefixesNeedAnInterfaceIdentifier) {
  const PrefixTranslation npt(net("fd01:203:405:1::/64"), net("2001:db8:1:2::/64"));
  EXPECT_FALSE(npt.to_outside(ip("fd01:203:405:1::")));
  EXPECT_FALSE(npt.to_outside(ip("fd01:203:405:1:ffff:ffff:ffff:ffff")));
  EXPECT_TRUE(npt.to_outside(ip("fd01:203:405:1:ffff:ffff:ffff:1")));
}

TEST(PrefixTranslation, EveryAddressComesBackAndNoChecksumChanges) {
  std::mt19937_64 random(6296);
  for (const char* length : {"32", "40", "45", "48", "52", "56", "61", "64"}) {
    const Prefix inside = net(std::string("fd01:203:400::/") + length);
    const Prefix outside = net(std::string("2001:db8::/") + length);
    const PrefixTranslation npt(inside, outside);
    for (int i = 0; i < 5000; ++i) {
      IpAddress address = inside.address;
      for (std::size_t byte = inside.length / 8U + 1; byte < 16; ++byte) {
        address.bytes[byte] = static_cast<std::uint8_t>(random() % 4 == 0 ? 0xff : random());
      }
      const auto there = npt.to_outside(address);
      if (!there) continue;
      ASSERT_TRUE(outside.contains(*there)) << to_string(address);
      ASSERT_EQ(checksum(*there), checksum(address)) << to_string(address);
      const auto back = npt.to_inside(*there);
      ASSERT_TRUE(back) << to_string(address) << " " << to_string(*there);
      ASSERT_EQ(to_string(*back), to_string(address));
    }
  }
}

}  // namespace
}  // namespace sallyport::classifier
