// [ha]: gateways that stand in for each other, or share the load.
#include <chrono>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "appliance_support.h"
#include "load_policy_support.h"

namespace sallyport::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// Their gateway is a routing daemon's.
constexpr std::string_view ports_alone = two_ports.substr(0, two_ports.rfind("gateway"));
ApplianceModel must_load_it(std::string_view text) {
  auto loaded = load_it(text);
  EXPECT_TRUE(loaded.model.has_value()) << messages(loaded);
  if (!loaded.model) return {};
  return *loaded.model;
}

TEST(LoadAppliance, WhoWaitsForAWordIsFencedUnlessItSaysOtherwise) {
  const auto ha = [](std::string_view keys) {
    return must_load_it(std::string(ports_alone) + "[ha]\n" + std::string(keys)).ha;
  };
  EXPECT_EQ(ha("").start, Start::active);
  EXPECT_EQ(ha("").fence_after, 0s);
  EXPECT_EQ(ha("start = \"standby\"").start, Start::standby);
  EXPECT_EQ(ha("start = \"standby\"").fence_after, 1s);
  EXPECT_EQ(ha("fence_after = \"0s\"\nstart = \"standby\"").fence_after, 0s);
  EXPECT_EQ(ha("fence_after = \"300ms\"").fence_after, 300ms);
}

TEST(ApplianceErrors, AFenceIsNoHairTrigger) {
  const auto loaded = load_it(std::string(ports_alone) + "[ha]\nfence_after = \"50ms\"");
  ASSERT_EQ(loaded.diagnostics.errors(), 1U) << messages(loaded);
  EXPECT_EQ(loaded.diagnostics.all()[0].key_path, "ha.fence_after");
}

TEST(LoadAppliance, WhatRoutingIsToldOfIt) {
  const HaConfig none = must_load_it(ports_alone).ha;
  EXPECT_TRUE(none.next_hop.empty());
  EXPECT_FALSE(none.egress_routes);
  EXPECT_TRUE(none.drain_to.empty());
  const HaConfig ha = must_load_it(std::string(ports_alone) +
                                   "[ha]\nnext_hop = [\"10.255.0.1\", \"fd00:ffff::1\"]\negress_routes = true\n"
                                   "drain_to = [\"10.0.0.3\"]")
                          .ha;
  EXPECT_THAT(ha.next_hop, ElementsAre(*parse_address("10.255.0.1"), *parse_address("fd00:ffff::1")));
  EXPECT_TRUE(ha.egress_routes);
  EXPECT_THAT(ha.drain_to, ElementsAre(*parse_address("10.0.0.3")));
}

TEST(ApplianceErrors, WhatIsSharedIsNoAddressOfAPortAndOneOfAFamily) {
  for (const std::string_view key : {"next_hop", "drain_to"}) {
    for (const std::string_view addresses : {"\"10.0.0.1\"", "\"fd00::1\"", "\"10.0.0.7\", \"10.0.0.8\""}) {
      const std::string text = std::string(key) + " = [" + std::string(addresses) + "]";
      const auto loaded = load_it(std::string(ports_alone) + "[ha]\n" + text);
      ASSERT_EQ(loaded.diagnostics.errors(), 1U) << text << "\n" << messages(loaded);
      EXPECT_EQ(loaded.diagnostics.all()[0].key_path, "ha." + std::string(key)) << text;
    }
  }
}

}  // namespace
}  // namespace sallyport::config
