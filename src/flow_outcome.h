// One policy's whole answer to a flow, found with the dataplane's own functions: admission, both layers, the name, the
// address. As values: two of them can be compared, and a million of them cost no strings.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "classifier/address_pool.h"
#include "classifier/identities.h"
#include "classifier/policy.h"
#include "config/appliance_model.h"
#include "dataplane/drop.h"
#include "dataplane/flow_record.h"

namespace sallyport {

// What of the appliance counts for a new flow. The defaults stand for "no configuration given".
struct ApplianceView {
  std::vector<Prefix> inside_networks;
  bool known = false;
  bool source_check = false;
  std::optional<classifier::PoolKey> pool_key;  // absent: not known, zero is used and the explanation says so
};
[[nodiscard]] ApplianceView view_of(const config::ApplianceModel& appliance);

// What ends a packet before the policy is asked: the dataplane's own questions, in its order. None: nothing.
[[nodiscard]] std::optional<dataplane::Drop> refused_admission(const ApplianceView& appliance,
                                                               const classifier::Source& source,
                                                               const classifier::FlowQuery& query) noexcept;

struct FlowOutcome {
  std::optional<dataplane::Drop> refused;  // before the policy was asked; then the rest is empty
  classifier::Source source;
  classifier::Decision decision;  // needs_name where the flow has shown nothing yet
  classifier::EgressChoice egress;
  std::optional<IpAddress> address;  // absent: leaves untranslated, or not at all
};

// `shown` absent: what the flow would show is not known.
[[nodiscard]] FlowOutcome decide_flow(const classifier::Policy& policy, const ApplianceView& appliance,
                                      const classifier::FlowQuery& query, const std::optional<classifier::Shown>& shown,
                                      classifier::MatchScratch& scratch) noexcept;

// "allow", "deny", "needs_name".
[[nodiscard]] std::string_view action_of(const FlowOutcome& outcome) noexcept;
// verdict.reason as in a flow record; the counter's name for what was refused before; empty with needs_name.
[[nodiscard]] std::string_view reason_of(const FlowOutcome& outcome) noexcept;

// Are these different ends for the flow: another verdict, or another address to leave under? A source keeps its address
// of a pool over a reload, so two pools that both hold it are no difference.
enum class Change : std::uint8_t { none, verdict, address };
[[nodiscard]] Change change_between(const FlowOutcome& before, const FlowOutcome& after) noexcept;

// Where the rule stands that decided: the route, the network policy, or the network by its traffic_policy.
struct Place {
  std::string file;  // empty: a default, written nowhere
  std::uint32_t line = 0;
};
[[nodiscard]] Place place_of(const FlowOutcome& outcome, const config::PolicyModel& model,
                             const classifier::Identities& identities);
// The same for a flow that was decided by this policy.
[[nodiscard]] Place place_of(const dataplane::FlowRecord& flow, const config::PolicyModel& model,
                             const classifier::Identities& identities);

}  // namespace sallyport
