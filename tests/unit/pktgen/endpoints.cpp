#include "pktgen/endpoints.h"

#include <gtest/gtest.h>

namespace sallyport::pktgen {
namespace {

TEST(Endpoints, ANumberComesBackFromItsAddressAndPort) {
  for (const char* first : {"10.1.255.250", "255.255.255.255", "fd00::ffff:ffff:ffff"}) {
    const Endpoints endpoints(parse_address(first).value(), 300);
    for (std::uint64_t number = 0; number < endpoints.count(); number += 997) {
      const auto address = endpoints.address(number);
      const std::span<const std::uint8_t> bytes(address.data(), address_bytes(endpoints.family()));
      ASSERT_EQ(endpoints.number_of(bytes, endpoints.port(number)), number);
    }
  }
}

TEST(Endpoints, OthersHaveNoNumber) {
  const Endpoints endpoints(parse_address("10.1.0.1").value(), 2);
  const auto number = [&](const char* text, std::uint16_t port) {
    const IpAddress address = parse_address(text).value();
    return endpoints.number_of(std::span(address.bytes).first(address_bytes(address.family)), port);
  };
  EXPECT_EQ(number("10.1.0.2", 1024), 1U);
  EXPECT_FALSE(number("10.1.0.3", 1024));
  EXPECT_FALSE(number("10.1.0.0", 1024));
  EXPECT_FALSE(number("10.2.0.1", 1024));
  EXPECT_FALSE(number("10.1.0.1", 1023));
  EXPECT_FALSE(number("::10.1.0.1", 1024));
}

}  // namespace
}  // namespace sallyport::pktgen
