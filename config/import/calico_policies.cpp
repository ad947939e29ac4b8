// Calico's NetworkPolicy and GlobalNetworkPolicy, their egress half.
//
// Calico asks policies in their order, rules in theirs, and the first that matches decides; ours are a union of what is
// allowed. So every allowing rule is written without what an earlier rule denies, of its own policy or of one before it
// that selects the same pods (rule_space.h). Denying rules are not written: what nothing allows is denied.
//
// A global policy is written once for each namespace it holds in; ours belong to one.
#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "config/document/in_quotes.h"
#include "config/import/calico_labels.h"
#include "config/import/calico_rules.h"
#include "config/import/calico_selector.h"
#include "config/import/importer.h"
#include "config/import/rule_space.h"

namespace sallyport::config {
namespace {

constexpr std::size_t most_rules = 1000;  // that one may become by what is cut out of it

struct Policy {
  const Imported* imported = nullptr;
  double order = std::numeric_limits<double>::infinity();  // without one it comes last
  std::vector<Selector> pods;                              // any of them
  std::vector<std::string> namespaces;
  std::vector<const YamlNode*> rules;
  bool global = false;
  bool whole = true;  // false: it holds for more pods than it selects there, and so may not allow them anything
};

// What an earlier policy denies, and to whom.
struct EarlierDenial {
  const Policy* by;
  std::string namespace_name;
  Denied denied;
};

// ---- reading --------------------------------------------------------------------------------------------------------

class PolicyReader {
 public:
  PolicyReader(const Imported& imported, const Import& known)
      : imported_(imported), report_(imported.report), known_(known), spec_(imported.spec(), report_) {}

  std::optional<Policy> read() {
    Policy policy;
    policy.imported = &imported_;
    policy.global = imported_.object.kind == "GlobalNetworkPolicy";
    spec_.lost("ingress", "what comes in is not the gateway's matter; left out");
    for (const char* key : {"doNotTrack", "preDNAT", "applyOnForward"}) report_flag(key);
    spec_.without_meaning({"performanceHints"});
    policy.whole = !spec_.lost("serviceAccountSelector", "labels of service accounts are not known here");
    read_tier_and_order(policy);
    const std::vector<YamlNode>& rules = spec_.list("egress");
    for (const YamlNode& rule : rules) policy.rules.push_back(&rule);
    const bool selectable = read_selectors(policy);
    if (!is_about_egress(!rules.empty())) return std::nullopt;
    if (!selectable) {
      report_.lost(imported_.object.at, "selects no pod that is known here; the policy was left out");
      return std::nullopt;
    }
    if (!policy.whole) {
      report_.lost(imported_.object.at,
                   "whom it selects cannot be kept; here it holds for every pod that it may mean, and allows nothing");
    }
    return policy;
  }

 private:
  void report_flag(std::string_view key) {
    const YamlNode* node = spec_.find(key);
    if (node != nullptr && node->text == "true") {
      report_.lost(node->at,
                   fmt::format("{}: every flow is tracked and asked once, at its first packet; left out", key));
    }
  }

  void read_tier_and_order(Policy& policy) {
    const YamlNode* tier = spec_.find("tier");
    if (tier != nullptr && tier->text != "default") {
      report_.lost(tier->at,
                   fmt::format("tier {}: there are no tiers here; it is read as a policy of the default tier, by its "
                               "order",
                               in_quotes(tier->text)));
    }
    const YamlNode* order = spec_.find("order");
    if (order == nullptr) return;
    const char* end = order->text.data() + order->text.size();
    double number = 0;
    const auto [stop, error] = std::from_chars(order->text.data(), end, number);
    if (error == std::errc{} && stop == end && number == number) {
      policy.order = number;
    } else {
      report_.lost(order->at, fmt::format("order {} is no number; the policy comes last", in_quotes(order->text)));
    }
  }

  bool is_about_egress(bool has_rules) {
    const std::vector<std::string> types = spec_.texts("types");
    for (const std::string& type : types) {
      if (type != "Egress" && type != "Ingress")
        report_.lost(imported_.object.at, fmt::format("type {} is none", in_quotes(type)));
    }
    const bool egress = types.empty() ? has_rules : std::find(types.begin(), types.end(), "Egress") != types.end();
    if (!egress && has_rules) report_.lost(imported_.object.at, "has egress rules without the type Egress; left out");
    if (!egress && !has_rules) report_.note(imported_.object.at, "says nothing about egress; left out");
    return egress;
  }

