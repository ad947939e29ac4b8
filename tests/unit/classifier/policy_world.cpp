#include "policy_world.h"

#include <gtest/gtest.h>

namespace sallyport::classifier {

IpAddress address(std::string_view text) {
  const auto parsed = parse_address(text);
  if (!parsed) {
    ADD_FAILURE() << "no address: " << text;
    return {};
  }
  return *parsed;
}

FlowQuery tcp_query(std::string_view from, std::string_view to, std::uint16_t port) {
  return {address(from), address(to), Protocol::tcp, port};
}

std::string errors_of(std::string_view toml) {
  auto loaded = config::load_policy({{"policy.toml", std::string(toml)}});
  config::Diagnostics diagnostics = loaded.diagnostics;
  if (loaded.model) {
    Identities identities;
    diagnostics.append(Policy::compile(std::move(*loaded.model), identities).diagnostics);
  }
  EXPECT_TRUE(diagnostics.has_errors()) << "taken, but should be refused:\n" << toml;
  std::string text;
  for (const config::Diagnostic& diagnostic : diagnostics.all())
    if (diagnostic.severity == config::Severity::error) text += to_text(diagnostic, loaded.files) + "\n";
  return text;
}

PolicyWorld::PolicyWorld(std::string_view toml) {
  auto loaded = config::load_policy({{"policy.toml", std::string(toml)}});
  diagnostics_ = loaded.diagnostics;
  if (loaded.model) {
    Policy::Compiled compiled = Policy::compile(std::move(*loaded.model), identities_);
    diagnostics_.append(compiled.diagnostics);
    policy_ = std::move(compiled.policy);
  }
  for (const config::Diagnostic& diagnostic : diagnostics_.all())
    if (diagnostic.severity == config::Severity::error) ADD_FAILURE() << to_text(diagnostic, loaded.files);
  if (!policy_) throw std::runtime_error("the policy of this test is refused");
}

std::string PolicyWorld::describe(const Decision& decision) const {
  std::string text = decision.action == Action::allow  ? "allow "
                     : decision.action == Action::deny ? "deny "
                                                       : "needs_name";
  if (decision.action != Action::needs_name) text += to_string(decision.reason);
  if (decision.action != Action::needs_name && decision.rule != 0) text += " " + identities_.name(decision.rule);
  return text + (decision.audited ? " audited" : "");
}

std::string PolicyWorld::tcp(std::string_view from, std::string_view to, std::uint16_t port) const {
  const FlowQuery query = tcp_query(from, to, port);
  return describe(policy_->decide(policy_->find_source(query.source), query));
}

std::string PolicyWorld::udp(std::string_view from, std::string_view to, std::uint16_t port) const {
  const FlowQuery query{address(from), address(to), Protocol::udp, port};
  return describe(policy_->decide(policy_->find_source(query.source), query));
}

std::string PolicyWorld::sctp(std::string_view from, std::string_view to, std::uint16_t port) const {
  const FlowQuery query{address(from), address(to), Protocol::sctp, port};
  return describe(policy_->decide(policy_->find_source(query.source), query));
}

std::string PolicyWorld::ping(std::string_view from, std::string_view to) const {
  const FlowQuery query{address(from), address(to), Protocol::icmp, 0};
  return describe(policy_->decide(policy_->find_source(query.source), query));
}

std::string PolicyWorld::show(const FlowQuery& query, const Shown& shown) const {
  const Decision pending = policy_->decide(policy_->find_source(query.source), query);
  if (pending.action != Action::needs_name) return describe(pending);
  const auto scratch = policy_->make_scratch();
  return describe(policy_->decide_shown(pending, shown, *scratch));
}

std::string PolicyWorld::tls(std::string_view from, std::string_view to, std::string_view name) const {
  return show(tcp_query(from, to, 443), {Shown::Protocol::tls, name, false});
}

std::string PolicyWorld::quic(std::string_view from, std::string_view to, std::string_view name) const {
  return show({address(from), address(to), Protocol::udp, 443}, {Shown::Protocol::quic, name, false});
}

std::string PolicyWorld::network(std::string_view from, std::string_view to) const {
  const FlowQuery query = tcp_query(from, to, 80);
  return identities_.name(policy_->decide(policy_->find_source(query.source), query).network);
}

std::string PolicyWorld::egress(std::string_view from, std::string_view to) const {
  const FlowQuery query = tcp_query(from, to, 80);
  const EgressChoice choice = policy_->choose_egress(policy_->find_source(query.source), query);
  if (choice.kind == EgressChoice::Kind::untranslated) return "untranslated";
  const std::string name = choice.egress == 0 ? "[snat]" : identities_.name(choice.egress);
  if (choice.kind == EgressChoice::Kind::no_address) return name + ": no address";
  const std::string more = choice.pool->size() == 1 ? "" : " +" + std::to_string(choice.pool->size() - 1);
  return name + " " + to_string(choice.pool->at(0)) + more;
}

bool PolicyWorld::warns(std::string_view text) const { return warnings().find(text) != std::string::npos; }

std::string PolicyWorld::warnings() const {
  std::string all;
  for (const config::Diagnostic& diagnostic : diagnostics_.all())
    if (diagnostic.severity == config::Severity::warning) all += to_text(diagnostic, policy_->model().files) + "\n";
  return all;
}

}  // namespace sallyport::classifier
