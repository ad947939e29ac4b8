// The policy as the operator wrote it: plain values, names resolved by nobody yet, every part with its place in the
// file. Made by load_policy(), compiled by classifier::Policy::compile(). The language is described in docs/POLICY.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "config/address.h"
#include "config/diagnostics.h"

namespace sallyport::config {

using Labels = std::map<std::string, std::string>;

// A Kubernetes label selector. Empty: selects everything.
struct SelectorTerm {
  enum class Operator : std::uint8_t { in, not_in, exists, does_not_exist };
  std::string key;
  Operator op = Operator::exists;
  std::vector<std::string> values;
};
struct Selector {
  Labels match_labels;
  std::vector<SelectorTerm> match_expressions;
  [[nodiscard]] bool empty() const noexcept { return match_labels.empty() && match_expressions.empty(); }
};

struct LocatedPrefix {
  Prefix prefix;
  Location at;
};

// A CIDR with holes. Every except lies inside cidr, is of its family, and none covers it whole.
struct CidrBlock {
  Prefix cidr;
  std::vector<Prefix> except;
  Location at;
};

// ---- who sends ------------------------------------------------------------------------------------------------------

struct Namespace {
  std::string name;
  Labels labels;  // with kubernetes.io/metadata.name = name
  std::vector<LocatedPrefix> addresses;
  Location at;
};

struct Workload {
  std::string namespace_name;
  std::string name;
  Labels labels;
  std::vector<LocatedPrefix> addresses;
  Location at;
};

// ---- layer 1 --------------------------------------------------------------------------------------------------------

// `other`: of flows only, no rule names it.
enum class Protocol : std::uint8_t { tcp, udp, sctp, icmp, other };

// An absent port means every port of the protocol.
struct PortRule {
  Protocol protocol = Protocol::tcp;
  std::optional<std::uint16_t> port;
  std::optional<std::uint16_t> end_port;
  Location at;
};

struct IpBlockPeer {
  CidrBlock block;
};
struct NetworkSetPeer {
  Selector selector;
};
struct PodPeer {
  std::optional<Selector> pod_selector;
  std::optional<Selector> namespace_selector;  // absent: the policy's own namespace
};
struct DomainsPeer {
  std::vector<std::string> domains;
};
struct Peer {
  std::variant<IpBlockPeer, NetworkSetPeer, PodPeer, DomainsPeer> is;
  Location at;
};

struct NetworkPolicyRule {
  std::vector<Peer> to;         // empty: any destination
  std::vector<PortRule> ports;  // empty: any port and protocol
  Location at;
};

struct NetworkPolicy {
  std::string namespace_name;
  std::string name;
  Selector pod_selector;
  std::vector<NetworkPolicyRule> egress;  // empty: denies all
  Location at;
};

struct NetworkSet {
  std::string name;
  std::string namespace_name;  // empty: global
  Labels labels;
  std::vector<LocatedPrefix> nets;  // of the table and of its file
  Location at;
};

// ---- layer 2 --------------------------------------------------------------------------------------------------------

enum class TrafficPolicy : std::uint8_t { allow, deny };
enum class RouteAction : std::uint8_t { allow, deny, audit };
// In rising precedence among those that share a TCP port.
enum class RouteKind : std::uint8_t { icmp, udp, tcp, tls, http, grpc };

struct EgressNetwork {
  std::string namespace_name;
  std::string name;
  TrafficPolicy traffic_policy = TrafficPolicy::deny;
  bool networks_given = false;  // false: everything but cluster.networks, filled in by the loader
  std::vector<CidrBlock> networks;
  Location at;
};

struct ParentRef {
  std::string name;
  std::string namespace_name;
  std::optional<std::uint16_t> port;  // absent for icmp_route only
  std::optional<std::uint16_t> end_port;
  Location at;
};

// A host name as a route writes it; lower case, A-labels, no trailing dot.
struct HostPattern {
  enum class Kind : std::uint8_t {
    exact,     // "example.com"
    wildcard,  // "*.example.com": one or more labels before it; text holds "example.com"
    apex,      // ".example.com": the name and everything below; text holds "example.com"
    regex,     // the whole name
  };
  Kind kind = Kind::exact;
  std::string text;
  Location at;
};

struct StringMatch {
  enum class Type : std::uint8_t { exact, path_prefix, regular_expression };
  Type type = Type::exact;
  std::string value;
  Location at = {};  // of the value

