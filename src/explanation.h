// What the gateway would do with one flow, as a value: found with the dataplane's own functions, told as text or JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "classifier/identities.h"
#include "classifier/policy.h"
#include "src/exit_code.h"
#include "src/flow_outcome.h"
#include "src/options.h"
#include "src/terminal.h"

namespace sallyport {

// Words as in a flow record; empty: left out there, too.
struct FlowAnswer {
  std::string action;  // "allow", "deny", "needs_name"
  std::string reason;  // empty with needs_name; of a martian the name of its counter
  std::string layer;
  std::string rule;
  std::string network;
  bool audited = false;
  std::string namespace_name;
  std::string workload;
  std::string egress;
  std::optional<IpAddress> nat_address;  // absent: leaves untranslated, or not at all
  std::vector<classifier::Step> steps;   // the reasons in order
  bool reads_requests = false;           // plaintext HTTP decides, or would
  bool by_dns = false;                   // denied, unless DNS has said something that is not known here

  [[nodiscard]] ExitCode exit_code() const { return action == "deny" ? ExitCode::no : ExitCode::done; }
};

[[nodiscard]] FlowAnswer explain_flow(const classifier::Policy& policy, const classifier::Identities& identities,
                                      const ApplianceView& appliance, const ExplainOptions& flow);

// One object: verdict, source and nat as in a flow record (nat.src_port left out), and steps.
[[nodiscard]] std::string to_json(const FlowAnswer& answer);
[[nodiscard]] std::string to_text(const FlowAnswer& answer, const ExplainOptions& flow, const Style& style);
// One line: what to change in the policy if the denied flow is to pass.
[[nodiscard]] std::string advice(const FlowAnswer& answer, const ExplainOptions& flow);

}  // namespace sallyport
