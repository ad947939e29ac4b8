#include "config/import/cluster.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "config/bounds.h"
#include "config/import/fields.h"
#include "config/import/protocols.h"

namespace sallyport::config {
namespace {

constexpr const char* name_label = "kubernetes.io/metadata.name";

const YamlNode* member(const YamlNode* mapping, std::string_view key) {
  return mapping == nullptr ? nullptr : mapping->find(key);
}

bool is(const YamlNode* node, std::string_view text) {
  return node != nullptr && node->kind == YamlNode::Kind::scalar && node->text == text;
}

const std::vector<YamlNode>& items_of(const YamlNode* list) {
  static const std::vector<YamlNode> none;
  return list == nullptr ? none : list->items;
}

// status.podIPs, or status.podIP of objects that are older than it.
std::vector<Prefix> addresses_of(const YamlNode* status, const ObjectReport& report) {
  std::vector<const YamlNode*> written;
  for (const YamlNode& item : items_of(member(status, "podIPs"))) written.push_back(item.find("ip"));
  if (written.empty()) written.push_back(member(status, "podIP"));
  std::vector<Prefix> addresses;
  for (const YamlNode* node : written) {
    if (node == nullptr || node->kind == YamlNode::Kind::null) continue;
    const auto address = read_address(*node, report);
    if (!address) continue;
    const Prefix prefix{*address, static_cast<std::uint8_t>(address_bits(address->family))};
    if (std::find(addresses.begin(), addresses.end(), prefix) == addresses.end()) addresses.push_back(prefix);
  }
  return addresses;
}

void add_ports(const YamlNode& container, const ObjectReport& report, std::vector<NamedPort>& into) {
  for (const YamlNode& item : items_of(container.find("ports"))) {
    const YamlNode* name = item.find("name");
    const YamlNode* number = item.find("containerPort");
    if (name == nullptr || number == nullptr || name->kind != YamlNode::Kind::scalar) continue;
    const auto port = read_number(*number, 1, 65535, report);
    const YamlNode* written = item.find("protocol");
    const auto protocol = written == nullptr ? Protocol::tcp : protocol_of(written->text);
    if (port && protocol) into.push_back({name->text, *protocol, static_cast<std::uint16_t>(*port)});
  }
}

// Init containers whose restartPolicy is Always run beside the others.
std::vector<NamedPort> ports_of(const YamlNode* spec, const ObjectReport& report) {
  std::vector<NamedPort> ports;
  for (const YamlNode& container : items_of(member(spec, "containers"))) add_ports(container, report, ports);
  for (const YamlNode& container : items_of(member(spec, "initContainers"))) {
    if (is(container.find("restartPolicy"), "Always")) add_ports(container, report, ports);
  }
  return ports;
}

bool holds(const SelectorTerm& term, const Labels& labels) {
  const auto label = labels.find(term.key);
  const bool there = label != labels.end();
  const bool listed = there && std::find(term.values.begin(), term.values.end(), label->second) != term.values.end();
  switch (term.op) {
    case SelectorTerm::Operator::in:
      return listed;
    case SelectorTerm::Operator::not_in:
      return !listed;
    case SelectorTerm::Operator::exists:
      return there;
    case SelectorTerm::Operator::does_not_exist:
      return !there;
  }
  return false;
}

}  // namespace

void Cluster::name(const std::string& namespace_name) {
  namespaces[namespace_name].emplace(name_label, namespace_name);
}

const Labels& Cluster::labels_of(const std::string& namespace_name) const {
  static const Labels none;
  const auto known = namespaces.find(namespace_name);
  return known == namespaces.end() ? none : known->second;
}

bool selects(const Selector& selector, const Labels& labels) {
  const auto same = [&](const Labels::value_type& wanted) {
    const auto label = labels.find(wanted.first);
    return label != labels.end() && label->second == wanted.second;
  };
  return std::all_of(selector.match_labels.begin(), selector.match_labels.end(), same) &&
         std::all_of(selector.match_expressions.begin(), selector.match_expressions.end(),
                     [&](const SelectorTerm& term) { return holds(term, labels); });
}

void read_pod(const KubernetesObject& object, const ObjectReport& report, Cluster& cluster) {
  cluster.pods_given = true;
  cluster.name(object.namespace_name);
  const YamlNode* spec = object.root->find("spec");
  const YamlNode* status = object.root->find("status");
  const YamlNode* phase = member(status, "phase");
  if (is(member(spec, "hostNetwork"), "true")) {
    report.note(object.at, "has its node's address (hostNetwork), which policies do not select; left out");
    return;
  }
  if (is(phase, "Succeeded") || is(phase, "Failed")) {
    report.note(object.at, "has ended, its address may be another's by now; left out");
    return;
  }
  Pod pod{object.namespace_name,  object.name, object.labels, object.annotations, addresses_of(status, report),
          ports_of(spec, report), object.at};
  if (pod.addresses.empty()) {
    report.note(object.at, "has no address yet; left out");
    return;
  }
  const YamlNode* account = member(spec, "serviceAccountName");
  if (cluster.of_calico && account != nullptr && !account->text.empty() &&
      account->text.size() <= bounds::label_value_bytes)
    pod.labels.insert_or_assign("projectcalico.org/serviceaccount", account->text);
  cluster.pods.push_back(std::move(pod));
}

void read_namespace(const KubernetesObject& object, const ObjectReport&, Cluster& cluster) {
  cluster.namespaces_given = true;
  Labels& labels = cluster.namespaces[object.name];
  labels = object.labels;
  labels.insert_or_assign(name_label, object.name);
}

}  // namespace sallyport::config
