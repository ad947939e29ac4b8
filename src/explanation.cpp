#include "src/explanation.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "classifier/prefix_translation.h"
#include "config/host_name.h"
#include "src/explain_words.h"

namespace sallyport {
namespace {

using classifier::Action;
using classifier::EgressChoice;
using classifier::Reason;
using Json = nlohmann::ordered_json;

std::string_view text_of(config::Protocol protocol) {
  switch (protocol) {
    case config::Protocol::tcp:
      return "TCP";
    case config::Protocol::udp:
      return "UDP";
    case config::Protocol::sctp:
      return "SCTP";
    case config::Protocol::icmp:
      return "ICMP echo";
    case config::Protocol::other:
      return "another protocol";
  }
  return "";
}

// What the flow shows when a name is needed: --host stands in a ClientHello, over UDP in one inside QUIC, or is the
// request's Host. Where only requests decide and none was given, the simplest is assumed.
class ShownBy {
 public:
  ShownBy(const ExplainOptions& flow, const classifier::Decision& pending) {
    using Protocol = classifier::Shown::Protocol;
    const bool only_requests = pending.reads_requests && !pending.reads_hellos;
    assumed_ = flow.host && !flow.http && only_requests;
    if (!flow.host && !flow.http) return;
    classifier::Shown shown;
    if (flow.host) name_ = on_the_wire(*flow.host);
    shown.name = name_;
    if (flow.http || assumed_) {
      shown.protocol = flow.http && flow.http->http2 ? Protocol::http2 : Protocol::http;
      shown.request.method = flow.http ? std::string_view(flow.http->method) : "GET";
      shown.request.target = flow.http ? std::string_view(flow.http->target) : "/";
      if (flow.http)
        for (const auto& [name, value] : flow.http->fields) fields_.push_back({name, value});
      shown.request.fields = fields_;
    } else {
      shown.protocol = flow.protocol == config::Protocol::udp ? Protocol::quic : Protocol::tls;
    }
    shown_ = shown;
  }

