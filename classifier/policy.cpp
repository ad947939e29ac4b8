#include "classifier/policy.h"

#include <algorithm>
#include <utility>

#include "classifier/policy_hash.h"
#include "classifier/policy_impl.h"
#include "classifier/policy_warnings.h"
#include "classifier/unanswered_names.h"
#include "classifier/unmatched_selectors.h"

namespace sallyport::classifier {

Policy::Impl::Impl(std::unique_ptr<const config::PolicyModel> written, std::unique_ptr<HostRoutes> host_routes,
                   std::unique_ptr<const RequestRoutes> request_routes, Identities& identities,
                   config::Diagnostics& diagnostics)
    : model(std::move(written)),
      hosts(std::move(host_routes)),
      requests(std::move(request_routes)),
      sources(*model, identities),
      network_policies(*model, sources, identities),
      egress_networks(*model, sources),
      routes(*model, *hosts, *requests, identities, diagnostics),
      egresses(*model, sources, identities),
      treatments(*model, identities),
      hash(policy_hash(*model)) {
  for (const config::EgressNetwork& network : model->egress_networks)
    network_ids.push_back(identities.intern(network.namespace_name + "/" + network.name));
  for (const std::string& name : model->defaults.ech_public_names)
    if (const auto normal = normalise(name)) ech_public_names.emplace_back(normal->view());
  std::sort(ech_public_names.begin(), ech_public_names.end());
  dns_servers = model->dns.trusted_servers;
  std::sort(dns_servers.begin(), dns_servers.end());
}

Decision Policy::Impl::decide(const Source& source, const FlowQuery& query, const BoundNames* bound) const noexcept {
  Decision decision;
  const std::uint32_t group = sources.record(source.index).group;
  if (network_policies.isolates(group)) {
    const NetworkPolicies::Answer first = network_policies.decide(group, query, bound);
    if (first.verdict == NetworkPolicies::Verdict::denied) {
      decision.reason = Reason::network_policy;
      decision.layer = Layer::network_policy;
      decision.rule = first.policy;
      return decision;
    }
    decision.domain = first.domain;
  }
  decision.layer = Layer::egress_network;
  const std::uint32_t network = egress_networks.capture(group, query.destination);
  if (network == EgressNetworks::none) {
    decision.action = model->defaults.uncaptured == config::TrafficPolicy::allow ? Action::allow : Action::deny;
    ask_for_name(query, decision);
    return decision;
  }
  decision.network = network_ids[network];
  const std::uint32_t place = routes.plan_of(network, query.protocol, query.destination_port);
  const Routes::Plan& plan = routes.plan(place);
  if (plan.needs_name()) {
    decision.action = Action::needs_name;
    decision.name_table = place;
    decision.reads_hellos = plan.tls_table != Routes::Plan::no_table;
    decision.reads_requests = plan.needs_request();
  } else {
    take(plan.otherwise, decision);
    ask_for_name(query, decision);
  }
  return decision;
}

// server_name_binding = "deny": a name that is not bound must not reach its server, whatever rule lets the flow pass.
void Policy::Impl::ask_for_name(const FlowQuery& query, Decision& decision) const noexcept {
  const bool may_show = query.protocol == Protocol::tcp || query.protocol == Protocol::udp;
  if (decision.action != Action::allow || !may_show || model->defaults.server_name_binding != config::Binding::deny)
    return;
  decision.action = Action::needs_name;
  decision.name_table = no_name_table;
  decision.reads_hellos = true;
}

void Policy::Impl::take(const Routes::Outcome& outcome, Decision& decision) const noexcept {
  decision.action = outcome.action;
  decision.reason = outcome.reason;
  decision.audited = outcome.audited;
  decision.rule = routes.id_of(outcome.route);
  decision.audit = routes.id_of(outcome.audit);
  decision.route = outcome.route;
}

// ech = "deny": only where what the hello shows in the clear is the public name of an ECH service.
bool Policy::Impl::is_refused_ech(const Shown& shown, const HostName* name) const noexcept {
  return model->defaults.ech_denied && shown.ech && name != nullptr &&
         std::binary_search(ech_public_names.begin(), ech_public_names.end(), name->view());
}

Policy::Policy(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Policy::~Policy() = default;

Policy::Compiled Policy::compile(config::PolicyModel model, Identities& identities, const Policy* previous) {
  Compiled compiled;
  auto written = std::make_unique<const config::PolicyModel>(std::move(model));
  const HostPatterns* lent = previous == nullptr ? nullptr : previous->impl_->hosts->patterns().get();
  auto hosts = std::make_unique<HostRoutes>(*written, lent, compiled.diagnostics);
  const RequestRoutes* lent_requests = previous == nullptr ? nullptr : previous->impl_->requests.get();
  auto requests = std::make_unique<const RequestRoutes>(*written, lent_requests, compiled.diagnostics);
  if (!compiled.diagnostics.has_errors()) {
    auto impl = std::make_unique<Impl>(std::move(written), std::move(hosts), std::move(requests), identities,
                                       compiled.diagnostics);
    warn_of_unused(*impl->model, impl->sources, impl->egress_networks, impl->egresses, compiled.diagnostics);
    warn_of_unmatched_selectors(*impl->model, impl->sources, impl->network_policies, impl->egresses,
                                compiled.diagnostics);
    warn_of_unanswered_names(*impl, compiled.diagnostics);
    compiled.policy.reset(new Policy(std::move(impl)));
  }
  compiled.diagnostics.sort();
  return compiled;
}

void Policy::find_errors(const config::PolicyModel& model, config::Diagnostics& diagnostics) {
  const HostRoutes hosts(model, nullptr, diagnostics);
  const RequestRoutes requests(model, nullptr, diagnostics);
}

const config::PolicyModel& Policy::model() const noexcept { return *impl_->model; }

Source Policy::find_source(const IpAddress& address) const noexcept { return impl_->sources.find(address); }

Decision Policy::decide(const Source& source, const FlowQuery& query, const BoundNames* bound) const noexcept {
  return impl_->decide(source, query, bound);
}

Decision Policy::decide_shown(const Decision& pending, const Shown& shown, MatchScratch& scratch) const noexcept {
  if (pending.name_table == no_name_table) {
    Decision decision = pending;
    decision.action = Action::allow;
    return decision;
  }
  const auto normal = shown_name(shown);
  const HostName* name = normal ? &*normal : nullptr;
  Decision decision{.layer = Layer::egress_network, .network = pending.network, .name_table = pending.name_table};
  if (impl_->is_refused_ech(shown, name)) {
    decision.reason = Reason::ech_refused;
    return decision;
  }
  const Routes::Plan& plan = impl_->routes.plan(pending.name_table);
  impl_->take(impl_->routes.resolve(plan, shown, name, scratch), decision);
  return decision;
}

Policy::NameBinding Policy::check_name_binding(std::string_view shown, const IpAddress& destination,
                                               const BoundNames& bound) const noexcept {
  const config::Binding wanted = impl_->model->defaults.server_name_binding;
  if (wanted == config::Binding::off) return NameBinding::right;
  const auto name = normalise_host(shown);
  if (!name || bound.binds({Domain::Kind::exact, name->view()}, destination)) return NameBinding::right;
  return wanted == config::Binding::deny ? NameBinding::denied : NameBinding::audited;
}

bool Policy::trusts_dns_server(const IpAddress& address) const noexcept {
  return std::binary_search(impl_->dns_servers.begin(), impl_->dns_servers.end(), address);
}

EgressChoice Policy::choose_egress(const Source& source, const FlowQuery& query) const noexcept {
  return impl_->egresses.choose(source.index, query.destination).choice;
}

EgressTreatment Policy::treatment(Id egress) const noexcept { return impl_->treatments.of(egress); }

std::span<const EgressBandwidth> Policy::bandwidths() const noexcept { return impl_->treatments.bandwidths(); }

bool Policy::gives_out(const IpAddress& address) const noexcept { return impl_->egresses.gives_out(address); }

std::optional<IpAddress> Policy::mapped_from(const IpAddress& outside) const noexcept {
  return impl_->egresses.mapped_from(outside);
}

std::vector<AddressRange> Policy::egress_addresses() const { return impl_->egresses.addresses(); }

std::unique_ptr<MatchScratch, void (*)(MatchScratch*)> Policy::make_scratch(std::uint64_t seed) const {
  auto scratch = std::make_unique<MatchScratch>(seed);
  impl_->hosts->reserve(*scratch);
  impl_->requests->reserve(*scratch);
  return {scratch.release(), [](MatchScratch* made) { MatchScratchDeleter{}(made); }};
}

const std::string& Policy::hash() const noexcept { return impl_->hash; }

}  // namespace sallyport::classifier
