// g++ 12 takes the string inside an absent std::optional for one that is read.
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "appliance_support.h"
#include "load_policy_support.h"
#include "temporary_folder.h"

namespace sallyport::config {
namespace {

using namespace std::chrono_literals;

ApplianceModel must_load_it(std::string_view text) {
  auto loaded = load_it(text);
  EXPECT_TRUE(loaded.model.has_value()) << messages(loaded);
  return loaded.model.value_or(ApplianceModel{});
}

TEST(LoadAppliance, Defaults) {
  const auto loaded = load_it(two_ports);
  ASSERT_TRUE(loaded.model) << messages(loaded);
  EXPECT_TRUE(loaded.diagnostics.all().empty());
  const ApplianceModel& model = *loaded.model;
  EXPECT_EQ(model.policy, "policy.toml");
  EXPECT_EQ(model.policy_path, "/etc/sallyport/policy.toml");
  EXPECT_EQ(model.name, "sallyport");
  EXPECT_EQ(model.state_period, 1s);
  EXPECT_TRUE(model.workers.cores_auto);
  EXPECT_EQ(model.workers.idle, IdleMode::adaptive);
  EXPECT_EQ(model.limits.flows, 4'000'000U);
  EXPECT_EQ(model.limits.held_bytes, 256U << 20U);
  EXPECT_EQ(model.limits.hello_bytes, 12U << 10U);
  EXPECT_EQ(model.limits.flows_per_source, 0U);
  EXPECT_EQ(model.timeouts.tcp_established, 2h + 4min);
  EXPECT_EQ(model.timeouts.tcp_transitory, 4min);
  EXPECT_EQ(model.timeouts.udp, 5min);
  EXPECT_EQ(model.timeouts.icmp, 60s);
  EXPECT_EQ(model.nat.port_range.first, 1024);
  EXPECT_EQ(model.nat.port_range.last, 65535);
  EXPECT_FALSE(model.nat.pool_key.has_value());
  EXPECT_TRUE(model.nat.source_check);
  EXPECT_TRUE(model.flow_log.file.empty());
  EXPECT_FALSE(model.flow_log.journald);
  EXPECT_EQ(model.flow_log.syslog.by, LogTarget::By::nothing);
  EXPECT_TRUE(model.metrics.listen.empty());
  EXPECT_EQ(model.control_socket, "/run/sallyport/control.sock");
  ASSERT_EQ(model.ports.size(), 2U);
  EXPECT_EQ(model.ports[0].role, PortRole::inside);
  EXPECT_EQ(model.ports[0].mtu, 1500);
  EXPECT_EQ(model.ports[0].vlan, 0);
  EXPECT_EQ(model.ports[0].addresses[0].address, ip("10.0.0.1"));
  EXPECT_EQ(model.ports[0].addresses[0].length, 24);
  EXPECT_EQ(model.ports[1].role, PortRole::outside);
  EXPECT_EQ(model.ports[1].gateway, std::vector<IpAddress>{ip("203.0.113.254")});
}

TEST(LoadAppliance, EveryKey) {
  const ApplianceModel model = must_load_it(R"(
[gateway]
policy = "/srv/policy.toml"
name = "egress-1"
state_period = "0s"

[[port]]
name = "stick"
role = "both"
device = "net_memif,role=client,socket=/run/x.sock"
addresses = ["10.0.0.1/24", "2001:db8::1/64"]
gateway = ["10.0.0.254", "fe80::1"]
routes = [{ to = "10.1.0.0/16", via = "10.0.0.2" }, { to = "fd00::/8", via = "fe80::2" }]
mtu = 9000
vlan = 4094
service_vlan = 100

[workers]
cores = "1-3,5"
idle = "busy"

[limits]
flows = 1_000
held_bytes = "1M"
hello_bytes = 16384
flows_per_source = 100
new_flows_per_second_per_source = 10

[timeouts]
tcp_established = "3h"
tcp_transitory = "5m"
udp = "2m"
icmp = "61s"

[nat]
tcp_mapping = "endpoint_independent"
udp_mapping = "endpoint_dependent"
filtering = "address_dependent"
port_range = "20000-29999"
pool_key = "000102030405060708090a0b0c0d0eFF"
source_check = false
tcp_midstream = "allow"
mss_clamp = "off"
unsolicited = "icmp"
udp_inbound_refresh = true
fragments_max = 16
fragment_timeout = "1s"

[flow_log]
file = "-"
journald = true
syslog = "udp:[2001:db8::5]:514"
syslog_facility = "local3"

[control]
socket = "/tmp/control.sock"

[dpdk]
eal_args = ["--log-level", "8"]
)");
  EXPECT_EQ(model.policy_path, "/srv/policy.toml");
  EXPECT_EQ(model.name, "egress-1");
  EXPECT_EQ(model.state_period, 0s);
  ASSERT_EQ(model.ports.size(), 1U);
  EXPECT_EQ(model.ports[0].role, PortRole::both);
  EXPECT_EQ(model.ports[0].mtu, 9000);
  EXPECT_EQ(model.ports[0].vlan, 4094);
  EXPECT_EQ(model.ports[0].service_vlan, 100);
  EXPECT_EQ(model.ports[0].gateway.size(), 2U);
  ASSERT_EQ(model.ports[0].routes.size(), 2U);
  EXPECT_EQ(to_string(model.ports[0].routes[0].to), "10.1.0.0/16");
  EXPECT_EQ(model.ports[0].routes[0].via, ip("10.0.0.2"));
  EXPECT_EQ(model.ports[0].routes[1].via, ip("fe80::2"));
  EXPECT_FALSE(model.workers.cores_auto);
  EXPECT_EQ(model.workers.cores, (std::vector<unsigned>{1, 2, 3, 5}));
  EXPECT_EQ(model.workers.idle, IdleMode::busy);
  EXPECT_EQ(model.limits.flows, 1000U);
  EXPECT_EQ(model.limits.held_bytes, 1U << 20U);
  EXPECT_EQ(model.limits.hello_bytes, 16384U);
  EXPECT_EQ(model.limits.flows_per_source, 100U);
  EXPECT_EQ(model.limits.new_flows_per_second_per_source, 10U);
  EXPECT_EQ(model.timeouts.udp, 2min);
  EXPECT_EQ(model.nat.tcp_mapping, Mapping::endpoint_independent);
  EXPECT_EQ(model.nat.udp_mapping, Mapping::endpoint_dependent);
  EXPECT_EQ(model.nat.filtering, Filtering::address_dependent);
  EXPECT_TRUE(model.nat.unsolicited_icmp);
  EXPECT_TRUE(model.nat.udp_inbound_refresh);
  EXPECT_EQ(model.nat.port_range.first, 20000);
  EXPECT_EQ(model.nat.port_range.last, 29999);
  ASSERT_TRUE(model.nat.pool_key);
  EXPECT_EQ((*model.nat.pool_key)[1], 1);
  EXPECT_EQ((*model.nat.pool_key)[15], 0xff);
  EXPECT_FALSE(model.nat.source_check);
  EXPECT_TRUE(model.nat.tcp_midstream);
  EXPECT_FALSE(model.nat.mss_clamp);
  EXPECT_EQ(model.nat.fragments_max, 16U);
  EXPECT_EQ(model.nat.fragment_timeout, 1s);
  EXPECT_EQ(model.flow_log.file, "-");
  EXPECT_TRUE(model.flow_log.journald);
  EXPECT_EQ(model.flow_log.syslog.by, LogTarget::By::udp);
  EXPECT_EQ(model.flow_log.syslog.address, ip("2001:db8::5"));
  EXPECT_EQ(model.flow_log.syslog.port, 514);
  EXPECT_EQ(model.flow_log.syslog_facility, 19);
  EXPECT_EQ(model.control_socket, "/tmp/control.sock");
  EXPECT_EQ(model.eal_args, (std::vector<std::string>{"--log-level", "8"}));
}

TEST(LoadAppliance, DevicesOfEveryKind) {
  for (const std::string device : {"0000:01:00.0", "01:00.1", "0000:3b:00.0,representor=0", "net_af_xdp,iface=eth1",
                                   "net_pcap,rx_pcap=a.pcap", "net_tap,iface=x", "net_null", "net_ring0"}) {
    must_load_it("[[port]]\nname = \"p\"\nrole = \"both\"\ndevice = \"" + device + "\"");
  }
}

struct Mistake {
  std::string_view text;
  std::uint32_t line;  // from the first line of the text
  std::uint32_t column;
  std::string_view path;
  std::string_view part;
};

TEST(ApplianceErrors, BesideRightPorts) {
  const std::vector<Mistake> table{
      {"[gateways]", 1, 2, "gateways", "did you mean \"gateway\"?"},
      {"[gateway]\npolicy = 1", 2, 10, "gateway.policy", "expected a string"},
      {"[gateway]\npolicy = \"\"", 2, 10, "gateway.policy", "empty"},
      {"[workers]\ncores = \"1-\"", 2, 9, "workers.cores", "such as \"1-3,5\"; or \"auto\""},
      {"[workers]\ncores = \"1,1\"", 2, 9, "workers.cores", "1 stands twice"},
      {"[workers]\ncores = 2", 2, 9, "workers.cores", "expected a string"},
      {"[workers]\nidle = \"lazy\"", 2, 8, "workers.idle", "\"busy\" or \"adaptive\""},
      {"[limits]\nflows = 0", 2, 9, "limits.flows", "1 to"},
      {"[limits]\nflows = \"4M\"", 2, 9, "limits.flows", "a number has neither quotes nor a unit"},
      {"[snat]\naddresses = []", 1, 2, "snat", "it belongs into the policy"},
      {"[limits]\nheld_bytes = \"256 M\"", 2, 14, "limits.held_bytes", "such as \"256M\""},
      {"[limits]\nheld_bytes = -1", 2, 14, "limits.held_bytes", "expected a whole number"},
      {"[limits]\nhello_bytes = \"65K\"", 2, 15, "limits.hello_bytes", "out of range"},
      {"[limits]\nhello_bytes = 1.5", 2, 15, "limits.hello_bytes", "this is a fraction"},
      {"[timeouts]\nudp = \"5 min\"", 2, 7, "timeouts.udp", "a duration such as"},
      {"[timeouts]\nudp = \"0s\"", 2, 7, "timeouts.udp", "out of range"},
      {"[nat]\nport_range = \"0-10\"", 2, 14, "nat.port_range", "1 to 65535"},
      {"[nat]\nport_range = \"2000-1000\"", 2, 14, "nat.port_range", "ends before it starts"},
      {"[nat]\nport_range = [1024, 65535]", 2, 14, "nat.port_range", "expected a string"},
      {"[nat]\npool_key = \"secret\"", 2, 12, "nat.pool_key", "32 hexadecimal digits"},
      {"[nat]\npool_key = \"0001020304050607 8090a0b0c0d0e0f\"", 2, 12, "nat.pool_key", "32 hexadecimal digits"},
      {"[nat]\nsource_check = 1", 2, 16, "nat.source_check", "true or false"},
      {"[nat]\nmss_clamp = true", 2, 13, "nat.mss_clamp", "\"auto\" or \"off\""},
      {"[nat]\nport_block = 0", 2, 14, "nat.port_block", "1 to 32768"},
      {"[nat]\nport_range = \"2000-2047\"\nport_block = 64", 1, 1, "nat", "no whole block of 64"},
      {"[nat]\nport_block = 64\nports_per_source_max = 63", 1, 1, "nat", "less than one block of 64"},
      {"[nat]\nfragment_timeout = \"2\"", 2, 20, "nat.fragment_timeout", "a duration such as"},
      {"[flow_log]\nfile = \"\"", 2, 8, "flow_log.file", "empty"},
      {"[flow_log]\njournald = \"yes\"", 2, 12, "flow_log.journald", "true or false"},
      {"[flow_log]\nsyslog = \"/dev/log\"", 2, 10, "flow_log.syslog", "\"unix:/dev/log\""},
      {"[flow_log]\nsyslog = \"udp:log.example:514\"", 2, 10, "flow_log.syslog", "\"udp:192.0.2.5:514\""},
      {"[flow_log]\nsyslog_facility = \"kern\"", 2, 19, "flow_log.syslog_facility", "\"daemon\""},
      {"[dpdk]\neal_args = \"-l 1\"", 2, 12, "dpdk.eal_args", "expected an array"},
      {"[dpdk]\neal_args = [\"-n\", \"4\", \"--help\"]", 2, 24, "dpdk.eal_args[2]", "leave it out"},
      {"[dpdk]\neal_args = [\"--proc-type=secondary\"]", 2, 13, "dpdk.eal_args[0]", "is not for a gateway"},
      {"[control]\nsocked = \"x\"", 2, 1, "control.socked", "did you mean \"socket\"?"},
      {"[[port]]\nname = \"inside\"\nrole = \"inside\"\ndevice = \"net_null\"", 2, 8, "port[2].name",
       "name \"inside\" stands at port[0].name already"},
      {"[[port]]\nname = \"x\"\nrole = \"inside\"\ndevice = \"0000:01:00.0\"", 4, 10, "port[2].device",
       "stands at port[0].device already"},
      {"[[port]]\nname = \"x\"\nrole = \"inside\"\ndevice = \"01:00.0,arg=1\"", 4, 10, "port[2].device",
       "PCI device 0000:01:00.0 stands at port[0].device already; one port with role = \"both\" serves both sides"},
      {"[[port]]\nname = \"x\"\nrole = \"inside\"\ndevice = \"net_af_xdp,queue_count=1,iface=eth1\"", 4, 10,
       "port[2].device", "interface \"eth1\" stands at port[1].device already"},
      {"[[port]]\nname = \"x\"\nrole = \"inside\"\ndevice = \"net_pcap0,iface=eth1\"", 4, 10, "port[2].device",
       "interface \"eth1\""},
      {"[[port]]\nname = \"x\"\nrole = \"inside\"\ndevice = \"net_null\"\naddresses = [\"10.0.0.1/8\"]", 5, 14,
       "port[2].addresses[0]", "address 10.0.0.1 stands at port[0].addresses[0] already"},
      {"[[port]]\nname = \"x\"\nrole = \"in\"\ndevice = \"net_null\"", 3, 8, "port[2].role",
       "\"inside\", \"outside\" or \"both\""},
      {"[[port]]\nname = \"x\"\nrole = \"inside\"\ndevice = \"eth1\"", 4, 10, "port[2].device",
       "a PCI address such as"},
      {"[[port]]\nname = \"x\"\nrole = \"inside\"\ndevice = \"net_af_packet,eth2\"", 4, 10, "port[2].device",
       "add iface=NAME, such as \"net_af_packet,iface=eth1\""},
      {"[[port]]\nname = \"x\"\nrole = \"inside\"", 1, 1, "port[2].device", "required"},
      {"[[port]]\nname = \"x\"\nrole = \"inside\"\ndevice = \"net_null\"\naddresses = [\"10.5.0.1\"]", 5, 14,
       "port[2].addresses[0]", "the length of its network"},
      {"[[port]]\nname = \"x\"\nrole = \"inside\"\ndevice = \"net_null\"\naddresses = [\"10.5.0.1/24\"]\ngateway = "
       "[\"10.6.0.1\"]",
       6, 12, "port[2].gateway[0]", "in no network of the port's addresses"},
      {"[[port]]\nname = \"x\"\nrole = \"inside\"\ndevice = \"net_null\"\naddresses = [\"10.5.0.1/24\"]\ngateway = "
       "[\"10.5.0.1\"]",
       6, 12, "port[2].gateway[0]", "the port's own address"},
      {"[[port]]\nname = \"x\"\nrole = \"inside\"\ndevice = \"net_null\"\ngateway = \"10.5.0.1\"", 5, 11,
       "port[2].gateway", "expected an array"},
      {"[[port]]\nname = \"x\"\nrole = \"inside\"\ndevice = \"net_null\"\nmtu = 67", 5, 7, "port[2].mtu", "68 to 9216"},
      {"[[port]]\nname = \"x\"\nrole = \"inside\"\ndevice = \"net_null\"\nmtu = 1279\naddresses = [\"fd01::1/64\"]", 5,
       7, "port[2].mtu", "too small for IPv6"},
      {"[[port]]\nname = \"x\"\nrole = \"inside\"\ndevice = \"net_null\"\nvlan = 4095", 5, 8, "port[2].vlan",
       "0 to 4094"},
      {"[[port]]\nname = \"x\"\nrole = \"inside\"\ndevice = \"net_null\"\nservice_vlan = 7", 5, 16,
       "port[2].service_vlan", "set `vlan` as well"},
  };
  for (const Mistake& mistake : table) {
    SCOPED_TRACE(mistake.text);
    const auto loaded = load_it(std::string(two_ports) + std::string(mistake.text));
    expect_one_error(loaded, behind_ports - 1 + mistake.line, mistake.column, mistake.path, mistake.part);
  }
}

TEST(LoadAppliance, Tunnels) {
  const ApplianceModel model = must_load_it(std::string(two_ports) + R"(
[[tunnel]]
type = "vxlan"
port_name = "inside"
local = "10.0.0.1"
vni = [4096, 7]
addresses = ["10.244.0.1", "fd00:244::1"]
[[tunnel]]
type = "geneve"
port_name = "inside"
local = "fd00::1"
remotes = ["fd00::/64", "fd00:1::7"]
vni = [0]
port = 6082
[[tunnel]]
type = "gre"
port_name = "inside"
local = "10.0.0.1"
[[tunnel]]
type = "gre"
port_name = "inside"
local = "10.0.0.1"
vni = [4294967295]
[[tunnel]]
type = "ipip"
port_name = "inside"
local = "10.0.0.1"
remotes = ["10.0.0.7-10.0.0.9"]
)");
  ASSERT_EQ(model.tunnels.size(), 5U);
  EXPECT_EQ(model.tunnels[0].port, 4789);
  EXPECT_EQ(model.tunnels[0].vni, (std::vector<std::uint32_t>{4096, 7}));
  EXPECT_TRUE(model.tunnels[0].remotes.empty());
  EXPECT_EQ(model.tunnels[0].addresses, (std::vector<IpAddress>{ip("10.244.0.1"), ip("fd00:244::1")}));
  EXPECT_TRUE(model.tunnels[1].addresses.empty());
  EXPECT_EQ(model.tunnels[1].type, TunnelType::geneve);
  EXPECT_EQ(model.tunnels[1].port, 6082);
  EXPECT_EQ(model.tunnels[1].remotes.size(), 2U);
  EXPECT_TRUE(model.tunnels[2].vni.empty());
  EXPECT_EQ(model.tunnels[2].port, 0);
  EXPECT_EQ(model.tunnels[3].vni.at(0), 4294967295U);
  EXPECT_EQ(model.tunnels[4].type, TunnelType::ipip);
  EXPECT_EQ(to_string(model.tunnels[4].remotes.at(0).last), "10.0.0.9");
}

TEST(ApplianceErrors, Tunnels) {
  const std::string vxlan = "[[tunnel]]\ntype = \"vxlan\"\nport_name = \"inside\"\nlocal = \"10.0.0.1\"\n";
  const std::string ipip = "[[tunnel]]\ntype = \"ipip\"\nport_name = \"inside\"\nlocal = \"10.0.0.1\"\n";
  const std::string small =
      "[[port]]\nname = \"small\"\nrole = \"inside\"\ndevice = \"net_null0\"\nmtu = 1329\n"
      "addresses = [\"10.7.0.1/24\", \"fd07::1/64\"]\n";
  struct Wrong {
    std::string text;
    std::uint32_t line, column;
    std::string_view path, part;
  };
  const std::vector<Wrong> table{
      {vxlan, 1, 1, "tunnel[0]", "expected vni"},
      {vxlan + "vni = []", 5, 7, "tunnel[0].vni", "expected vni"},
      {vxlan + "vni = [16777216]", 5, 8, "tunnel[0].vni[0]", "0 to 16777215"},
      {vxlan + "vni = [1]\nport = 0", 6, 8, "tunnel[0].port", "1 to 65535"},
      {vxlan + "vni = [1]\nremotes = []", 6, 11, "tunnel[0].remotes", "leave it out"},
      {vxlan + "vni = [1]\nremotes = [\"fd00::7\"]", 6, 12, "tunnel[0].remotes[0]", "family"},
      {vxlan + "vni = [1]\nvnis = [2]", 6, 1, "tunnel[0].vnis", "did you mean \"vni\"?"},
      {vxlan + "vni = [1]\naddresses = [\"10.1.0.1/16\"]", 6, 14, "tunnel[0].addresses[0]", "address"},
      {ipip + "vni = [1]", 5, 7, "tunnel[0].vni", "no network identifier"},
      {ipip + "port = 4789", 5, 8, "tunnel[0].port", "UDP port"},
      {ipip + ipip, 5, 1, "tunnel[1]", "the same packets are those of the tunnel at line 12"},
      {"[[tunnel]]\ntype = \"stt\"\nport_name = \"inside\"\nlocal = \"10.0.0.1\"", 2, 8, "tunnel[0].type", "\"vxlan\""},
      {"[[tunnel]]\ntype = \"ipip\"\nport_name = \"lan\"\nlocal = \"10.0.0.1\"", 3, 13, "tunnel[0].port_name",
       "no port"},
      {"[[tunnel]]\ntype = \"ipip\"\nport_name = \"outside\"\nlocal = \"203.0.113.2\"", 3, 13, "tunnel[0].port_name",
       "outside port"},
      {"[[tunnel]]\ntype = \"ipip\"\nport_name = \"inside\"\nlocal = \"10.0.0.2\"", 4, 9, "tunnel[0].local",
       "none of the addresses"},
      {small + "[[tunnel]]\ntype = \"vxlan\"\nport_name = \"small\"\nlocal = \"10.7.0.1\"\nvni = [1]", 9, 13,
       "tunnel[0].port_name", "an inner MTU of 1279 (port \"small\" has 1329) is too small for IPv6"},
  };
  for (const Wrong& wrong : table) {
    SCOPED_TRACE(wrong.text);
    const auto loaded = load_it(std::string(two_ports) + wrong.text);
    expect_one_error(loaded, behind_ports - 1 + wrong.line, wrong.column, wrong.path, wrong.part);
  }
}

TEST(LoadAppliance, TunnelsWithRoomForIPv6OrWithoutIt) {
  const auto with = [](int mtu, const std::string& tunnel) {
    return load_it(
               std::string(two_ports) +
               "[[port]]\nname = \"small\"\nrole = \"inside\"\ndevice = \"net_null0\"\naddresses = [\"10.7.0.1/24\", "
               "\"fd07::1/64\"]\nmtu = " +
               std::to_string(mtu) + "\n[[tunnel]]\nport_name = \"small\"\n" + tunnel)
        .model.has_value();
  };
  const std::string vxlan = "type = \"vxlan\"\nvni = [1]\nlocal = \"10.7.0.1\"\n";
  const std::string ipip6 = "type = \"ipip\"\nlocal = \"fd07::1\"\n";
  EXPECT_TRUE(with(1330, vxlan));
  EXPECT_FALSE(with(1329, vxlan));
  EXPECT_TRUE(with(1329, vxlan + "addresses = [\"10.1.0.1\"]")) << "pods of IPv4";
  EXPECT_FALSE(with(1329, vxlan + "addresses = [\"10.1.0.1\", \"fd01::1\"]"));
  EXPECT_TRUE(with(1320, ipip6));
  EXPECT_FALSE(with(1319, ipip6));
}

TEST(ApplianceErrors, BothSidesAreNeeded) {
  expect_one_error(load_it(""), 1, 1, "port", "no port at all");
  expect_one_error(load_it("port = []"), 1, 1, "port", "no port at all");
  expect_one_error(load_it("[[port]]\nname = \"p\"\nrole = \"inside\"\ndevice = \"net_null\""), 1, 1, "port",
                   "no outside port");
  expect_one_error(load_it("[[port]]\nname = \"p\"\nrole = \"outside\"\ndevice = \"net_null\""), 1, 1, "port",
                   "no inside port");
  expect_one_error(load_it("[[port]]\nname = \"p\"\nrole = \"bothe\"\ndevice = \"net_null\""), 3, 8, "port[0].role",
                   "did you mean \"both\"?");
  expect_one_error(load_it("[port]\nname = \"p\""), 1, 1, "port", "expected an array");
}

TEST(ApplianceErrors, MetricsWantAnAddressAndAPort) {
  for (const std::string_view listen : {"9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "::1:9464",
                                        "[127.0.0.1]:9464", "localhost:9464", "127.0.0.1:94 64", "[]:1", ":9464"}) {
    const auto text = std::string(two_ports) + "[metrics]\nlisten = \"" + std::string(listen) + "\"";
    const auto loaded = load_it(text);
    ASSERT_EQ(loaded.diagnostics.errors(), 1U) << listen << messages(loaded);
    EXPECT_EQ(loaded.diagnostics.all()[0].key_path, "metrics.listen");
    EXPECT_NE(loaded.diagnostics.all()[0].message.find("expected an address and a port"), std::string::npos);
  }
}

TEST(ApplianceErrors, MetricsForEverybodyWantAToken) {
  for (const std::string_view listen : {"0.0.0.0:9464", "192.0.2.1:9464", "[::]:9464", "[2001:db8::1]:9464"}) {
    const auto text = std::string(two_ports) + "[metrics]\nlisten = \"" + std::string(listen) + "\"\n";
    const auto refused = load_it(text);
    ASSERT_EQ(refused.diagnostics.errors(), 1U) << listen << messages(refused);
    EXPECT_NE(refused.diagnostics.all()[0].message.find("name a token_file"), std::string::npos);
    const auto taken = load_it(text + "token_file = \"token\"");
    ASSERT_TRUE(taken.model) << messages(taken);
    EXPECT_EQ(taken.model->metrics.listen, listen);
  }
  for (const std::string_view listen : {"127.0.0.1:9464", "127.9.9.9:1", "[::1]:65535"}) {
    EXPECT_TRUE(load_it(std::string(two_ports) + "[metrics]\nlisten = \"" + std::string(listen) + "\"").model)
        << listen;
  }
}

TEST(ApplianceWarnings, TimeoutsBelowTheirRfc) {
  for (const auto* key : {"tcp_established", "tcp_transitory", "udp", "icmp"}) {
    const std::string path = std::string("timeouts.") + key;
    expect_one_warning(load_it(std::string(two_ports) + "[timeouts]\n" + key + " = \"1s\""), path, "RFC");
  }
}

TEST(LoadAppliance, FromAFile) {
  const TemporaryFolder folder;
  const auto loaded = load_appliance_file(folder.write("sallyport.toml", two_ports));
  ASSERT_TRUE(loaded.model) << messages(loaded);
  EXPECT_EQ(loaded.model->policy_path, folder.path("policy.toml"));
  const auto missing = load_appliance_file(folder.path("none.toml"));
  EXPECT_EQ(messages(missing), folder.path("none.toml") + ": cannot be read: No such file or directory\n");
}

}  // namespace
}  // namespace sallyport::config
