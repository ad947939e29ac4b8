// Senders of a policy and the ports that they should be on.
#include "src/sender_networks.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "config/load.h"

namespace sallyport {
namespace {

std::string warnings_of(std::string_view policy, std::string_view inside_keys, std::string_view more = "") {
  const auto appliance = config::load_appliance(
      {"sallyport.toml",
       "[[port]]\nname = \"in\"\nrole = \"inside\"\ndevice = \"net_null0\"\naddresses = [\"10.0.0.1/24\"]\n" +
           std::string(inside_keys) +
           "\n[[port]]\nname = \"out\"\nrole = \"outside\"\ndevice = \"net_null1\"\naddresses = [\"203.0.113.2/24\"]\n"
           "gateway = [\"203.0.113.254\"]\n" +
           std::string(more)});
  const auto loaded = config::load_policy({{"policy.toml", std::string(policy)}});
  EXPECT_TRUE(appliance.model && loaded.model);
  if (!appliance.model || !loaded.model) return "not valid";
  config::Diagnostics diagnostics;
  warn_of_senders_elsewhere(*appliance.model, *loaded.model, diagnostics);
  std::string text;
  for (const config::Diagnostic& diagnostic : diagnostics.all()) text += to_text(diagnostic, loaded.files) + "\n";
  return text;
}

constexpr std::string_view prod = "[[namespace]]\nname = \"prod\"\naddresses = [\"10.0.0.0/24\", \"10.3.0.0/16\"]\n";

TEST(SenderNetworks, NobodyIsNamed) {
  EXPECT_EQ(warnings_of("[[namespace]]\nname = \"prod\"\n", ""),
            "policy.toml: warning: no [[namespace]] or [[workload]] has an address: only senders on 10.0.0.0/24 may "
            "send, all others are dropped (source_check)\n");
  EXPECT_EQ(warnings_of("", "", "[nat]\nsource_check = false\n"), "");
  EXPECT_EQ(warnings_of("[[workload]]\nnamespace = \"n\"\nname = \"w\"\naddresses = [\"10.0.0.7/32\"]\n", ""), "");
}

TEST(SenderNetworks, AnswersNeedARouteInside) {
  EXPECT_EQ(warnings_of(prod, ""),
            "policy.toml:3:29: namespace[0].addresses[1]: warning: 10.3.0.0/16 is on no network of an inside port, and "
            "none of its `routes` leads there: answers end as no_route, unless a routing daemon knows the way\n");
  EXPECT_EQ(warnings_of(prod, "routes = [{ to = \"10.0.0.0/8\", via = \"10.0.0.2\" }]"), "");
  EXPECT_NE(warnings_of(prod, "routes = [{ to = \"10.3.0.0/17\", via = \"10.0.0.2\" }]"), "") << "half of it";
  EXPECT_NE(warnings_of(prod, "gateway = [\"10.0.0.2\"]"), "") << "the outside port's is taken";
  EXPECT_NE(warnings_of("[[workload]]\nnamespace = \"n\"\nname = \"w\"\naddresses = [\"10.3.1.3/32\"]\n", ""), "");
  EXPECT_EQ(
      warnings_of(prod, "", "[[tunnel]]\ntype = \"vxlan\"\nport_name = \"in\"\nlocal = \"10.0.0.1\"\nvni = [1]\n"), "")
      << "answers go back into the tunnel";
}

TEST(SenderNetworks, AnEgressForSendersThatMayNotSend) {
  const auto egress = [](std::string_view sources) {
    return "[[namespace]]\nname = \"prod\"\naddresses = [\"10.0.0.0/24\"]\n[[workload]]\nnamespace = \"prod\"\n"
           "name = \"w\"\naddresses = [\"10.0.1.7/32\"]\n[[egress]]\nname = \"e\"\negress_ip = "
           "\"203.0.113.8\"\nsources = [" +
           std::string(sources) + "]\n";
  };
  const std::string_view route = "routes = [{ to = \"10.0.0.0/8\", via = \"10.0.0.2\" }]";
  EXPECT_EQ(warnings_of(egress("\"10.0.0.9/32\", \"10.0.0.0/8\", \"10.0.1.0/24\""), route), "");
  EXPECT_EQ(warnings_of(egress("\"10.0.0.9/32\", \"10.9.0.0/16\""), route),
            "policy.toml:8:1: egress[0].sources[1]: warning: selects no sender: 10.9.0.0/16 is of no [[namespace]] or "
            "[[workload]] and on no network of an inside port, so its packets are dropped (source_check)\n");
  EXPECT_EQ(warnings_of(egress("\"10.9.0.0/16\""), route, "[nat]\nsource_check = false\n"), "");
}

TEST(SenderNetworks, AGatewayInsideIsTakenForAFamilyThatNoOutsidePortHasOneOf) {
  const std::string_view v6 = "[[namespace]]\nname = \"prod\"\naddresses = [\"fd00:1::/64\"]\n";
  EXPECT_NE(warnings_of(v6, ""), "");
  EXPECT_EQ(warnings_of(v6, "gateway = [\"fe80::2\"]"), "");
}

TEST(SenderNetworks, ManyAreToldAsANumber) {
  std::string pods;
  for (int i = 0; i < 25; ++i) pods += "\"10.3.0." + std::to_string(i) + "/32\", ";
  const std::string told =
      warnings_of("[[workload]]\nnamespace = \"n\"\nname = \"w\"\naddresses = [" + pods + "]\n", "");
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 21) << told;
  EXPECT_NE(told.find("warning: 5 more senders are on no network"), std::string::npos) << told;
}

}  // namespace
}  // namespace sallyport
