#include "config/import/policy_text.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "config/import/toml_text.h"
#include "config/policy/readers.h"

namespace sallyport::config {
namespace {

constexpr std::string_view default_global_namespace = "linkerd-egress";

std::string_view protocol_text(Protocol protocol) noexcept {
  switch (protocol) {
    case Protocol::tcp:
      return "TCP";
    case Protocol::udp:
      return "UDP";
    case Protocol::sctp:
      return "SCTP";
    case Protocol::icmp:
      return "ICMP";
    case Protocol::other:
      break;
  }
  return "";
}

std::string port_rule_text(const PortRule& rule) {
  std::vector<std::string> pairs{fmt::format("protocol = \"{}\"", protocol_text(rule.protocol))};
  if (rule.port) pairs.push_back(fmt::format("port = {}", *rule.port));
  if (rule.end_port) pairs.push_back(fmt::format("end_port = {}", *rule.end_port));
  return toml_inline_table(pairs);
}

std::string peer_text(const Peer& peer) {
  std::vector<std::string> pairs;
  if (const auto* block = std::get_if<IpBlockPeer>(&peer.is)) {
    pairs.push_back("ip_block = " + toml_block(block->block));
  } else if (const auto* set = std::get_if<NetworkSetPeer>(&peer.is)) {
    pairs.push_back("network_set = " + toml_selector(set->selector));
  } else if (const auto* names = std::get_if<DomainsPeer>(&peer.is)) {
    pairs.push_back("domains = " + toml_strings(names->domains, 0));
  } else if (const auto* pods = std::get_if<PodPeer>(&peer.is)) {
    if (pods->pod_selector) pairs.push_back("pod_selector = " + toml_selector(*pods->pod_selector));
    if (pods->namespace_selector) pairs.push_back("namespace_selector = " + toml_selector(*pods->namespace_selector));
  }
  return toml_inline_table(pairs);
}

std::string parent_text(const ParentRef& parent) {
  std::vector<std::string> pairs{"name = " + toml_string(parent.name),
                                 "namespace = " + toml_string(parent.namespace_name)};
  if (parent.port) pairs.push_back(fmt::format("port = {}", *parent.port));
  if (parent.end_port) pairs.push_back(fmt::format("end_port = {}", *parent.end_port));
  return toml_inline_table(pairs);
}

// 1500000 -> "1500K": bits as parse_bits() reads them.
std::string bits_text(std::uint64_t bits) {
  constexpr std::string_view units = "KMG";
  std::size_t unit = 0;
  std::uint64_t number = bits;
  while (number != 0 && number % 1000 == 0 && unit < units.size()) {
    number /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("\"{}\"", number) : fmt::format("\"{}{}\"", number, units[unit - 1]);
}

class Writer {
 public:
  Writer(const PolicyModel& model, const Origins& origins, std::string head)
      : model_(model), origins_(origins), text_(std::move(head)) {}

  PolicyText write() {
    plain_tables();
    for (const Namespace& each : model_.namespaces) add(each);
    for (const Workload& each : model_.workloads) add(each);
    for (const NetworkSet& each : model_.network_sets) add(each);
    for (const NetworkPolicy& each : model_.network_policies) add(each);
    for (const EgressNetwork& each : model_.egress_networks) add(each);
    for (const Route& each : model_.routes) add(each);
    for (const EgressPool& each : model_.egress_pools) add(each);
    for (const Egress& each : model_.egresses) add(each);
    for (const IpPool& each : model_.ip_pools) add(each);
    return {std::move(text_), std::move(tables_)};
  }

 private:
  void line(std::string_view key, std::string_view value) {
    fmt::format_to(std::back_inserter(text_), "{} = {}\n", key, value);
  }
  void text_line(std::string_view key, std::string_view value) { line(key, toml_string(value)); }

  void table(std::string_view name, Location at) {
    const std::string origin = origins_.find(at);
    if (!origin.empty()) fmt::format_to(std::back_inserter(text_), "\n# {}", origin);
    fmt::format_to(std::back_inserter(text_), "\n[[{}]]\n", name);
    lines_ += static_cast<std::uint32_t>(
        std::count(text_.begin() + static_cast<std::ptrdiff_t>(counted_), text_.end(), '\n'));
    counted_ = text_.size();
    tables_.push_back({lines_, at});
  }

  void plain_tables() {
    if (model_.global_namespace != default_global_namespace) {
      text_ += "\n[cluster]\n";
      text_line("global_namespace", model_.global_namespace);
    }
    const Defaults& defaults = model_.defaults;
    const bool allows = defaults.uncaptured == TrafficPolicy::allow;
    if (allows || defaults.global_scope_exclusive) text_ += "\n[defaults]\n";
    if (allows) text_ += "uncaptured = \"allow\"          # as there: what nothing below speaks of may pass\n";
    if (defaults.global_scope_exclusive) {
      text_ += "global_scope = \"exclusive\"    # as Linkerd: a namespace with networks of its own has no other\n";
    }
    if (model_.snat.addresses.empty()) return;
    std::vector<std::string> addresses;
    for (const IpAddress& address : model_.snat.addresses) addresses.push_back(to_string(address));
    text_ += "\n[snat]\n";
    line("addresses", toml_strings(addresses));
  }

  void addresses(const std::vector<LocatedPrefix>& located, std::string_view key) {
    std::vector<Prefix> prefixes;
    prefixes.reserve(located.size());
    for (const LocatedPrefix& each : located) prefixes.push_back(each.prefix);
    line(key, toml_prefixes(prefixes));
  }

  void add(const Namespace& each) {
    table("namespace", each.at);
    text_line("name", each.name);
    if (!each.labels.empty()) line("labels", toml_labels(each.labels));
    if (!each.addresses.empty()) addresses(each.addresses, "addresses");
  }

  void add(const Workload& each) {
    table("workload", each.at);
    text_line("namespace", each.namespace_name);
    text_line("name", each.name);
    if (!each.labels.empty()) line("labels", toml_labels(each.labels));
    addresses(each.addresses, "addresses");
  }

  void add(const NetworkSet& each) {
    table("network_set", each.at);
    text_line("name", each.name);
    if (!each.namespace_name.empty()) text_line("namespace", each.namespace_name);
    if (!each.labels.empty()) line("labels", toml_labels(each.labels));
    addresses(each.nets, "nets");
  }

  void add(const NetworkPolicy& each) {
    table("network_policy", each.at);
    text_line("namespace", each.namespace_name);
    text_line("name", each.name);
    line("pod_selector", toml_selector(each.pod_selector));
    if (each.egress.empty()) text_ += "egress = []\n";
    for (const NetworkPolicyRule& rule : each.egress) {
      text_ += "\n  [[network_policy.egress]]\n";
      list("to", rule.to, peer_text);
      list("ports", rule.ports, port_rule_text);
    }
  }

  template <typename T>
  void list(std::string_view key, const std::vector<T>& values, std::string (*to_text)(const T&)) {
    if (values.empty()) return;
    std::vector<std::string> texts;
    texts.reserve(values.size());
    for (const T& value : values) texts.push_back(to_text(value));
    fmt::format_to(std::back_inserter(text_), "  {} = {}\n", key, toml_array(texts, 2));
  }

  void add(const EgressNetwork& each) {
    table("egress_network", each.at);
    text_line("namespace", each.namespace_name);
    text_line("name", each.name);
    text_line("traffic_policy", each.traffic_policy == TrafficPolicy::allow ? "Allow" : "Deny");
    if (!each.networks_given) return;
    std::vector<std::string> blocks;
    for (const CidrBlock& block : each.networks) blocks.push_back(toml_block(block));
    line("networks", toml_array(blocks));
  }

  void add(const Route& each) {
    table(table_name(each.kind), each.at);
    text_line("namespace", each.namespace_name);
    text_line("name", each.name);
    std::vector<std::string> parents;
    for (const ParentRef& parent : each.parent_refs) parents.push_back(parent_text(parent));
    line("parent_refs", toml_array(parents));
    if (!each.hostnames.empty()) {
      std::vector<std::string> hosts;
      for (const HostPattern& host : each.hostnames) hosts.push_back(toml_host(host));
      line("hostnames", toml_array(hosts));
    }
    if (each.action == RouteAction::deny) text_line("action", "deny");
    if (each.action == RouteAction::audit) text_line("action", "audit");
    if (each.matches.empty()) return;
    std::vector<std::string> matches;
    for (const HttpMatch& match : each.matches) matches.push_back(toml_match(match, each.kind));
    fmt::format_to(std::back_inserter(text_), "\n  [[{}.rules]]\n  matches = {}\n", table_name(each.kind),
                   toml_array(matches, 2));
  }

  void add(const EgressPool& each) {
    table("egress_pool", each.at);
    text_line("name", each.name);
    std::vector<std::string> ranges;
    for (const AddressRange& range : each.ranges) ranges.push_back(toml_range(range));
    line("ranges", toml_array(ranges));
    if (each.exclude.empty()) return;
    std::vector<std::string> exclude;
    for (const AddressRange& range : each.exclude) exclude.push_back(toml_range(range));
    line("exclude", toml_array(exclude));
  }

  void add(const Egress& each) {
    table("egress", each.at);
    text_line("name", each.name);
    if (each.applied_to) {
      std::vector<std::string> pairs;
      const AppliedTo& to = *each.applied_to;
      if (to.pod_selector) pairs.push_back("pod_selector = " + toml_selector(*to.pod_selector));
      if (to.namespace_selector) pairs.push_back("namespace_selector = " + toml_selector(*to.namespace_selector));
      line("applied_to", toml_inline_table(pairs));
    }
    if (!each.sources.empty()) line("sources", toml_prefixes(each.sources));
    egress_address(each);
    if (!each.destinations.empty()) line("destinations", toml_prefixes(each.destinations));
    if (!each.except.empty()) line("except", toml_prefixes(each.except));
    if (each.priority != 0) line("priority", fmt::format("{}", each.priority));
    if (!each.bandwidth) return;
    line("bandwidth", toml_inline_table({"rate = " + bits_text(each.bandwidth->rate_bits_per_second),
                                         "burst = " + bits_text(each.bandwidth->burst_bits)}));
  }

  void egress_address(const Egress& each) {
    if (!each.egress_pool.empty()) {
      text_line("egress_pool", each.egress_pool);
    } else if (each.egress_ips.size() == 1) {
      text_line("egress_ip", to_string(each.egress_ips.front()));
    } else {
      std::vector<std::string> addresses;
      for (const IpAddress& address : each.egress_ips) addresses.push_back(to_string(address));
      line("egress_ips", toml_strings(addresses));
    }
  }

  void add(const IpPool& each) {
    table("ip_pool", each.at);
    text_line("cidr", to_string(each.cidr));
    line("nat_outgoing", each.nat_outgoing ? "true" : "false");
  }

  const PolicyModel& model_;
  const Origins& origins_;
  std::string text_;
  std::size_t counted_ = 0;  // bytes of the text whose lines are in `lines_`
  std::uint32_t lines_ = 0;
  std::vector<PolicyText::Table> tables_;
};

}  // namespace

PolicyText policy_text(const PolicyModel& model, const Origins& origins, std::string head) {
  return Writer(model, origins, std::move(head)).write();
}

}  // namespace sallyport::config
