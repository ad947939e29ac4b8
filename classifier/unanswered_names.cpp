#include "classifier/unanswered_names.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>

namespace sallyport::classifier {
namespace {

constexpr std::uint16_t dns_port = 53;

// How a source group comes to a trusted server.
enum class Way : std::uint8_t {
  none,
  unforbidden,  // nothing denies it
  by_rule,      // a route or a network policy lets it pass
};

class Askers {
 public:
  explicit Askers(const Policy::Impl& policy) : policy_(policy), ways_(policy.sources.groups().size(), Way::none) {
    std::vector<bool> seen(ways_.size());
    const auto& records = policy.sources.records();
    for (std::uint32_t index = 0; index < records.size(); ++index) {
      const std::uint32_t group = records[index].group;
      if (seen[group]) continue;
      seen[group] = true;
      ways_[group] = way_of({records[index].namespace_name, records[index].workload, index});
    }
  }

  [[nodiscard]] bool anybody() const { return std::any_of(ways_.begin(), ways_.end(), may_ask); }
  [[nodiscard]] bool somebody_by_rule() const {
    return std::find(ways_.begin(), ways_.end(), Way::by_rule) != ways_.end();
  }
  // Somebody whom the network policy selects may ask; or it selects nobody, which is another matter.
  [[nodiscard]] bool some_selected_by(std::uint32_t policy) const {
    bool selects = false;
    for (std::uint32_t group = 0; group < ways_.size(); ++group) {
      const auto& selecting = policy_.network_policies.selecting(group);
      if (std::find(selecting.begin(), selecting.end(), policy) == selecting.end()) continue;
      if (may_ask(ways_[group])) return true;
      selects = true;
    }
    return !selects;
  }

 private:
  [[nodiscard]] static bool may_ask(Way way) noexcept { return way != Way::none; }

  [[nodiscard]] Way way_of(const Source& source) const {
    Way best = Way::none;
    for (const IpAddress& server : policy_.dns_servers) {
      for (const Protocol protocol : {Protocol::udp, Protocol::tcp}) {
        const FlowQuery query{{}, server, protocol, dns_port};
        const Decision decision = policy_.decide(source, query, nullptr);
        if (decision.action == Action::deny) continue;
        const auto layer1 =
            policy_.network_policies.decide(policy_.sources.record(source.index).group, query, nullptr).verdict;
        const bool by_rule = decision.reason == Reason::route || layer1 == NetworkPolicies::Verdict::allowed;
        best = std::max(best, by_rule ? Way::by_rule : Way::unforbidden);
      }
    }
    return best;
  }

  const Policy::Impl& policy_;
  std::vector<Way> ways_;  // by source group
};

void warn_of_domains(const config::PolicyModel& model, const Askers& askers, config::Diagnostics& diagnostics) {
  for (std::uint32_t i = 0; i < model.network_policies.size(); ++i) {
    const std::vector<config::NetworkPolicyRule>& rules = model.network_policies[i].egress;
    for (std::size_t j = 0; j < rules.size(); ++j) {
      const auto peer = std::find_if(rules[j].to.begin(), rules[j].to.end(), [](const config::Peer& to) {
        return std::holds_alternative<config::DomainsPeer>(to.is);
      });
      if (peer == rules[j].to.end()) continue;
      if (askers.some_selected_by(i)) break;
      diagnostics.warning(
          peer->at, fmt::format("network_policy[{}].egress[{}].to[{}].domains", i, j, peer - rules[j].to.begin()),
          "nothing is ever bound: whom this policy selects may ask none of [dns] trusted_servers; add a "
          "rule for UDP and TCP port 53 of them");
      break;
    }
  }
}

}  // namespace

void warn_of_unanswered_names(const Policy::Impl& policy, config::Diagnostics& diagnostics) {
  const config::PolicyModel& model = *policy.model;
  if (policy.dns_servers.empty()) return;  // warn_of_unlearned_names() says so
  const Askers askers(policy);
  if (!askers.somebody_by_rule()) warn_of_domains(model, askers, diagnostics);
  if (model.defaults.server_name_binding != config::Binding::off && !askers.anybody())
    diagnostics.warning({}, "defaults.server_name_binding",
                        "nothing is ever bound: nobody may ask a server of [dns] trusted_servers on port 53");
}

}  // namespace sallyport::classifier
