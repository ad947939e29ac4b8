#include "classifier/unmatched_selectors.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "classifier/element_keys.h"
#include "classifier/selectors.h"
#include "config/document/suggestion.h"

namespace sallyport::classifier {

namespace {

using Names = std::set<std::string_view>;

std::string meant(std::string_view wrong, const Names& known) {
  const std::vector<std::string_view> candidates(known.begin(), known.end());
  return config::suggestion(wrong, candidates);
}

// Who is who, as it is written: for saying what a selector misses.
class Written {
 public:
  Written(const config::PolicyModel& model, const Sources& sources) : sources_(sources) {
    for (const config::Namespace& name_space : model.namespaces) namespaces_.insert(name_space.name);
    for (const SourceGroup& group : sources.groups())
      if (!group.namespace_name.empty()) inhabited_.insert(group.namespace_name);
  }

  [[nodiscard]] const Names& namespaces() const noexcept { return namespaces_; }
  // Namespaces that a workload or an address belongs to.
  [[nodiscard]] const Names& inhabited() const noexcept { return inhabited_; }

  // The first label of the selector that nobody there has. `name_space`: empty is all of them.
  [[nodiscard]] std::string missing_label(const config::Selector& selector, std::string_view name_space) const {
    for (const auto& [key, value] : selector.match_labels) {
      const Names values = values_of(key, name_space);
      if (values.contains(value)) continue;
      const std::string hint = values.empty() ? meant(key, keys(name_space)) : meant(value, values);
      return fmt::format(": none has {} = \"{}\"{}", key, value, hint);
    }
    return {};
  }

  [[nodiscard]] std::string missing_namespace_label(const config::Selector& selector) const {
    for (const auto& [key, value] : selector.match_labels) {
      Names values;
      for (const SourceGroup& group : sources_.groups()) add_value(*group.namespace_labels, key, values);
      if (!values.contains(value))
        return fmt::format(": no namespace with workloads has {} = \"{}\"{}", key, value, meant(value, values));
    }
    return {};
  }

 private:
  static void add_value(const config::Labels& labels, const std::string& key, Names& values) {
    if (const auto found = labels.find(key); found != labels.end()) values.insert(found->second);
  }

  static bool is_of(const SourceGroup& group, std::string_view name_space) {
    return name_space.empty() || group.namespace_name == name_space;
  }

  [[nodiscard]] Names values_of(const std::string& key, std::string_view name_space) const {
    Names values;
    for (const SourceGroup& group : sources_.groups())
      if (is_of(group, name_space)) add_value(*group.labels, key, values);
    return values;
  }

  [[nodiscard]] Names keys(std::string_view name_space) const {
    Names keys;
    for (const SourceGroup& group : sources_.groups())
      if (is_of(group, name_space))
        for (const auto& [key, value] : *group.labels) keys.insert(key);
    return keys;
  }

  const Sources& sources_;
  Names namespaces_;
  Names inhabited_;
};

// Once a namespace: its first workload.
void warn_of_workloads_nowhere(const config::PolicyModel& model, const Written& written,
                               config::Diagnostics& diagnostics) {
  if (written.namespaces().empty()) return;  // written for nobody
  const ElementKeys keys("workload", model.workloads);
  Names told;
  for (std::size_t i = 0; i < model.workloads.size(); ++i) {
    const config::Workload& workload = model.workloads[i];
    const std::string& name = workload.namespace_name;
    if (written.namespaces().contains(name) || !told.insert(name).second) continue;
    diagnostics.warning(workload.at, keys[i] + ".namespace",
                        fmt::format("no [[namespace]] is called \"{}\"{}", name, meant(name, written.namespaces())));
  }
}

void warn_of_idle_policies(const config::PolicyModel& model, const Written& written,
                           const NetworkPolicies& network_policies, config::Diagnostics& diagnostics) {
  const ElementKeys keys("network_policy", model.network_policies);
  for (std::size_t i = 0; i < model.network_policies.size(); ++i) {
    const config::NetworkPolicy& policy = model.network_policies[i];
    if (network_policies.selects_anything(static_cast<std::uint32_t>(i))) continue;
    const std::string& name = policy.namespace_name;
    if (!written.inhabited().contains(name)) {
      diagnostics.warning(policy.at, keys[i] + ".namespace",
                          fmt::format("selects no workload: none, and no address, is of namespace \"{}\"{}", name,
                                      meant(name, written.inhabited())));
      continue;
    }
    diagnostics.warning(policy.at, keys[i] + ".pod_selector",
                        fmt::format("selects no workload of namespace \"{}\", so it isolates nobody{}", name,
                                    written.missing_label(policy.pod_selector, name)));
  }
}

void warn_of_idle_egresses(const config::PolicyModel& model, const Written& written, const EgressChoices& egresses,
                           config::Diagnostics& diagnostics) {
  const ElementKeys keys("egress", model.egresses);
  for (std::size_t i = 0; i < model.egresses.size(); ++i) {
    const std::optional<config::AppliedTo>& to = model.egresses[i].applied_to;
    const bool is_empty = !to || (!to->pod_selector && !to->namespace_selector);  // the loader warns of it
    if (is_empty || egresses.applies_to_anything(static_cast<std::uint32_t>(i))) continue;
    std::string missing = to->namespace_selector ? written.missing_namespace_label(*to->namespace_selector) : "";
    if (missing.empty() && to->pod_selector) missing = written.missing_label(*to->pod_selector, {});
    diagnostics.warning(model.egresses[i].at, keys[i] + ".applied_to",
                        fmt::format("\"{}\" selects no workload{}", model.egresses[i].name, missing));
  }
}

}  // namespace

void warn_of_unmatched_selectors(const config::PolicyModel& model, const Sources& sources,
                                 const NetworkPolicies& network_policies, const EgressChoices& egresses,
                                 config::Diagnostics& diagnostics) {
  const Written written(model, sources);
  if (written.inhabited().empty()) return;
  warn_of_workloads_nowhere(model, written, diagnostics);
  warn_of_idle_policies(model, written, network_policies, diagnostics);
  warn_of_idle_egresses(model, written, egresses, diagnostics);
}

}  // namespace sallyport::classifier