  friend bool operator==(const StringMatch& a, const StringMatch& b) { return a.type == b.type && a.value == b.value; }
};
struct NamedMatch {
  std::string name;
  StringMatch match;
  friend bool operator==(const NamedMatch&, const NamedMatch&) = default;
};
struct HttpMatch {
  std::optional<StringMatch> path;
  std::optional<std::string> method;
  std::vector<NamedMatch> headers;
  std::vector<NamedMatch> query_params;
  StringMatch::Type grpc_type = StringMatch::Type::exact;  // of grpc_service and grpc_method
  std::optional<std::string> grpc_service;
  std::optional<std::string> grpc_method;
  Location grpc_service_at = {};
  Location grpc_method_at = {};
  std::string key;  // "http_route[0].rules[1].matches[0]"
  Location at;

  // Takes the same requests, wherever it stands.
  friend bool operator==(const HttpMatch& a, const HttpMatch& b) {
    return std::tie(a.path, a.method, a.headers, a.query_params, a.grpc_type, a.grpc_service, a.grpc_method) ==
           std::tie(b.path, b.method, b.headers, b.query_params, b.grpc_type, b.grpc_service, b.grpc_method);
  }
};

struct Route {
  RouteKind kind = RouteKind::tcp;
  std::string namespace_name;
  std::string name;
  std::vector<ParentRef> parent_refs;
  RouteAction action = RouteAction::allow;
  std::vector<HostPattern> hostnames;
  std::vector<std::string> hostname_sets;
  std::vector<HttpMatch> matches;  // every matches[] of every rules[]
  Location at;
};

struct DomainSet {
  enum class Match : std::uint8_t { exact, subdomains };
  std::string name;
  Match match = Match::subdomains;
  std::vector<std::string> names;  // of the table and of its file; lower case, A-labels
  Location at;
};

// ---- defaults -------------------------------------------------------------------------------------------------------

enum class Binding : std::uint8_t { off, audit, deny };

struct Defaults {
  TrafficPolicy uncaptured = TrafficPolicy::deny;
  Location uncaptured_at;  // line 0: not written
  bool global_scope_exclusive = false;
  bool deny_resets = true;         // deny_action: "reset", else "drop"
  bool http_deny_responds = true;  // http_deny: "respond", else "reset"
  bool reload_reevaluates = true;  // on_reload: "reevaluate", else "keep"
  bool ech_denied = false;         // ech: "deny", else "outer"
  std::vector<std::string> ech_public_names{"cloudflare-ech.com"};
  Binding server_name_binding = Binding::off;
  std::chrono::milliseconds hello_timeout{10'000};
};

// ---- under which address --------------------------------------------------------------------------------------------

struct Snat {
  std::vector<IpAddress> addresses;
  std::vector<Prefix> except;  // filled with cluster.networks where the file says nothing
  Location at;
};

struct EgressPool {
  std::string name;
  std::vector<AddressRange> ranges;
  std::vector<AddressRange> exclude;
  Location at;
};

struct AppliedTo {
  std::optional<Selector> pod_selector;
  std::optional<Selector> namespace_selector;
};

struct Bandwidth {
  std::uint64_t rate_bits_per_second = 0;
  std::uint64_t burst_bits = 0;
};

struct Egress {
  std::string name;
  std::optional<AppliedTo> applied_to;
  std::vector<Prefix> sources;
  std::vector<IpAddress> egress_ips;
  std::optional<Prefix> egress_prefix;  // RFC 6296: egress_ip written as a prefix
  std::string egress_pool;              // empty: none
  std::vector<Prefix> destinations;     // filled with everything where the file says nothing
  std::vector<Prefix> except;
  std::int64_t priority = 0;
  std::optional<Bandwidth> bandwidth;
  std::optional<std::uint8_t> dscp;
  Location at;
};

struct IpPool {
  Prefix cidr;
  bool nat_outgoing = false;
  Location at;
};

struct Dns {
  std::vector<IpAddress> trusted_servers;
  std::chrono::milliseconds extra_ttl{0};
  std::uint32_t names_max = 100'000;
};

// ---- the document ---------------------------------------------------------------------------------------------------

struct PolicyModel {
  std::vector<std::string> files;  // names as opened; Location::file points here

  std::vector<Prefix> cluster_networks;
  std::string global_namespace = "linkerd-egress";
  Defaults defaults;
  Snat snat;
  Dns dns;

  std::vector<Namespace> namespaces;
  std::vector<Workload> workloads;
  std::vector<NetworkPolicy> network_policies;
  std::vector<NetworkSet> network_sets;
  std::vector<EgressNetwork> egress_networks;
  std::vector<Route> routes;  // of all kinds, in file order
  std::vector<DomainSet> domain_sets;
  std::vector<EgressPool> egress_pools;
  std::vector<Egress> egresses;
  std::vector<IpPool> ip_pools;
};

}  // namespace sallyport::config
