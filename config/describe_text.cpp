#include "config/describe_text.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "config/document/units.h"

namespace sallyport::config {
namespace {

constexpr std::string_view none = "none";

// "[a, b]", sorted; what each element is called comes from `name`.
template <typename T, typename Name>
std::string set_of(const std::vector<T>& elements, Name name) {
  std::vector<std::string> texts;
  texts.reserve(elements.size());
  for (const T& element : elements) texts.push_back(name(element));
  std::sort(texts.begin(), texts.end());
  return fmt::format("[{}]", join(texts));
}

std::string prefix_name(const Prefix& prefix) { return to_string(prefix); }

std::string ports(const std::optional<std::uint16_t>& port, const std::optional<std::uint16_t>& end_port) {
  if (!port) return "every port";
  return end_port && *end_port != *port ? fmt::format("{}-{}", *port, *end_port) : fmt::format("{}", *port);
}

std::string describe_term(const SelectorTerm& term) {
  constexpr std::array<std::string_view, 4> operators{"in", "not in", "exists", "does not exist"};
  const auto op = operators[static_cast<std::size_t>(term.op)];
  return fmt::format("{} {} {}", term.key, op, describe(term.values));
}

std::string describe_block(const CidrBlock& block) {
  if (block.except.empty()) return to_string(block.cidr);
  return fmt::format("{} except {}", to_string(block.cidr), set_of(block.except, prefix_name));
}

std::string describe_optional(const std::optional<Selector>& selector) {
  return selector ? describe(*selector) : std::string(none);
}

struct DescribePeer {
  std::string operator()(const IpBlockPeer& peer) const { return describe_block(peer.block); }
  std::string operator()(const NetworkSetPeer& peer) const { return "network sets " + describe(peer.selector); }
  std::string operator()(const DomainsPeer& peer) const { return "domains " + describe(peer.domains); }
  std::string operator()(const PodPeer& peer) const {
    return fmt::format("pods {} of namespaces {}", describe_optional(peer.pod_selector),
                       describe_optional(peer.namespace_selector));
  }
};

std::string describe_port_rule(const PortRule& rule) {
  constexpr std::array<std::string_view, 4> protocols{"TCP", "UDP", "SCTP", "ICMP"};
  return fmt::format("{} {}", protocols[static_cast<std::size_t>(rule.protocol)], ports(rule.port, rule.end_port));
}

std::string describe_rule(const NetworkPolicyRule& rule) {
  return fmt::format("to {} ports {}",
                     set_of(rule.to, [](const Peer& peer) { return std::visit(DescribePeer(), peer.is); }),
                     set_of(rule.ports, describe_port_rule));
}

std::string describe_ref(const ParentRef& ref) {
  return fmt::format("{}/{} {}", ref.namespace_name, ref.name, ports(ref.port, ref.end_port));
}

std::string describe_string_match(const StringMatch& match) {
  constexpr std::array<std::string_view, 3> types{"is", "starts with", "matches"};
  return fmt::format("{} \"{}\"", types[static_cast<std::size_t>(match.type)], match.value);
}

std::string describe_named_match(const NamedMatch& match) {
  return fmt::format("{} {}", match.name, describe_string_match(match.match));
}

std::string describe_match(const HttpMatch& match) {
  return fmt::format("path {} method {} headers {} parameters {} service {} method {} {}",
                     match.path ? describe_string_match(*match.path) : std::string(none),
                     match.method.value_or(std::string(none)), set_of(match.headers, describe_named_match),
                     set_of(match.query_params, describe_named_match), match.grpc_service.value_or(std::string(none)),
                     match.grpc_method.value_or(std::string(none)), static_cast<int>(match.grpc_type));
}

}  // namespace

std::string join(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) {
    if (!joined.empty()) joined += ", ";
    joined += text;
  }
  return joined;
}

std::string describe(bool value) { return value ? "true" : "false"; }
std::string describe(std::int64_t value) { return fmt::format("{}", value); }
std::string describe(std::uint32_t value) { return fmt::format("{}", value); }
std::string describe(const std::string& value) { return value.empty() ? std::string(none) : value; }
std::string describe(std::chrono::milliseconds value) { return to_string(value); }
std::string describe(TrafficPolicy value) { return value == TrafficPolicy::allow ? "Allow" : "Deny"; }
std::string describe(RouteAction value) {
  constexpr std::array<const char*, 3> actions{"allow", "deny", "audit"};
  return actions[static_cast<std::size_t>(value)];
}
std::string describe(DomainSet::Match value) { return value == DomainSet::Match::exact ? "exact" : "subdomains"; }
std::string describe(Binding value) {
  constexpr std::array<const char*, 3> bindings{"off", "audit", "deny"};
  return bindings[static_cast<std::size_t>(value)];
}

std::string describe(const Labels& labels) {
  std::vector<std::string> texts;
  for (const auto& [key, value] : labels) texts.push_back(fmt::format("{}={}", key, value));
  return fmt::format("{{{}}}", join(texts));
}

std::string describe(const Selector& selector) {
  return fmt::format("{} {}", describe(selector.match_labels), set_of(selector.match_expressions, describe_term));
}

std::string describe(const std::vector<NetworkPolicyRule>& rules) { return set_of(rules, describe_rule); }
std::string describe(const std::vector<CidrBlock>& blocks) { return set_of(blocks, describe_block); }
std::string describe(const std::vector<ParentRef>& refs) { return set_of(refs, describe_ref); }
std::string describe(const std::vector<HttpMatch>& matches) { return set_of(matches, describe_match); }

std::string describe(const std::vector<IpAddress>& addresses) {
  return set_of(addresses, [](const IpAddress& address) { return to_string(address); });
}

std::string describe(const std::vector<AddressRange>& ranges) {
  return set_of(ranges, [](const AddressRange& range) {
    return range.first == range.last ? to_string(range.first)
                                     : fmt::format("{}-{}", to_string(range.first), to_string(range.last));
  });
}

std::string describe(const std::vector<std::string>& names) {
  return set_of(names, [](const std::string& name) { return name; });
}

std::string describe(const std::optional<AppliedTo>& applied) {
  if (!applied) return std::string(none);
  return fmt::format("pods {} of namespaces {}", describe_optional(applied->pod_selector),
                     describe_optional(applied->namespace_selector));
}

std::string describe(const std::optional<Bandwidth>& bandwidth) {
  if (!bandwidth) return std::string(none);
  return fmt::format("{} bit/s, burst {} bits", bandwidth->rate_bits_per_second, bandwidth->burst_bits);
}

std::string describe(const std::optional<std::uint8_t>& number) {
  return number ? fmt::format("{}", *number) : std::string(none);
}

std::string describe(const std::optional<Prefix>& prefix) { return prefix ? to_string(*prefix) : std::string(none); }

std::string describe(const HostPattern& pattern) {
  constexpr std::array<std::string_view, 4> signs{"", "*.", ".", "regex "};
  return fmt::format("{}{}", signs[static_cast<std::size_t>(pattern.kind)], pattern.text);
}

}  // namespace sallyport::config
