// Ports of sallyport.toml: their routes, and what is valid and hardly meant.
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "appliance_support.h"
#include "config/root_keys.h"
#include "load_policy_support.h"

namespace sallyport::config {
namespace {

TEST(Ports, Routes) {
  const struct {
    std::string_view routes;
    std::uint32_t column;
    std::string_view path, part;
  } table[] = {
      {"[{ to = \"10.1.0.0/16\" }]", 11, "port[2].routes[0].via", "required"},
      {"[{ to = \"10.1.0.0/16\", via = \"10.6.0.1\" }]", 39, "port[2].routes[0].via", "in no network of the port's"},
      {"[{ to = \"10.1.0.0/16\", via = \"10.5.0.1\" }]", 39, "port[2].routes[0].via", "the port's own address"},
      {"[{ to = \"0.0.0.0/0\", via = \"10.5.0.2\" }]", 11, "port[2].routes[0]", "what the port's gateway is"},
      {"[{ to = \"fd01::/64\", via = \"10.5.0.2\" }]", 11, "port[2].routes[0]", "of different families"},
      {"[{ to = \"10.1.0.0/16\", via = \"10.5.0.2\", dev = \"x\" }]", 51, "port[2].routes[0].dev", "unknown key"},
      {"[{ to = \"10.1.0.0/16\", via = \"10.5.0.2\" }, { to = \"10.1.0.0/16\", via = \"10.5.0.3\" }]", 60,
       "port[2].routes[1].to", "the route to 10.1.0.0/16 stands at port[2].routes[0].to already"},
  };
  for (const auto& mistake : table) {
    SCOPED_TRACE(mistake.routes);
    const auto loaded = load_it(std::string(two_ports) +
                                "[[port]]\nname = \"x\"\nrole = \"inside\"\ndevice = \"net_null\"\n"
                                "addresses = [\"10.5.0.1/24\"]\nroutes = " +
                                std::string(mistake.routes));
    expect_one_error(loaded, behind_ports + 5, mistake.column, mistake.path, mistake.part);
  }
}

TEST(Ports, AddressesOfMartians) {
  for (const char* own : {"127.0.0.1/8", "224.0.0.1/8", "::ffff:1.2.3.4/120"}) {
    const auto loaded =
        load_it(std::string(two_ports) +
                "[[port]]\nname = \"x\"\nrole = \"inside\"\ndevice = \"net_null\"\naddresses = [\"" + own + "\"]");
    expect_one_error(loaded, behind_ports + 4, 14, "port[2].addresses[0]", "dropped as martians");
  }
  for (const char* link_local : {"169.254.1.1/30", "fe80::1/64"}) {
    EXPECT_TRUE(load_it(std::string(two_ports) +
                        "[[port]]\nname = \"x\"\nrole = \"inside\"\ndevice = \"net_null\"\naddresses = [\"" +
                        link_local + "\"]")
                    .model)
        << link_local;
  }
}

TEST(Ports, WhatIsHardlyMeant) {
  const auto warnings = [](std::string_view inside, std::string_view outside) {
    const auto loaded =
        load_it("[[port]]\nname = \"in\"\nrole = \"inside\"\ndevice = \"net_null0\"\n" + std::string(inside) +
                "\n[[port]]\nname = \"out\"\nrole = \"outside\"\ndevice = \"net_null1\"\n" + std::string(outside));
    EXPECT_TRUE(loaded.model) << messages(loaded);
    return messages(loaded);
  };
  const auto says = [&](std::string_view inside, std::string_view outside, std::string_view part) {
    const std::string told = warnings(inside, outside);
    EXPECT_NE(told.find(part), std::string::npos) << told;
  };
  const std::string_view out = "addresses = [\"203.0.113.2/24\"]\ngateway = [\"203.0.113.254\"]";
  EXPECT_EQ(warnings("addresses = [\"10.0.0.1/24\", \"fd00::1/64\"]", out), "");
  EXPECT_EQ(warnings("addresses = [\"10.0.0.0/31\", \"fd00::/127\"]", out), "") << "networks of two";
  says("addresses = [\"10.0.0.0/24\"]", out, "10.0.0.0/24 is the address of the network itself");
  says("addresses = [\"10.0.0.1/24\",\n \"10.9.0.0/24\"]", out, ":6:2: port[0].addresses[1]: warning: 10.9.0.0/24");
  says("addresses = [\"10.0.0.255/24\"]", out, "10.0.0.255/24 is the network's broadcast address");
  says("addresses = [\"fd00::/64\"]", out, "fd00::/64 is the address of the network itself");
  says("addresses = [\"203.0.0.1/16\"]", out,
       "port[1].addresses[0]: warning: 203.0.113.0/24 overlaps 203.0.0.0/16 of port[0]");
  says("addresses = [\"10.0.0.1/24\"]", "addresses = [\"203.0.113.2/24\"]", "port[1].gateway: warning: none");
  says("addresses = [\"10.0.0.1/24\"]\ngateway = [\"10.0.0.2\"]", out,
       "10.0.0.2 is never used while the outside port's gateway is there");
  EXPECT_EQ(warnings("addresses = [\"fd00::1/64\"]\ngateway = [\"fd00::2\"]", out), "") << "the only one of its family";
}

// The lists are what the loaders take, and nothing else is told to belong elsewhere.
TEST(Documents, TablesOfTheOtherDocumentAreToldWhereTheyBelong) {
  for (const std::string_view key : policy_tables) {
    EXPECT_EQ(messages(load(std::string(key) + " = 1")).find("unknown key"), std::string::npos) << key;
    const std::string told = messages(load_it(std::string(key) + " = 1"));
    EXPECT_NE(told.find("unknown key; it belongs into the policy"), std::string::npos) << told;
  }
  for (const std::string_view key : appliance_tables) {
    EXPECT_EQ(messages(load_it(std::string(key) + " = 1")).find("unknown key"), std::string::npos) << key;
    const std::string told = messages(load(std::string(key) + " = 1"));
    EXPECT_NE(told.find("unknown key; it belongs into the configuration"), std::string::npos) << told;
  }
}

}  // namespace
}  // namespace sallyport::config
