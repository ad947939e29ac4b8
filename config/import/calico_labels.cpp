#include "config/import/calico_labels.h"

#include <utility>

#include "config/import/cluster.h"

namespace sallyport::config {
namespace {

constexpr const char* calico_name_label = "projectcalico.org/name";
constexpr const char* orchestrator_label = "projectcalico.org/orchestrator";
constexpr const char* orchestrator = "k8s";
constexpr const char* name_label = "kubernetes.io/metadata.name";

// A second value for the same key is one more term: both have to hold, and nothing does.
void add_label(Selector& to, const std::string& key, const std::string& value) {
  const auto [known, is_new] = to.match_labels.emplace(key, value);
  if (!is_new && known->second != value) to.match_expressions.push_back({key, SelectorTerm::Operator::in, {value}});
}

// The terms go where `home` says for their key, under the name that it gives.
template <typename Home>
void spread(const Selector& selector, Home home) {
  for (const auto& [key, value] : selector.match_labels) {
    const auto [into, name] = home(key);
    add_label(*into, name, value);
  }
  for (const SelectorTerm& term : selector.match_expressions) {
    const auto [into, name] = home(term.key);
    into->match_expressions.push_back({name, term.op, term.values});
  }
}

}  // namespace

Parsed<CalicoSelector> parse_calico_namespaces(std::string_view text) {
  auto parsed = parse_calico_selector(text);
  if (!parsed) return parsed;
  for (Selector& each : parsed.value->alternatives) {
    Selector renamed;
    spread(each, [&](const std::string& key) {
      return std::pair(&renamed, key == calico_name_label ? std::string(name_label) : key);
    });
    each = std::move(renamed);
  }
  return parsed;
}

std::optional<Selector> within(const Selector& selector, const std::string& namespace_name) {
  Selector own;
  Selector asked;
  spread(selector, [&](const std::string& key) {
    return std::pair(key == calico_namespace_label || key == orchestrator_label ? &asked : &own, key);
  });
  const Labels given{{calico_namespace_label, namespace_name}, {orchestrator_label, orchestrator}};
  return selects(asked, given) ? std::optional(own) : std::nullopt;
}

std::optional<PodPeer> pod_peer(const Selector& selector, const std::optional<Selector>& namespaces) {
  PodPeer peer{Selector{}, namespaces};
  Selector asked;
  spread(selector, [&](const std::string& key) {
    if (key == orchestrator_label) return std::pair(&asked, key);
    if (key != calico_namespace_label) return std::pair(&*peer.pod_selector, key);
    if (!peer.namespace_selector) peer.namespace_selector.emplace();
    return std::pair(&*peer.namespace_selector, std::string(name_label));
  });
  return selects(asked, {{orchestrator_label, orchestrator}}) ? std::optional(std::move(peer)) : std::nullopt;
}

}  // namespace sallyport::config