  // False: it selects none.
  bool read_selectors(Policy& policy) {
    const auto pods = parse(spec_.find("selector"), parse_calico_selector);
    const auto namespaces = parse(spec_.find("namespaceSelector"), parse_calico_namespaces);
    if (pods && pods->global) return false;
    policy.whole = policy.whole && pods && namespaces;
    policy.pods = pods ? pods->alternatives : std::vector<Selector>(1);
    if (!policy.global) {
      policy.namespaces.push_back(imported_.object.namespace_name);
      return true;
    }
    for (const auto& [name, labels] : known_.cluster.namespaces) {
      const bool selected =
          !namespaces || std::any_of(namespaces->alternatives.begin(), namespaces->alternatives.end(),
                                     [&, &of = labels](const Selector& each) { return selects(each, of); });
      if (selected) policy.namespaces.push_back(name);
    }
    if (!policy.namespaces.empty()) return true;
    report_.lost(imported_.object.at,
                 "is global, and no namespace that it holds in is in these files; give their Namespace objects, too");
    return false;
  }

  std::optional<CalicoSelector> parse(const YamlNode* node, Parsed<CalicoSelector> (*parse_text)(std::string_view)) {
    const auto text = node == nullptr ? std::optional<std::string>("") : read_text(*node, report_);
    if (!text) return std::nullopt;
    auto parsed = parse_text(*text);
    if (!parsed) report_.lost(node->at, parsed.error);
    return std::move(parsed.value);
  }

  const Imported& imported_;
  const ObjectReport& report_;
  const Import& known_;
  Fields spec_;
};

// ---- writing --------------------------------------------------------------------------------------------------------

class PolicyWriter {
 public:
  explicit PolicyWriter(Import& into) : into_(into) {}

  void write(const Policy& policy) {
    for (const std::string& namespace_name : policy.namespaces) write(policy, namespace_name);
  }

 private:
  void write(const Policy& policy, const std::string& namespace_name) {
    const Imported& imported = *policy.imported;
    std::vector<Selector> pods;
    for (const Selector& each : policy.pods) {
      if (auto selector = within(each, namespace_name)) pods.push_back(std::move(*selector));
    }
    if (pods.empty()) return;
    const std::vector<NetworkPolicyRule> rules = rules_of(policy, namespace_name, pods);
    for (Selector& each : pods) {
      NetworkPolicy made;
      made.namespace_name = namespace_name;
      made.name = into_.unique("network_policy", namespace_name, imported.object.name);
      made.pod_selector = std::move(each);
      made.egress = rules;
      made.at = imported.object.at;
      into_.model.network_policies.push_back(std::move(made));
    }
  }

  std::vector<NetworkPolicyRule> rules_of(const Policy& policy, const std::string& namespace_name,
                                          const std::vector<Selector>& pods) {
    std::vector<Denied> denied = denied_before(policy, namespace_name, pods);
    std::vector<NetworkPolicyRule> rules;
    for (const YamlNode* node : policy.rules) {
      auto rule = read_calico_rule(*node, namespace_name, policy.global, into_, policy.imported->report);
      if (!rule) continue;
      if (rule->denies) {
        denials_.push_back({&policy, namespace_name, *rule->denies});
        denied.push_back(std::move(*rule->denies));
      } else if (policy.whole) {
        add(std::move(*rule->allows), denied, namespace_name, *node, policy.imported->report, rules);
      }
    }
    return rules;
  }

