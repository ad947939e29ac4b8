// sallyport.toml as a value: ports, cores, limits, timeouts, logs. Made by load_appliance(). Read once, at start.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/address.h"
#include "config/diagnostics.h"

namespace sallyport::config {

enum class PortRole : std::uint8_t { inside, outside, both };

struct InterfaceAddress {
  IpAddress address;
  std::uint8_t length = 0;  // bits of the connected network
  Location at = {};
};
// The connected network.
[[nodiscard]] Prefix network_of(const InterfaceAddress& own);

// What is behind a neighbour of a port.
struct PortRoute {
  Prefix to;
  IpAddress via;
};

struct PortConfig {
  std::string name;
  PortRole role = PortRole::inside;
  std::string device;  // a PCI address or a DPDK virtual device with its arguments
  std::vector<InterfaceAddress> addresses;
  std::vector<IpAddress> gateway;
  std::vector<PortRoute> routes;
  std::uint16_t mtu = 1500;        // bytes of the IP packet
  std::uint16_t vlan = 0;          // 0: untagged
  std::uint16_t service_vlan = 0;  // of the tag in front of it (802.1ad); 0: none
  Location at;
};

enum class IdleMode : std::uint8_t { busy, adaptive };

struct WorkersConfig {
  bool cores_auto = true;
  std::vector<unsigned> cores;  // processor numbers, where not auto
  IdleMode idle = IdleMode::adaptive;
};

struct Limits {
  std::uint32_t flows = 4'000'000;
  std::uint64_t held_bytes = 256ULL << 20U;
  std::uint32_t hello_bytes = 12U << 10U;
  std::uint32_t flows_per_source = 0;                 // 0: no limit
  std::uint32_t new_flows_per_second_per_source = 0;  // 0: no limit
};

struct Timeouts {
  std::chrono::milliseconds tcp_established{7'440'000};
  std::chrono::milliseconds tcp_transitory{240'000};
  std::chrono::milliseconds udp{300'000};
  std::chrono::milliseconds icmp{60'000};
};

struct PortRange {
  std::uint16_t first = 1024;
  std::uint16_t last = 65535;
};

enum class Mapping : std::uint8_t { endpoint_independent, endpoint_dependent };
enum class Filtering : std::uint8_t { endpoint_independent, address_dependent, address_and_port_dependent };

struct NatConfig {
  Mapping tcp_mapping = Mapping::endpoint_dependent;
  Mapping udp_mapping = Mapping::endpoint_independent;
  Filtering filtering = Filtering::address_and_port_dependent;
  PortRange port_range;
  std::optional<std::array<std::uint8_t, 16>> pool_key;  // absent: "auto"
  bool source_check = true;
  bool tcp_midstream = false;              // "allow": packets without a flow start one
  bool udp_inbound_refresh = false;        // answers keep a mapping alive, too (RFC 4787 REQ-6)
  bool unsolicited_icmp = false;           // unsolicited: "icmp", else "drop" (RFC 5382 REQ-4)
  bool mss_clamp = true;                   // "auto", else "off"
  std::uint32_t port_block = 0;            // ports are given out in blocks of so many (RFC 6888 REQ-14); 0: one by one
  std::uint32_t ports_per_source_max = 0;  // of an inside address (RFC 6888 REQ-4); 0: no limit
  std::uint32_t fragments_max = 4096;
  std::chrono::milliseconds fragment_timeout{2'000};
};

enum class TunnelType : std::uint8_t { vxlan, geneve, gre, ipip };

// The cluster's overlay: its packets come to `local` on an inside port.
struct TunnelConfig {
  TunnelType type = TunnelType::vxlan;
  std::string port_name;
  IpAddress local;
  std::vector<AddressRange> remotes;  // who may send; empty: anybody
  std::vector<std::uint32_t> vni;     // of gre: keys; empty: of packets that name none
  std::uint16_t port = 0;             // UDP; 0: it is not over UDP
  std::vector<IpAddress> addresses;   // the gateway's own inside: it answers ARP, neighbour discovery and ping there
  Location at;
};

enum class Start : std::uint8_t { active, standby };

// One of several gateways: either they stand in for each other, and `sallyport ha` says whose turn it is, or routing
// spreads senders over them, each with egress addresses of its own.
struct HaConfig {
  Start start = Start::active;
  std::chrono::milliseconds fence_after{0};  // 0: never
  std::string replicate;                     // socket of the Redis that carries flows to the other one; empty: none
  // The senders' next hop, an address that all gateways share: on an inside port while this one can forward.
  std::vector<IpAddress> next_hop;
  bool egress_routes = false;       // the egress addresses as routes of the outside ports, for others to announce
  std::vector<IpAddress> drain_to;  // who takes new flows while this gateway drains; of a family at most one
};

// A socket that takes records.
struct LogTarget {
  enum class By : std::uint8_t { nothing, unix_socket, udp, tcp };

  By by = By::nothing;
  std::string path;  // of a unix_socket
  IpAddress address;
  std::uint16_t port = 0;
};

struct FlowLogConfig {
  std::string file;  // empty: none; "-": standard output
  bool journald = false;
  LogTarget syslog;
  std::uint8_t syslog_facility = 3;  // daemon
};

struct IpfixConfig {
  LogTarget collector;
  bool sessions = true;                                // translations, as they begin and end; else what is rarer
  std::chrono::milliseconds template_refresh{60'000};  // over UDP
  std::uint32_t observation_domain = 1;
};

struct MetricsConfig {
  std::string listen;      // "127.0.0.1:9464", "[::1]:9464"; empty: nowhere
  std::string token_file;  // resolved; its first line is a bearer token; empty: none is wanted
};

struct ApplianceModel {
  std::vector<std::string> files;
  std::string policy = "policy.toml";  // as written; relative to the file's folder
  std::string policy_path;             // resolved
  std::string shadow_policy;           // likewise, decided beside it and not enforced; empty: none
  std::string shadow_policy_path;
  std::chrono::milliseconds state_period{1'000};  // between two writings of the flows; 0: only at the end
  std::string name = "sallyport";
  std::vector<PortConfig> ports;
  std::vector<TunnelConfig> tunnels;
  WorkersConfig workers;
  Limits limits;
  Timeouts timeouts;
  NatConfig nat;
  FlowLogConfig flow_log;
  IpfixConfig ipfix;
  MetricsConfig metrics;
  HaConfig ha;
  std::string control_socket = "/run/sallyport/control.sock";
  std::vector<std::string> eal_args;
};

}  // namespace sallyport::config
