// Puts a decision into words. The decision comes from the same parts that the dataplane asks; what is told besides it
// is why each loser lost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "classifier/policy_impl.h"

namespace sallyport::classifier {

class Explainer {
 public:
  Explainer(const Policy& policy, const Policy::Impl& impl, const FlowQuery& query, const BoundNames* bound);

  [[nodiscard]] Explanation explain(const std::optional<Shown>& shown) &&;

 private:
  void add(std::string what, std::string result);
  void add(std::string what, std::string result, const config::Location& at);

  void tell_source();
  void tell_network_policies();
  void tell_rules(std::uint32_t policy);
  [[nodiscard]] std::string rule_result(const NetworkPolicies::RuleMatch& match,
                                        const config::NetworkPolicyRule& rule) const;

  void tell_networks();
  void tell_scope(const std::string& namespace_name, std::uint32_t winner);
  void tell_network(std::uint32_t network, std::uint32_t winner);

  void tell_routes(const std::optional<Shown>& shown);
  void tell_other_protocol(const Routes::Plan& plan);
  void tell_standing(const Routes::Plan& plan, const std::vector<std::uint32_t>& standing);
  void tell_shown(const Routes::Plan& plan, const Shown& shown);
  void tell_outcomes(const Routes::Plan& plan);
  void deny_all(const Routes::Plan& plan);
  [[nodiscard]] bool may_pass(const Routes::Plan& plan) const;
  void tell_request(const Routes::Plan& plan, const Shown& shown, const HostName* name);
  // By which host name or set a route takes the name, and where that is written.
  struct How {
    std::string text;
    config::Location at;
  };
  [[nodiscard]] How how_it_takes(std::uint32_t route, const HostName* name, MatchScratch& scratch) const;
  void tell_taker(std::uint32_t route, std::uint32_t winner, const How& how, const std::string& why_not);
  // The routes that a plan asks when the name is known.
  [[nodiscard]] std::vector<std::uint32_t> asked_routes(const Routes::Plan& plan) const;
  [[nodiscard]] std::string_view kind_of(const std::vector<std::uint32_t>& asked) const;
  [[nodiscard]] std::string why_it_lost(std::uint32_t route, std::uint32_t winner,
                                        const std::vector<std::uint32_t>& asked) const;

  // What [defaults] server_name_binding makes of the decision.
  void bind_name(const std::optional<Shown>& shown);

  void tell_egress();
  void tell_untranslated(EgressChoices::Why why);
  void tell_losing_egresses(std::uint32_t winner);

  const Policy& policy_;
  const Policy::Impl& impl_;
  const config::PolicyModel& model_;
  const FlowQuery& query_;
  const BoundNames* bound_;
  Source source_;
  Decision pending_;
  Explanation explanation_;
};

}  // namespace sallyport::classifier
