// Kubernetes NetworkPolicy, its egress half.
//
// What is left out only ever allows less: a rule whose peers or ports are all left out goes with them, because without
// them it would allow everything.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "config/document/in_quotes.h"
#include "config/import/importer.h"
#include "config/import/named_ports.h"
#include "config/import/protocols.h"

namespace sallyport::config {
namespace {

class PolicyImporter {
 public:
  PolicyImporter(const Imported& imported, Import& into)
      : object_(imported.object), report_(imported.report), into_(into), spec_(imported.spec(), report_) {}

  void import() {
    spec_.lost("ingress", "what comes in is not the gateway's matter; left out");
    const auto selector = import_selector(spec_.find("podSelector"), report_);
    const std::vector<YamlNode>& rules = spec_.list("egress");
    if (!is_about_egress(rules)) return;
    if (!selector) {
      report_.lost(object_.at,
                   "its podSelector is not valid; here it holds for every pod of its namespace, and allows nothing");
    }
    NetworkPolicy policy;
    policy.namespace_name = object_.namespace_name;
    policy.name = into_.unique("network_policy", object_.namespace_name, object_.name);
    policy.pod_selector = selector.value_or(Selector{});
    policy.at = object_.at;
    for (const YamlNode& rule : rules) read_rule(rule, policy.egress);
    if (!selector) policy.egress.clear();
    into_.model.network_policies.push_back(std::move(policy));
  }

 private:
  // Without policyTypes, as with an empty list of them, a policy is about egress if it has a rule of it.
  bool is_about_egress(const std::vector<YamlNode>& rules) {
    const std::vector<std::string> types = spec_.texts("policyTypes");
    for (const std::string& type : types) {
      if (type != "Egress" && type != "Ingress")
        report_.lost(object_.at, fmt::format("policy type {} is none", in_quotes(type)));
    }
    const bool egress = types.empty() ? !rules.empty() : std::find(types.begin(), types.end(), "Egress") != types.end();
    if (egress) return true;
    if (!rules.empty()) {
      report_.lost(rules.front().at, "egress rules without the policy type Egress, which count for nothing; left out");
    } else {
      report_.note(object_.at, "says nothing about egress; left out");
    }
    return false;
  }

  void read_rule(const YamlNode& node, std::vector<NetworkPolicyRule>& into) {
    Fields fields(&node, report_);
    NetworkPolicyRule rule;
    rule.at = node.at;
    const std::vector<YamlNode>& to = fields.list("to");
    const std::vector<YamlNode>& ports = fields.list("ports");
    if (!fields.whole()) return left_out(node, "part");
    for (const YamlNode& peer : to) read_peer(peer, rule.to);
    if (!to.empty() && rule.to.empty()) return left_out(node, "peer");
    const std::size_t before = into.size();
    std::vector<NetworkPolicyRule> by_name;
    for (const YamlNode& port : ports) read_port(port, rule, by_name);
    if (ports.empty() || !rule.ports.empty()) into.push_back(std::move(rule));
    std::move(by_name.begin(), by_name.end(), std::back_inserter(into));
    if (into.size() == before) left_out(node, "port");
  }

  void left_out(const YamlNode& rule, std::string_view part) {
    report_.lost(rule.at, fmt::format("no {} of this rule can be kept; the rule was left out", part));
  }

  void read_peer(const YamlNode& node, std::vector<Peer>& into) {
    Fields fields(&node, report_);
    const YamlNode* block = fields.find("ipBlock");
    const YamlNode* pods = fields.find("podSelector");
    const YamlNode* namespaces = fields.find("namespaceSelector");
    if (!fields.whole()) return;
    if ((block != nullptr) == (pods != nullptr || namespaces != nullptr)) {
      report_.lost(node.at, "a peer is an ipBlock, or a podSelector and/or a namespaceSelector; left out");
      return;
    }
    Peer peer;
    peer.at = node.at;
    if (block != nullptr) {
      auto read = import_block(*block, report_);
      if (!read) return;
      peer.is = IpBlockPeer{std::move(*read)};
    } else {
      PodPeer selected;
      if (pods != nullptr) selected.pod_selector = import_selector(pods, report_);
      if (namespaces != nullptr) selected.namespace_selector = import_selector(namespaces, report_);
      const bool valid =
          (pods == nullptr || selected.pod_selector) && (namespaces == nullptr || selected.namespace_selector);
      if (!valid) return;
      peer.is = std::move(selected);
    }
    into.push_back(std::move(peer));
  }

