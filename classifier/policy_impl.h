// The parts of a compiled policy, for policy.cpp and explain.cpp.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "classifier/egress_choice.h"
#include "classifier/egress_networks.h"
#include "classifier/egress_treatment.h"
#include "classifier/host_routes.h"
#include "classifier/network_policies.h"
#include "classifier/policy.h"
#include "classifier/request_routes.h"
#include "classifier/routes.h"
#include "classifier/sources.h"

namespace sallyport::classifier {

struct Policy::Impl {
  // Parts keep references to those above them, so this stays where it was made. What matches comes in compiled.
  Impl(std::unique_ptr<const config::PolicyModel> written, std::unique_ptr<HostRoutes> host_routes,
       std::unique_ptr<const RequestRoutes> request_routes, Identities& identities, config::Diagnostics& diagnostics);

  [[nodiscard]] Decision decide(const Source& source, const FlowQuery& query, const BoundNames* bound) const noexcept;
  void ask_for_name(const FlowQuery& query, Decision& decision) const noexcept;
  void take(const Routes::Outcome& outcome, Decision& decision) const noexcept;
  [[nodiscard]] bool is_refused_ech(const Shown& shown, const HostName* name) const noexcept;

  std::unique_ptr<const config::PolicyModel> model;
  std::unique_ptr<HostRoutes> hosts;
  std::unique_ptr<const RequestRoutes> requests;
  Sources sources;
  NetworkPolicies network_policies;
  EgressNetworks egress_networks;
  Routes routes;
  EgressChoices egresses;
  EgressTreatments treatments;
  std::vector<Id> network_ids;                // "namespace/name", by place in the model
  std::vector<std::string> ech_public_names;  // normal forms, sorted
  std::vector<IpAddress> dns_servers;         // the trusted ones, sorted
  std::string hash;
};

}  // namespace sallyport::classifier
