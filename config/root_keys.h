// Which table stands in which of the two documents: somebody who confuses them is told where a table belongs.
#pragma once

#include <array>
#include <string_view>

namespace sallyport::config {

inline constexpr std::array<std::string_view, 13> appliance_tables = {
    "gateway", "port",     "tunnel", "workers", "limits",  "timeouts", "nat",
    "ha",      "flow_log", "ipfix",  "metrics", "control", "dpdk"};
inline constexpr std::array<std::string_view, 19> policy_tables = {
    "cluster",     "defaults",   "snat",       "dns",       "namespace", "workload",  "network_policy",
    "network_set", "domain_set", "egress",     "ip_pool",   "tcp_route", "tls_route", "egress_network",
    "egress_pool", "icmp_route", "http_route", "udp_route", "grpc_route"};

// Of these there is one; of the others as many as one likes, each written [[..]].
inline constexpr std::array<std::string_view, 15> single_tables = {
    "gateway", "workers", "limits", "timeouts", "nat",      "ha",   "flow_log", "ipfix",
    "metrics", "control", "dpdk",   "cluster",  "defaults", "snat", "dns"};

}  // namespace sallyport::config