  // A number goes to `rule`; a name may mean one number for some pods and another for others, each a rule of its own.
  void read_port(const YamlNode& node, NetworkPolicyRule& rule, std::vector<NetworkPolicyRule>& by_name) {
    Fields fields(&node, report_);
    const std::string written = fields.text("protocol").value_or("TCP");
    const YamlNode* port = fields.find("port");
    const YamlNode* end = fields.find("endPort");
    if (!fields.whole()) return;
    const auto protocol = protocol_of(written);
    if (!protocol) {
      report_.lost(node.at,
                   fmt::format("protocol {} is none of TCP, UDP, SCTP; the port was left out", in_quotes(written)));
      return;
    }
    PortRule read{*protocol, std::nullopt, std::nullopt, node.at};
    if (port == nullptr) {
      if (end != nullptr) return invalid_end(*end);
      rule.ports.push_back(read);
      return;
    }
    const bool is_name = port->kind == YamlNode::Kind::scalar && !port->text.empty() &&
                         port->text.find_first_not_of("0123456789-") != std::string::npos;
    if (is_name) {
      if (end != nullptr) return invalid_end(*end);
      return read_named_port(*port, read, rule, by_name);
    }
    read.port = number(*port);
    if (end != nullptr) read.end_port = number(*end);
    if (!read.port || (end != nullptr && (!read.end_port || *read.end_port < *read.port))) {
      if (read.port) invalid_end(*end);
      return;
    }
    rule.ports.push_back(read);
  }

  std::optional<std::uint16_t> number(const YamlNode& node) {
    const auto read = read_number(node, 1, 65535, report_);
    return read ? std::optional(static_cast<std::uint16_t>(*read)) : std::nullopt;
  }

  void invalid_end(const YamlNode& end) {
    report_.lost(end.at, "an endPort stands behind a port number that is not above it; the port was left out");
  }

  void read_named_port(const YamlNode& node, const PortRule& port, NetworkPolicyRule& rule,
                       std::vector<NetworkPolicyRule>& by_name) {
    const auto numbers = pods_by_port(node.text, port.protocol, rule.to, object_.namespace_name, into_.cluster);
    if (numbers.empty()) {
      report_.lost(node.at,
                   fmt::format("no container of the Pods in these files, as far as the rule selects them, has a "
                               "port called {}; the port was left out",
                               in_quotes(node.text)));
      return;
    }
    const bool only_pods = !rule.to.empty() && std::all_of(rule.to.begin(), rule.to.end(), [](const Peer& peer) {
      return std::holds_alternative<PodPeer>(peer.is);
    });
    if (only_pods && numbers.size() == 1 && all_call_it_so(rule, numbers.begin()->second.size())) {
      PortRule known = port;
      known.port = numbers.begin()->first;
      rule.ports.push_back(known);
      return;
    }
    for (const auto& [number, pods] : numbers) by_name.push_back(rule_for(pods, number, port));
  }

  // Whether every pod that the rule selects is among the `count` that have the port.
  [[nodiscard]] bool all_call_it_so(const NetworkPolicyRule& rule, std::size_t count) const {
    const auto& pods = into_.cluster.pods;
    return static_cast<std::size_t>(std::count_if(pods.begin(), pods.end(), [&](const Pod& pod) {
             return std::any_of(rule.to.begin(), rule.to.end(), [&](const Peer& peer) {
               return selects_pod(peer, object_.namespace_name, pod, into_.cluster);
             });
           })) == count;
  }

  static NetworkPolicyRule rule_for(const std::vector<const Pod*>& pods, std::uint16_t number, const PortRule& port) {
    NetworkPolicyRule rule;
    rule.at = port.at;
    rule.ports.push_back(port);
    rule.ports.back().port = number;
    for (const Pod* pod : pods) {
      for (const Prefix& address : pod->addresses) rule.to.push_back({IpBlockPeer{{address, {}, port.at}}, port.at});
    }
    return rule;
  }

  const KubernetesObject& object_;
  const ObjectReport& report_;
  Import& into_;
  Fields spec_;
};

}  // namespace

void import_network_policy(const Imported& imported, Import& into) { PolicyImporter(imported, into).import(); }

}  // namespace sallyport::config
