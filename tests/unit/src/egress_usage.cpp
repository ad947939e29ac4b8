#include "src/egress_usage.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

dataplane::FlowRecord flow(const char* from, std::uint16_t port, const char* to, const char* as,
                           dataplane::IpProtocol protocol = dataplane::IpProtocol::tcp) {
  dataplane::FlowRecord record;
  record.inside.source = parse_address(from)->bytes;
  record.inside.destination = parse_address(to)->bytes;
  record.inside.destination_port = __builtin_bswap16(443);
  record.inside.protocol = protocol;
  record.allowed = true;
  record.translated = as != nullptr;
  if (as != nullptr) record.nat_address = *parse_address(as);
  record.nat_port = __builtin_bswap16(port);
  return record;
}

TEST(EgressUsage, Case118TheFullestServerIsSeenBeforePortsEnd) {
  EgressUsage usage;
  usage.add(flow("10.0.0.1", 1000, "198.51.100.7", "203.0.113.8"));
  usage.add(flow("10.0.0.1", 1001, "198.51.100.7", "203.0.113.8"));
  usage.add(flow("10.0.0.2", 1001, "198.51.100.9", "203.0.113.8"));  // the same port, to another server
  usage.add(flow("10.0.0.2", 1000, "198.51.100.7", "203.0.113.8", dataplane::IpProtocol::udp));
  usage.add(flow("10.0.0.1", 5, "198.51.100.7", "203.0.113.2"));
  usage.add(flow("10.0.0.3", 5, "198.51.100.7", nullptr));
  dataplane::FlowRecord denied = flow("10.0.0.9", 5, "198.51.100.7", nullptr);
  denied.allowed = false;
  usage.add(denied);

  const auto addresses = usage.addresses();
  ASSERT_EQ(addresses.size(), 2U);
  EXPECT_EQ(to_string(addresses[0].address), "203.0.113.2");
  const auto& busy = addresses[1];
  EXPECT_EQ(busy.flows, 4U);
  EXPECT_EQ(busy.tcp_ports, 2U);
  EXPECT_EQ(busy.udp_ports, 1U);
  EXPECT_EQ(to_string(busy.fullest.address), "198.51.100.7");
  EXPECT_EQ(busy.fullest.port, 443);
  EXPECT_EQ(busy.fullest.flows, 2U);
  EXPECT_EQ(usage.translated(), 5U);
  EXPECT_EQ(usage.untranslated(), 1U);
  EXPECT_FALSE(usage.incomplete());

  const auto top = usage.top_sources(2);
  ASSERT_EQ(top.size(), 2U);
  EXPECT_EQ(to_string(top[0].address), "10.0.0.1");
  EXPECT_EQ(top[0].flows, 3U);
  EXPECT_EQ(to_string(top[1].address), "10.0.0.2");
  EXPECT_EQ(usage.top_sources(99).size(), 3U);
}

}  // namespace
}  // namespace sallyport
