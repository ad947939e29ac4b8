#include <array>

#include <fmt/format.h>

#include "config/document/values.h"
#include "config/host_name.h"
#include "config/policy/readers.h"

namespace sallyport::config {
namespace {

constexpr std::array<Choice<Protocol>, 4> protocols{
    {{"TCP", Protocol::tcp}, {"UDP", Protocol::udp}, {"SCTP", Protocol::sctp}, {"ICMP", Protocol::icmp}}};

std::optional<std::uint16_t> port_number(const Item& item, Diagnostics& diagnostics) {
  if (std::holds_alternative<std::string>(item.node->is)) {
    report(item, diagnostics, "expected a port number, this is a string; named ports are not known here");
    return std::nullopt;
  }
  return integer<std::uint16_t>(1, 65535)(item, diagnostics);
}

std::optional<PortRule> read_port_rule(const Item& item, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  if (!table.is_table()) return std::nullopt;
  PortRule rule;
  rule.at = item.at();
  table.optional("protocol", rule.protocol, one_of(protocols));
  const auto port = table.find("port");
  const auto end_port = table.find("end_port");
  if (port) rule.port = port_number(*port, diagnostics);
  if (end_port) rule.end_port = port_number(*end_port, diagnostics);
  if (rule.protocol == Protocol::icmp && port) report(*port, diagnostics, "ICMP has no ports");
  if (end_port && !port) report(*end_port, diagnostics, "an end_port without a port");
  if (rule.port && rule.end_port && *rule.end_port < *rule.port) {
    report(*end_port, diagnostics, fmt::format("{} is below port, which is {}", *rule.end_port, *rule.port));
  }
  return rule;
}

std::optional<std::string> read_peer_domain(const Item& item, Diagnostics& diagnostics) {
  const auto written = filled_text(item, diagnostics);
  if (!written) return std::nullopt;
  const auto pattern = parse_host_pattern(*written);
  if (!pattern) {
    report(item, diagnostics, pattern.error);
    return std::nullopt;
  }
  switch ((*pattern).kind) {
    case HostPattern::Kind::wildcard:
      return "*." + (*pattern).text;
    case HostPattern::Kind::apex:
      return "." + (*pattern).text;
    default:
      return (*pattern).text;
  }
}

std::optional<Peer> read_peer(const Item& item, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  if (!table.is_table()) return std::nullopt;
  const auto ip_block = table.find("ip_block");
  const auto network_set = table.find("network_set");
  const auto domains = table.find("domains");
  const auto pod_selector = table.find("pod_selector");
  const auto namespace_selector = table.find("namespace_selector");

  Peer peer{IpBlockPeer{}, item.at()};
  if (ip_block) {
    if (auto block = read_cidr_block(*ip_block, diagnostics)) peer.is = IpBlockPeer{std::move(*block)};
  }
  if (network_set) {
    if (auto selector = read_selector(*network_set, diagnostics)) peer.is = NetworkSetPeer{std::move(*selector)};
  }
  if (domains) {
    DomainsPeer names;
    table.each("domains", names.domains, read_peer_domain);
    peer.is = std::move(names);
  }
  if (pod_selector || namespace_selector) {
    PodPeer pods;
    if (pod_selector) pods.pod_selector = read_selector(*pod_selector, diagnostics);
    if (namespace_selector) pods.namespace_selector = read_selector(*namespace_selector, diagnostics);
    peer.is = std::move(pods);
  }
  const int kinds = static_cast<int>(ip_block.has_value()) + static_cast<int>(network_set.has_value()) +
                    static_cast<int>(domains.has_value()) + static_cast<int>(pod_selector || namespace_selector);
  if (kinds != 1) {
    report(item, diagnostics,
           "expected exactly one of ip_block, network_set, domains, or pod_selector and/or namespace_selector");
  }
  return peer;
}

std::optional<NetworkPolicyRule> read_rule(const Item& item, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  if (!table.is_table()) return std::nullopt;
  NetworkPolicyRule rule;
  rule.at = item.at();
  table.each("to", rule.to, read_peer);
  table.each("ports", rule.ports, read_port_rule);
  return rule;
}

}  // namespace

NetworkPolicy read_network_policy(const Item& item, Diagnostics& diagnostics) {
  NetworkPolicy policy;
  policy.at = item.at();
  TableReader table(item, diagnostics);
  table.required("namespace", policy.namespace_name, object_name);
  table.required("name", policy.name, object_name);
  table.optional("pod_selector", policy.pod_selector, read_selector);
  table.each("egress", policy.egress, read_rule);
  return policy;
}

}  // namespace sallyport::config
