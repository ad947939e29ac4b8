// Egress addresses and the ports they should be on.
#include "src/outside_addresses.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "config/load.h"

namespace sallyport {
namespace {

std::string warnings_of(std::string_view policy, std::string_view outside_keys) {
  const auto appliance = config::load_appliance(
      {"sallyport.toml",
       "[[port]]\nname = \"in\"\nrole = \"inside\"\ndevice = \"net_null0\"\naddresses = [\"10.0.0.1/24\"]\n"
       "[[port]]\nname = \"out\"\nrole = \"outside\"\ndevice = \"net_null1\"\n" +
           std::string(outside_keys)});
  const auto loaded = config::load_policy({{"policy.toml", std::string(policy)}});
  EXPECT_TRUE(appliance.model && loaded.model);
  config::Diagnostics diagnostics;
  warn_of_addresses_elsewhere(*appliance.model, *loaded.model, diagnostics);
  std::string text;
  for (const config::Diagnostic& diagnostic : diagnostics.all()) text += to_text(diagnostic, loaded.files) + "\n";
  return text;
}

constexpr std::string_view outside =
    "addresses = [\"203.0.113.2/25\", \"203.0.113.130/25\", \"2001:db8::2/64\"]\ngateway = [\"203.0.113.126\"]\n";

TEST(OutsideAddresses, NothingToSayOfThoseOnAnOutsideNetwork) {
  EXPECT_EQ(warnings_of("snat.addresses = [\"203.0.113.1\", \"2001:db8::1\"]\n"
                        "[[egress_pool]]\nname = \"p\"\nranges = [\"203.0.113.127-203.0.113.200\"]\n"
                        "[[egress]]\nname = \"e\"\nsources = [\"10.0.0.0/8\"]\negress_pool = \"p\"\n",
                        outside),
            "");
}

TEST(OutsideAddresses, ElsewhereIsWarnedOf) {
  EXPECT_EQ(warnings_of("[snat]\naddresses = [\"203.0.113.1\", \"198.51.100.1\"]\n", outside),
            "policy.toml:1:1: snat.addresses[1]: warning: 198.51.100.1 is not on a network of an outside port, "
            "203.0.113.0/25, 203.0.113.128/25: answers come back only if a router sends them here\n");
  EXPECT_EQ(warnings_of("[snat]\naddresses = [\"10.0.0.7\"]\n", outside),
            "policy.toml:1:1: snat.addresses[0]: warning: 10.0.0.7 is not on a network of an outside port, "
            "203.0.113.0/25, 203.0.113.128/25: answers come back only if a router sends them here\n")
      << "the network of the inside port is none";
  EXPECT_EQ(
      warnings_of("[[egress]]\nname = \"e\"\nsources = [\"fd00::/8\"]\negress_ip = \"2001:db8:1::1\"\n",
                  "addresses = [\"203.0.113.2/25\"]\n"),
      "policy.toml:1:1: egress[0]: warning: 2001:db8:1::1 is not on a network of an outside port, none of which has "
      "an IPv6 address: answers come back only if a router sends them here\n");
  const std::string pool =
      "[[egress_pool]]\nname = \"p\"\nranges = [\"203.0.113.16/28\", \"203.0.113.250-203.0.114.1\"]\n";
  EXPECT_EQ(warnings_of(pool + "[[egress]]\nname = \"e\"\nsources = [\"10.0.0.0/8\"]\negress_pool = \"p\"\n", outside),
            "policy.toml:1:1: egress_pool[0].ranges[1]: warning: 203.0.113.250-203.0.114.1 is not on a network of an "
            "outside port, 203.0.113.0/25, 203.0.113.128/25: answers come back only if a router sends them here\n");
  EXPECT_EQ(warnings_of(pool, outside), "") << "used by nobody, which is told elsewhere";
}

TEST(OutsideAddresses, TheNextHopsAddressIsNotOurs) {
  EXPECT_EQ(
      warnings_of("[snat]\naddresses = [\"203.0.113.126\"]\n", outside),
      "policy.toml:1:1: snat.addresses[0]: warning: 203.0.113.126 is the next hop of an outside port, no address to "
      "leave under\n");
}

TEST(OutsideAddresses, WithoutAddressesOfThePortNothingIsKnown) {
  EXPECT_EQ(warnings_of("[snat]\naddresses = [\"198.51.100.1\"]\n", ""), "");
}

}  // namespace
}  // namespace sallyport