  [[nodiscard]] const std::optional<classifier::Shown>& shown() const { return shown_; }
  [[nodiscard]] bool assumed() const { return assumed_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  // A name in other letters than ASCII's goes out as A-labels; all else as it is given, valid or not.
  static std::string on_the_wire(const std::string& host) {
    const bool ascii =
        std::all_of(host.begin(), host.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (ascii) return host;
    const auto converted = config::normalize_host_name(host);
    return converted ? *converted.value : host;
  }

  std::string name_;
  std::vector<classifier::HttpField> fields_;
  std::optional<classifier::Shown> shown_;
  bool assumed_ = false;
};

// What the user says that DNS has said.
class Claimed final : public classifier::BoundNames {
 public:
  explicit Claimed(const std::vector<ExplainOptions::Resolved>& claims) : claims_(claims) {}
  [[nodiscard]] bool knows(const IpAddress& address) const noexcept override {
    return std::any_of(claims_.begin(), claims_.end(), [&](const auto& claim) { return claim.address == address; });
  }
  [[nodiscard]] bool binds(const classifier::Domain& domain, const IpAddress& address) const noexcept override {
    return std::any_of(claims_.begin(), claims_.end(),
                       [&](const auto& claim) { return claim.address == address && holds(domain, claim.name); });
  }

 private:
  [[nodiscard]] static bool holds(const classifier::Domain& domain, std::string_view name) noexcept {
    using Kind = classifier::Domain::Kind;
    if (name == domain.text) return domain.kind != Kind::below;
    return domain.kind != Kind::exact && name.ends_with(domain.text) &&
           name[name.size() - domain.text.size() - 1] == '.';
  }
  const std::vector<ExplainOptions::Resolved>& claims_;
};

void deny(FlowAnswer& answer, std::string_view reason) {
  answer.action = "deny";
  answer.reason = reason;
  answer.layer.clear();
  answer.rule.clear();
}

void add_step(FlowAnswer& answer, std::string what, std::string result) {
  answer.steps.push_back({std::move(what), std::move(result), {}, 0});
}

void take_decision(FlowAnswer& answer, const classifier::Decision& decision, const classifier::Identities& identities) {
  answer.layer = classifier::to_string(decision.layer);
  answer.rule = identities.name(decision.rule);
  answer.network = identities.name(decision.network);
  answer.audited = decision.audited;
  switch (decision.action) {
    case Action::allow:
      answer.action = "allow";
      break;
    case Action::deny:
      answer.action = "deny";
      break;
    case Action::needs_name:
      answer.action = "needs_name";
      return;
  }
  answer.reason = classifier::to_string(decision.reason);
}

void take_egress(FlowAnswer& answer, const EgressChoice& choice, const IpAddress& source,
                 const ApplianceView& appliance, const classifier::Identities& identities) {
  if (answer.action == "deny" || choice.kind == EgressChoice::Kind::untranslated) return;
  answer.egress = identities.name(choice.egress);
  if (classifier::lacks_address(choice, source)) {
    answer.action = "deny";
    answer.reason = classifier::to_string(Reason::no_egress_address);
    add_step(answer, "egress_address",
             "none of the flow's family: dropped as no_egress_address, never sent untranslated");
    return;
  }
  if (choice.prefix != nullptr) {
    answer.nat_address = choice.prefix->to_outside(source);
    add_step(answer, "egress_address",
             fmt::format("{}, its own in {}", to_string(*answer.nat_address), to_string(choice.prefix->outside())));
    return;
  }
  const classifier::AddressPool& pool = *choice.pool;
  answer.nat_address = pool.pick(source, appliance.pool_key.value_or(classifier::PoolKey{}));
  const std::string_view whose = pool.size() == 1 ? "the only one"
                                 : appliance.pool_key
                                     ? "chosen by the source and pool_key"
                                     : "chosen by the source for a pool_key of zero, since none is known";
  add_step(answer, "egress_address",
           fmt::format("{}, of {} address{}: {}", to_string(*answer.nat_address), pool.size(),
                       pool.size() == 1 ? "" : "es", whose));
}

bool fails_admission(FlowAnswer& answer, const ApplianceView& appliance, const classifier::Source& source,
                     const classifier::FlowQuery& query) {
  const std::optional<dataplane::Drop> why = refused_admission(appliance, source, query);
  if (!why) return false;
  deny(answer, to_string(*why));
  if (*why == dataplane::Drop::source_check) {
    add_step(answer, "source_check",
             fmt::format("{} is of no workload, no namespace and no inside network: dropped", to_string(query.source)));
  } else {
    add_step(answer, "martian", fmt::format("{}: dropped before any policy", description(*why)));
  }
  return true;
}

// One that points nowhere has an empty file and line 0.
Json step_json(const classifier::Step& step) {
  return {{"what", step.what}, {"result", step.result}, {"file", step.file}, {"line", step.line}};
}

void put(Json& object, const char* key, const std::string& text) {
  if (!text.empty()) object[key] = text;
}

std::string flow_text(const ExplainOptions& flow) {
  std::string text = fmt::format("{} -> {}, {}", to_string(flow.from), to_string(flow.to), text_of(flow.protocol));
  if (has_ports(flow.protocol)) text += fmt::format(" port {}", flow.port);
  if (flow.port_assumed) text += " (assumed: no --port)";
  if (flow.host) text += fmt::format(", server name {}", *flow.host);
  if (flow.http)
    text += fmt::format(", {} {} {}", flow.http->http2 ? "HTTP/2" : "HTTP", flow.http->method, flow.http->target);
  return text;
}

// Of nobody's packets, where the appliance is not known: behind the steps that say so.
void tell_of_source_check(FlowAnswer& answer) {
  constexpr std::string_view dropped =
      "with [nat] source_check, the default, it is dropped unless it is on an inside port's network: --config tells";
  const auto behind_source = std::find_if(answer.steps.begin(), answer.steps.end(),
                                          [](const classifier::Step& step) { return step.what == "network_policy"; });
  answer.steps.insert(behind_source, {"source_check", std::string(dropped), {}, 0});
}

void tell_of_assumed(FlowAnswer& answer, const classifier::Policy& policy, const classifier::Decision& pending,
                     const std::string& name) {
  classifier::Shown hello;
  hello.protocol = classifier::Shown::Protocol::tls;
  hello.name = name;
  const classifier::Decision tls = policy.decide_shown(pending, hello, *policy.make_scratch());
  add_step(answer, "request",
           fmt::format("GET / is assumed: requests decide here, and there is no --http; TLS would be {} ({})",
                       tls.action == Action::deny ? "denied" : "allowed", classifier::to_string(tls.reason)));
}

bool is_by_route(const classifier::Decision& decision) {
  return decision.reason == Reason::route || decision.reason == Reason::name_not_allowed ||
         decision.reason == Reason::network_default;
}

}  // namespace

FlowAnswer explain_flow(const classifier::Policy& policy, const classifier::Identities& identities,
                        const ApplianceView& appliance, const ExplainOptions& flow) {
  FlowAnswer answer;
  const classifier::FlowQuery query{flow.from, flow.to, flow.protocol, flow.port};
  const Claimed claimed(flow.resolved);
  const classifier::BoundNames* bound = flow.resolved.empty() ? nullptr : &claimed;
  const classifier::Decision pending = policy.decide(policy.find_source(flow.from), query, bound);
  answer.reads_requests = pending.reads_requests;
  const ShownBy shown_by(flow, pending);
  const classifier::Explanation explanation = policy.explain(query, shown_by.shown(), bound);
  answer.namespace_name = identities.name(explanation.source.namespace_name);
  answer.workload = identities.name(explanation.source.workload);
  if (fails_admission(answer, appliance, explanation.source, query)) return answer;
  if (flow.host && shown_by.name() != *flow.host)
    add_step(answer, "host_name", fmt::format("{} is {} on the wire", *flow.host, shown_by.name()));
  if (shown_by.assumed()) tell_of_assumed(answer, policy, pending, shown_by.name());
  answer.steps.insert(answer.steps.end(), explanation.steps.begin(), explanation.steps.end());
  answer.by_dns = explanation.by_dns;
  if (!appliance.known && answer.namespace_name.empty()) tell_of_source_check(answer);
  const bool open = shown_by.assumed() && explanation.by_request && is_by_route(explanation.decision);
  if (open) add_step(answer, "request", "another request for this name may be decided otherwise: --http tells");
  take_decision(answer, open ? pending : explanation.decision, identities);
  take_egress(answer, explanation.egress, flow.from, appliance, identities);
  if (answer.action != "deny" && policy.gives_out(flow.to)) {
    add_step(answer, "hairpin",
             fmt::format("{} is an egress address of the gateway itself: passes only to a mapping that stands behind "
                         "this port, else dropped as hairpin_refused",
                         to_string(flow.to)));
  }
  return answer;
}

std::string to_json(const FlowAnswer& answer) {
  Json object;
  Json& verdict = object["verdict"];
  verdict["action"] = answer.action;
  put(verdict, "reason", answer.reason);
  put(verdict, "layer", answer.layer);
  put(verdict, "rule", answer.rule);
  put(verdict, "network", answer.network);
  if (answer.audited) verdict["audited"] = true;
  if (!answer.namespace_name.empty()) object["source"]["namespace"] = answer.namespace_name;
  if (!answer.workload.empty()) object["source"]["workload"] = answer.workload;
  if (answer.nat_address) {
    put(object["nat"], "egress", answer.egress);
    object["nat"]["src_ip"] = to_string(*answer.nat_address);
  }
  object["steps"] = Json::array();
  for (const classifier::Step& step : answer.steps) object["steps"].push_back(step_json(step));
  return object.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string to_text(const FlowAnswer& answer, const ExplainOptions& flow, const Style& style) {
  std::string text = flow_text(flow) + "\n\n";
  std::size_t number = 1;
  for (const classifier::Step& step : answer.steps) {
    text += fmt::format("{:>3}. {}: {}", number++, style.paint(Colour::bold, step.what), step.result);
    if (!step.file.empty()) text += fmt::format("  ({}:{})", step.file, step.line);
    text += '\n';
  }
  const Colour colour = answer.action == "deny"    ? Colour::red
                        : answer.action == "allow" ? Colour::green
                                                   : Colour::yellow;
  text += fmt::format("\nverdict: {}", style.paint(colour, answer.action));
  if (!answer.reason.empty()) text += fmt::format(" ({})", answer.reason);
  if (!answer.rule.empty()) text += fmt::format(", by {}", answer.rule);
  if (!answer.network.empty()) text += fmt::format(", in {}", answer.network);
  if (answer.audited) text += ", audited";
  text += '\n';
  if (answer.action == "deny") return text;
  if (!answer.nat_address) return text + "leaves untranslated\n";
  text += fmt::format("leaves as {}", to_string(*answer.nat_address));
  if (!answer.egress.empty()) text += fmt::format(" (egress {})", answer.egress);
  return text + '\n';
}

}  // namespace sallyport
