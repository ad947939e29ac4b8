#include "src/flow_comparison.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sallyport {
namespace {

using Json = nlohmann::ordered_json;
using config::Protocol;

std::string_view protocol_text(const classifier::FlowQuery& query) {
  switch (query.protocol) {
    case Protocol::tcp:
      return "TCP";
    case Protocol::udp:
      return "UDP";
    case Protocol::sctp:
      return "SCTP";
    case Protocol::icmp:
      return query.source.family == Family::v4 ? "ICMP" : "IPv6-ICMP";
    case Protocol::other:
      return "another protocol";
  }
  return "";
}

std::string endpoint(const IpAddress& address, std::uint16_t port, bool has_port) {
  std::string text = to_string(address);
  if (!has_port) return text;
  return address.family == Family::v4 ? fmt::format("{}:{}", text, port) : fmt::format("[{}]:{}", text, port);
}

// What a terminal may be shown of a name that any client has sent.
std::string harmless(std::string_view name) {
  std::string text(name);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < 0x21 || c > 0x7e; }, '?');
  return text;
}

void put(Json& object, const char* key, std::string_view text) {
  if (!text.empty()) object[key] = text;
}

// As in a flow record, and where the rule stands.
Json outcome_json(const FlowOutcome& outcome, const classifier::Identities& identities, const Place& place) {
  Json object;
  Json& verdict = object["verdict"];
  verdict["action"] = action_of(outcome);
  put(verdict, "reason", reason_of(outcome));
  if (!outcome.refused) {
    put(verdict, "layer", classifier::to_string(outcome.decision.layer));
    put(verdict, "rule", identities.name(outcome.decision.rule));
    put(verdict, "network", identities.name(outcome.decision.network));
  }
  if (outcome.address) {
    put(object["nat"], "egress", identities.name(outcome.egress.egress));
    object["nat"]["src_ip"] = to_string(*outcome.address);
  }
  put(object, "file", place.file);
  if (!place.file.empty()) object["line"] = place.line;
  return object;
}

std::string_view change_text(Change change) {
  constexpr std::array<std::string_view, 3> texts = {"none", "verdict", "address"};
  return texts[static_cast<std::size_t>(change)];
}

}  // namespace

FlowComparison::Difference FlowComparison::compare(const RecordedFlow& flow) {
  Difference difference;
  const std::optional<classifier::Shown> shown = flow.shown();
  difference.before = decide_flow(before_.policy, appliance_, flow.query, shown, *before_.scratch);
  difference.after = decide_flow(after_.policy, appliance_, flow.query, shown, *after_.scratch);
  difference.change = change_between(difference.before, difference.after);
  ++sums_.flows;
  sums_.verdict += difference.change == Change::verdict ? 1 : 0;
  sums_.address += difference.change == Change::address ? 1 : 0;
  if (difference.change != Change::none) count_group(difference);
  return difference;
}

void FlowComparison::count_group(const Difference& d) {
  const Group group = {std::string(action_of(d.before)), rule_of(d.before), std::string(action_of(d.after)),
                       rule_of(d.after)};
  const auto found = groups_.find(group);
  if (found != groups_.end()) {
    ++found->second;
  } else if (groups_.size() < groups_max) {
    groups_.emplace(group, 1);
  } else {
    ++ungrouped_;
  }
}

// Who decided, in a word: the rule, else the network, else the reason; where only the address changes, that.
std::string FlowComparison::rule_of(const FlowOutcome& outcome) const {
  const std::string& rule = identities_.name(outcome.decision.rule);
  const std::string& network = identities_.name(outcome.decision.network);
  std::string text = !outcome.refused && !rule.empty()      ? rule
                     : !outcome.refused && !network.empty() ? network
                                                            : std::string(reason_of(outcome));
  if (outcome.egress.egress != 0) text += fmt::format(", egress {}", identities_.name(outcome.egress.egress));
  return text;
}

