#include <array>
#include <chrono>

#include <fmt/format.h>

#include "config/bounds.h"
#include "config/document/values.h"
#include "config/host_name.h"
#include "config/policy/readers.h"

namespace sallyport::config {
namespace {

using namespace std::chrono_literals;

constexpr std::array<Choice<TrafficPolicy>, 2> verdicts{
    {{"deny", TrafficPolicy::deny}, {"allow", TrafficPolicy::allow}}};
constexpr std::array<Choice<bool>, 2> global_scopes{{{"fallthrough", false}, {"exclusive", true}}};
constexpr std::array<Choice<bool>, 2> deny_actions{{{"reset", true}, {"drop", false}}};
constexpr std::array<Choice<bool>, 2> http_denials{{{"respond", true}, {"reset", false}}};
constexpr std::array<Choice<bool>, 2> reload_manners{{{"reevaluate", true}, {"keep", false}}};
constexpr std::array<Choice<bool>, 2> ech_manners{{{"outer", false}, {"deny", true}}};
constexpr std::array<Choice<Binding>, 3> bindings{
    {{"off", Binding::off}, {"audit", Binding::audit}, {"deny", Binding::deny}}};

std::optional<std::string> plain_host_name(const Item& item, Diagnostics& diagnostics) {
  const auto written = filled_text(item, diagnostics);
  if (!written) return std::nullopt;
  auto name = normalize_host_name(*written);
  if (!name) report(item, diagnostics, name.error);
  return std::move(name.value);
}

}  // namespace

ClusterTable default_cluster() {
  ClusterTable cluster{{}, "linkerd-egress"};
  for (const char* network : {"10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8"}) {
    cluster.networks.push_back(parse_prefix(network)->prefix);
  }
  return cluster;
}

void read_cluster(const Item& item, ClusterTable& into, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  if (const auto networks = table.find("networks")) {
    into.networks.clear();
    for (const Item& element : elements(*networks, bounds::cluster_networks, diagnostics)) {
      if (const auto network = prefix(element, diagnostics)) into.networks.push_back(*network);
    }
  }
  table.optional("global_namespace", into.global_namespace, object_name);
}

void read_defaults(const Item& item, Defaults& into, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  if (const auto uncaptured = table.find("uncaptured")) into.uncaptured_at = uncaptured->at();
  table.optional("uncaptured", into.uncaptured, one_of(verdicts));
  table.optional("global_scope", into.global_scope_exclusive, one_of(global_scopes));
  table.optional("deny_action", into.deny_resets, one_of(deny_actions));
  table.optional("http_deny", into.http_deny_responds, one_of(http_denials));
  table.optional("on_reload", into.reload_reevaluates, one_of(reload_manners));
  table.optional("ech", into.ech_denied, one_of(ech_manners));
  std::vector<std::string> public_names;
  if (table.each("ech_public_names", public_names, plain_host_name)) into.ech_public_names = std::move(public_names);
  table.optional("server_name_binding", into.server_name_binding, one_of(bindings));
  table.optional("hello_timeout", into.hello_timeout, duration(1ms, 10min));
}

bool read_snat(const Item& item, Snat& into, Diagnostics& diagnostics) {
  into.at = item.at();
  TableReader table(item, diagnostics);
  table.each("addresses", into.addresses, usable_address);
  return table.each("except", into.except, prefix);
}

void read_dns(const Item& item, Dns& into, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  const auto server = [](const Item& each, Diagnostics& into_diagnostics) {
    const auto read = address(each, into_diagnostics);
    if (read) warn_of_martian(each, {*read, static_cast<std::uint8_t>(address_bits(read->family))}, into_diagnostics);
    return read;
  };
  table.each("trusted_servers", into.trusted_servers, server);
  table.optional("extra_ttl", into.extra_ttl, duration(0ms, 24h * 30));
  table.optional("names_max", into.names_max, integer<std::uint32_t>(1, 10'000'000));
}

}  // namespace sallyport::config
