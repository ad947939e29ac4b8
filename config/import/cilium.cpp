// Cilium's CiliumEgressGatewayPolicy, cilium.io.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "config/import/importer.h"

namespace sallyport::config {
namespace {

// Labels that Cilium gives pods for the namespace they are in.
constexpr std::string_view pod_namespace = "io.kubernetes.pod.namespace";
constexpr std::string_view namespace_labels = "io.cilium.k8s.namespace.labels.";
constexpr const char* name_label = "kubernetes.io/metadata.name";

// The label of the namespace that a pod's label stands for; empty: it is the pod's own.
std::string namespace_label(const std::string& key) {
  if (key == pod_namespace) return name_label;
  return key.starts_with(namespace_labels) ? key.substr(namespace_labels.size()) : std::string{};
}

// Terms over the namespace's labels go to the namespace selector.
void split_selector(const Selector& written, AppliedTo& into) {
  Selector pods;
  Selector namespaces = into.namespace_selector.value_or(Selector{});
  for (const auto& [key, value] : written.match_labels) {
    const std::string moved = namespace_label(key);
    (moved.empty() ? pods : namespaces).match_labels.emplace(moved.empty() ? key : moved, value);
  }
  for (const SelectorTerm& term : written.match_expressions) {
    const std::string moved = namespace_label(term.key);
    Selector& home = moved.empty() ? pods : namespaces;
    home.match_expressions.push_back(term);
    if (!moved.empty()) home.match_expressions.back().key = moved;
  }
  if (!namespaces.empty() || into.namespace_selector) into.namespace_selector = std::move(namespaces);
  if (!pods.empty() || !into.namespace_selector) into.pod_selector = std::move(pods);
}

std::optional<AppliedTo> read_rule(const YamlNode& node, const ObjectReport& report) {
  Fields fields(&node, report);
  const YamlNode* pods = fields.find("podSelector");
  const YamlNode* namespaces = fields.find("namespaceSelector");
  fields.lost("nodeSelector", "on which node a pod runs is not known here; the rule holds for the pods of all nodes");
  if (!fields.whole()) return std::nullopt;
  AppliedTo applied;
  if (namespaces != nullptr) {
    applied.namespace_selector = import_selector(namespaces, report);
    if (!applied.namespace_selector) return std::nullopt;
  }
  if (pods != nullptr) {
    const auto selector = import_selector(pods, report);
    if (!selector) return std::nullopt;
    split_selector(*selector, applied);
  }
  if (pods == nullptr && namespaces == nullptr) applied.namespace_selector = Selector{};
  return applied;
}

// The addresses of the gateways; a policy has one, or a list of them.
std::vector<IpAddress> read_gateways(Fields& spec, const ObjectReport& report) {
  std::vector<const YamlNode*> gateways;
  if (const YamlNode* one = spec.find("egressGateway")) gateways.push_back(one);
  for (const YamlNode& each : spec.list("egressGateways")) gateways.push_back(&each);
  std::vector<IpAddress> addresses;
  for (const YamlNode* gateway : gateways) {
    Fields fields(gateway, report);
    fields.lost("nodeSelector", "which node is the gateway is decided: this one; left out");
    fields.lost("interface", "the address of a node's interface is not known here; left out");
    const YamlNode* address = fields.find("egressIP");
    const auto read = address == nullptr ? std::nullopt : read_egress_address(*address, report);
    if (read && std::find(addresses.begin(), addresses.end(), *read) == addresses.end()) addresses.push_back(*read);
  }
  return addresses;
}

std::vector<Prefix> without_twins(const std::vector<Prefix>& prefixes) {
  std::vector<Prefix> kept;
  for (const Prefix& prefix : prefixes) {
    if (std::find(kept.begin(), kept.end(), prefix) == kept.end()) kept.push_back(prefix);
  }
  return kept;
}

}  // namespace

void import_cilium_egress(const Imported& imported, Import& into) {
  const KubernetesObject& object = imported.object;
  const ObjectReport& report = imported.report;
  Fields spec(imported.spec(), report);
  Egress egress;
  egress.at = object.at;
  egress.egress_ips = read_gateways(spec, report);
  egress.destinations = without_twins(spec.prefixes("destinationCIDRs"));
  egress.except = spec.prefixes("excludedCIDRs");
  std::vector<AppliedTo> rules;
  for (const YamlNode& node : spec.list("selectors")) {
    if (auto rule = read_rule(node, report)) rules.push_back(std::move(*rule));
  }
  if (egress.egress_ips.empty() || egress.destinations.empty() || rules.empty()) {
    report.lost(object.at, "needs selectors, destinationCIDRs and an egressIP; left out: its pods leave under [snat]");
    return;
  }
  for (AppliedTo& rule : rules) {
    Egress one = egress;
    one.applied_to = std::move(rule);
    one.name = into.unique("egress", "", object.name);
    into.model.egresses.push_back(std::move(one));
  }
}

}  // namespace sallyport::config