  void add(Allowed allowed, const std::vector<Denied>& denied, const std::string& namespace_name, const YamlNode& node,
           const ObjectReport& report, std::vector<NetworkPolicyRule>& into) {
    const PeerAddresses addresses{into_.model, into_.cluster, namespace_name};
    std::vector<Allowed> parts{std::move(allowed)};
    bool names_lost = false;
    for (const Denied& each : denied) {
      std::vector<Allowed> smaller;
      for (const Allowed& part : parts) {
        names_lost = names_lost || may_take_names(each, part);
        auto cut_parts = cut(part, each, addresses, node.at);
        std::move(cut_parts.begin(), cut_parts.end(), std::back_inserter(smaller));
      }
      parts = std::move(smaller);
      if (parts.size() <= most_rules) continue;
      report.lost(
          node.at,
          "so much is denied before it that it would become too many rules; it was left out, and allows nothing");
      return;
    }
    if (names_lost) {
      report.lost(node.at,
                  "a rule before it denies addresses, and which ones its domains have is not known here; the domains "
                  "were left out");
    } else if (parts.empty()) {
      report.note(node.at, "all of it is denied by a rule before it; left out");
    }
    for (Allowed& part : parts) {
      NetworkPolicyRule rule;
      rule.to = std::move(part.to);
      rule.ports = part.ports.rules(node.at);
      rule.at = node.at;
      into.push_back(std::move(rule));
    }
  }

  // ---- what earlier policies deny to these pods

  std::vector<Denied> denied_before(const Policy& policy, const std::string& namespace_name,
                                    const std::vector<Selector>& pods) {
    std::vector<Denied> denied;
    for (const EarlierDenial& each : denials_) {
      if (each.by == &policy || each.namespace_name != namespace_name) continue;
      const Reach reach = reach_of(*each.by, namespace_name, pods);
      if (reach == Reach::nobody) continue;
      if (reach == Reach::some) {
        policy.imported->report.lost(
            policy.imported->object.at,
            fmt::format("{} {} comes before it and denies some of what it allows, to some of its pods; "
                        "here to all of them",
                        each.by->imported->object.kind, each.by->imported->object.name));
      }
      denied.push_back(each.denied);
    }
    return denied;
  }

  enum class Reach : std::uint8_t { nobody, some, all };

  // How many of the pods that `pods` selects the other policy selects, too.
  [[nodiscard]] Reach reach_of(const Policy& other, const std::string& namespace_name,
                               const std::vector<Selector>& pods) const {
    std::vector<Selector> others;
    for (const Selector& each : other.pods) {
      if (auto selector = within(each, namespace_name)) others.push_back(std::move(*selector));
    }
    const auto any = [](const std::vector<Selector>& selectors, const Labels& labels) {
      return std::any_of(selectors.begin(), selectors.end(),
                         [&](const Selector& each) { return selects(each, labels); });
    };
    if (std::any_of(others.begin(), others.end(), [](const Selector& each) { return each.empty(); })) return Reach::all;
    std::size_t mine = 0;
    std::size_t shared = 0;
    for (const Pod& pod : into_.cluster.pods) {
      if (pod.namespace_name != namespace_name || !any(pods, pod.labels)) continue;
      ++mine;
      shared += any(others, pod.labels) ? 1 : 0;
    }
    if (mine == 0) return Reach::some;  // nobody knows
    return shared == 0 ? Reach::nobody : shared == mine ? Reach::all : Reach::some;
  }

  Import& into_;
  std::vector<EarlierDenial> denials_;
};

}  // namespace

void import_calico_policies(const std::vector<Imported>& objects, Import& into) {
  std::vector<Policy> policies;
  for (const Imported& imported : objects) {
    if (auto policy = PolicyReader(imported, into).read()) policies.push_back(std::move(*policy));
  }
  std::stable_sort(policies.begin(), policies.end(), [](const Policy& a, const Policy& b) {
    return std::tuple(a.order, std::string_view(a.imported->object.name)) <
           std::tuple(b.order, std::string_view(b.imported->object.name));
  });
  const bool kubernetes = !into.model.network_policies.empty();
  PolicyWriter writer(into);
  for (const Policy& policy : policies) {
    writer.write(policy);
    const bool denies = std::any_of(policy.rules.begin(), policy.rules.end(), [](const YamlNode* rule) {
      const YamlNode* action = rule->find("action");
      return action != nullptr && (action->text == "Deny" || action->text == "deny");
    });
    // Calico asks those of Kubernetes at 1000.
    if (!kubernetes || !denies || policy.order > 1000) continue;
    policy.imported->report.lost(policy.imported->object.at,
                                 "comes before Kubernetes' own policies and denies; these are not "
                                 "narrowed by it here");
  }
}

}  // namespace sallyport::config
