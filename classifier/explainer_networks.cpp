// Which egress network captures, and why the others do not.
#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "classifier/explainer.h"
#include "config/address.h"

namespace sallyport::classifier {

namespace {

// Of IPv6 to a power of two: nobody reads 39 digits.
std::string size_of(const config::CidrBlock& block) {
  const Uint128 span = effective_span(block);
  if (span < UINT32_MAX) return fmt::format("{}", static_cast<std::uint64_t>(span) + 1);
  if (span == ~Uint128{0} && !block.except.empty()) return "0";
  unsigned bits = 0;
  for (Uint128 rest = span; rest != 0; rest >>= 1U) ++bits;
  return fmt::format("up to 2^{}", bits);
}

// The entry by which a network has the address: the smallest of those that hold it and do not except it.
const config::CidrBlock* best_entry(const config::EgressNetwork& network, const IpAddress& address) {
  const config::CidrBlock* best = nullptr;
  for (const config::CidrBlock& block : network.networks) {
    const auto holds = [&](const Prefix& prefix) { return prefix.contains(address); };
    if (!holds(block.cidr) || std::any_of(block.except.begin(), block.except.end(), holds)) continue;
    if (best == nullptr || effective_span(block) < effective_span(*best)) best = &block;
  }
  return best;
}

// An entry whose except keeps the address out.
const config::CidrBlock* excepting_entry(const config::EgressNetwork& network, const IpAddress& address) {
  for (const config::CidrBlock& block : network.networks)
    if (block.cidr.contains(address)) return &block;
  return nullptr;
}

std::string described(const config::CidrBlock& block) {
  return to_string(block.cidr) + (block.except.empty() ? "" : " with excepts");
}

// Why the one lost to the other. Where there are excepts the lengths of the prefixes do not show it.
std::string larger(const config::CidrBlock& entry, const config::CidrBlock& better) {
  if (entry.except.empty() && better.except.empty()) return "its entry is larger";
  return fmt::format("its entry is larger, {} addresses and not {}", size_of(entry), size_of(better));
}

}  // namespace

void Explainer::tell_networks() {
  const SourceGroup& group = impl_.sources.groups()[impl_.sources.record(source_.index).group];
  const std::uint32_t winner =
      impl_.egress_networks.capture(impl_.sources.record(source_.index).group, query_.destination);
  if (!group.namespace_name.empty()) tell_scope(group.namespace_name, winner);
  if (group.namespace_name != model_.global_namespace) tell_scope(model_.global_namespace, winner);
  if (winner == EgressNetworks::none)
    add("egress_network",
        fmt::format("no egress network captures {}: [defaults] uncaptured = \"{}\"", to_string(query_.destination),
                    model_.defaults.uncaptured == config::TrafficPolicy::allow ? "allow" : "deny"),
        model_.defaults.uncaptured_at);
}

void Explainer::tell_scope(const std::string& namespace_name, std::uint32_t winner) {
  // The winner first, then those that held the address and lost, in file order.
  if (winner != EgressNetworks::none && model_.egress_networks[winner].namespace_name == namespace_name)
    tell_network(winner, winner);
  for (std::size_t i = 0; i < model_.egress_networks.size(); ++i)
    if (i != winner && model_.egress_networks[i].namespace_name == namespace_name)
      tell_network(static_cast<std::uint32_t>(i), winner);
}

void Explainer::tell_network(std::uint32_t place, std::uint32_t winner) {
  const config::EgressNetwork& network = model_.egress_networks[place];
  const std::string name = network.namespace_name + "/" + network.name;
  const config::CidrBlock* entry = best_entry(network, query_.destination);
  if (entry == nullptr) {
    if (const config::CidrBlock* excepting = excepting_entry(network, query_.destination))
      add("egress_network",
          fmt::format("not {}: {} is in an except of {}", name, to_string(query_.destination),
                      to_string(excepting->cidr)),
          excepting->at);
    return;
  }
  const config::Location at = entry->at.line != 0 ? entry->at : network.at;
  if (place == winner) {
    const bool allows = network.traffic_policy == config::TrafficPolicy::allow;
    add("egress_network",
        fmt::format("{} captures {} by {}, traffic_policy {}", name, to_string(query_.destination), described(*entry),
                    allows ? "Allow" : "Deny"),
        at);
    return;
  }
  std::string why = "[defaults] global_scope is \"exclusive\" and the source's namespace has networks of its own";
  if (winner != EgressNetworks::none) {
    const config::EgressNetwork& taking = model_.egress_networks[winner];
    const config::CidrBlock* better = best_entry(taking, query_.destination);
    if (taking.namespace_name != network.namespace_name)
      why = "a network of the source's own namespace captures";
    else if (better != nullptr && effective_span(*better) < effective_span(*entry))
      why = larger(*entry, *better);
    else
      why = "its entry is as large and stands later in the file";
  }
  add("egress_network", fmt::format("not {} with {}: {}", name, described(*entry), why), at);
}

}  // namespace sallyport::classifier