std::string FlowComparison::told(const FlowOutcome& outcome, const Side& side, const Style& style) const {
  const std::string_view action = action_of(outcome);
  const Colour colour = action == "deny" ? Colour::red : action == "allow" ? Colour::green : Colour::yellow;
  std::string text = style.paint(colour, action);
  const std::string_view reason = reason_of(outcome);
  if (!reason.empty()) text += fmt::format(" ({})", reason);
  if (!outcome.refused) {
    const std::string& rule = identities_.name(outcome.decision.rule);
    const std::string& network = identities_.name(outcome.decision.network);
    if (!rule.empty()) text += fmt::format(" by {}", rule);
    if (rule.empty() && !network.empty()) text += fmt::format(" in {}", network);
    const Place place = place_of(outcome, side.policy.model(), identities_);
    if (!place.file.empty()) text += fmt::format(", {}:{}", place.file, place.line);
  }
  if (action == "deny") return text;
  text += outcome.address ? fmt::format("; leaves as {}", to_string(*outcome.address)) : "; leaves untranslated";
  if (outcome.egress.egress != 0) text += fmt::format(" (egress {})", identities_.name(outcome.egress.egress));
  return text;
}

std::string FlowComparison::text(std::uint64_t line, const RecordedFlow& flow, const Difference& difference,
                                 const Style& style) const {
  const classifier::FlowQuery& query = flow.query;
  const bool has_port = query.protocol != Protocol::icmp;
  return fmt::format(
      "line {}: {} -> {} {}{}{}\n  old: {}\n  new: {}\n", line, endpoint(query.source, flow.source_port, has_port),
      endpoint(query.destination, query.destination_port, has_port), protocol_text(query), flow.name.empty() ? "" : " ",
      harmless(flow.name), told(difference.before, before_, style), told(difference.after, after_, style));
}

std::string FlowComparison::json(std::uint64_t line, const RecordedFlow& flow, const Difference& difference) const {
  Json object = {{"line", line},
                 {"flow_id", flow.id},
                 {"src_ip", to_string(flow.query.source)},
                 {"src_port", flow.source_port},
                 {"dest_ip", to_string(flow.query.destination)},
                 {"dest_port", flow.query.destination_port},
                 {"proto", protocol_text(flow.query)}};
  put(object, "name", flow.name);
  object["change"] = change_text(difference.change);
  const FlowOutcome& before = difference.before;
  const FlowOutcome& after = difference.after;
  object["old"] = outcome_json(before, identities_, place_of(before, before_.policy.model(), identities_));
  object["new"] = outcome_json(after, identities_, place_of(after, after_.policy.model(), identities_));
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string FlowComparison::summary_text(const Style& style) const {
  const std::uint64_t otherwise = sums_.verdict + sums_.address;
  std::string text;
  if (otherwise != 0) {
    std::vector<std::pair<std::uint64_t, const Group*>> rising;
    for (const auto& [group, count] : groups_) rising.emplace_back(count, &group);
    std::stable_sort(rising.begin(), rising.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    Table table({"FLOWS", "OLD", "BY", "NEW", "BY"});
    for (const auto& [count, group] : rising) {
      table.add({grouped(count), (*group)[0], (*group)[1], (*group)[2], (*group)[3]});
    }
    text = '\n' + table.text();
    if (ungrouped_ != 0) text += fmt::format("and {} flows of other rules\n", grouped(ungrouped_));
    text += '\n';
  }
  text += fmt::format("{}: {} with another verdict, {} under another address, {} as before\n",
                      style.paint(Colour::bold, grouped(sums_.flows) + " flows"), grouped(sums_.verdict),
                      grouped(sums_.address), grouped(sums_.flows - otherwise));
  return text;
}

std::string FlowComparison::summary_json() const {
  const Json object = {{"flows", sums_.flows},
                       {"verdict", sums_.verdict},
                       {"address", sums_.address},
                       {"same", sums_.flows - sums_.verdict - sums_.address},
                       {"other_records", sums_.other_records},
                       {"unreadable_lines", sums_.unreadable_lines}};
  return object.dump();
}

}  // namespace sallyport
