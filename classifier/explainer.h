// Puts a decision into words. The decision comes from the same parts that the dataplane asks; what is told besides it
// is why each loser lost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "classifier/policy_impl.h"

namespace sallyport::classifier {

class Explainer {
 public:
  Explainer(const Policy& policy, const Policy::Impl& impl, const FlowQuery& query);

  [[nodiscard]] Explanation explain(const std::optional<Shown>& shown) &&;

 private:
  void add(std::string what, std::string result);
  void add(std::string what, std::string result, const config::Location& at);

  void tell_source();
  void tell_network_policies();
  void tell_rules(std::uint32_t policy);

  void tell_networks();
  void tell_scope(const std::string& namespace_name, std::uint32_t winner);
  void tell_network(std::uint32_t network, std::uint32_t winner);

  void tell_routes(const std::optional<Shown>& shown);
  void tell_standing(const Routes::Plan& plan, const std::vector<std::uint32_t>& standing);
  void tell_shown(const Routes::Plan& plan, const Shown& shown);
  void tell_outcomes(const Routes::Plan& plan);
  [[nodiscard]] std::string why_it_lost(std::uint32_t route, std::uint32_t winner, bool names_decide) const;

  void tell_egress();
  void tell_losing_egresses(std::uint32_t winner);

  const Policy& policy_;
  const Policy::Impl& impl_;
  const config::PolicyModel& model_;
  const FlowQuery& query_;
  Source source_;
  Decision pending_;
  Explanation explanation_;
};

}  // namespace sallyport::classifier
