#include "random_traffic.h"

#include <algorithm>
#include <array>

namespace sallyport::model {
namespace {

IpAddress address(const char* text) { return *parse_address(text); }
Prefix prefix(const char* text) { return parse_prefix(text)->prefix; }

}  // namespace

// the place

Site RandomTraffic::site() {
  Site site;
  dataplane::PipelineSettings& settings = site.settings;
  settings.ports.resize(2);
  settings.ports[outside].role = config::PortRole::outside;
  settings.ports[inside].mac = {2, 0, 0, 0, 1, 1};
  settings.ports[outside].mac = {2, 0, 0, 0, 1, 2};
  settings.ports[outside].mtu = chance(50) ? std::uint16_t{1400} : std::uint16_t{1500};
  settings.limits.flows = 16'384;
  settings.limits.held_bytes = 1U << 20U;
  settings.seed = random_();
  settings.nat.source_check = chance(50);
  if (chance(50)) settings.inside_networks = {prefix("10.0.0.4/30")};
  choose_nat(settings);

  site.routes = {{prefix("0.0.0.0/0"), outside, address("192.0.2.254")},
                 {prefix("198.51.100.5/32"), dataplane::no_port, {}},
                 {prefix("10.0.0.0/24"), inside, {}},
                 {prefix("::/0"), outside, address("2001:db8:9::fe")},
                 {prefix("2001:db8:1::5/128"), dataplane::no_port, {}},
                 {prefix("fd00::/64"), inside, {}}};
  site.neighbours = {{outside, address("192.0.2.254"), {2, 0, 0, 0, 2, 1}},
                     {outside, address("2001:db8:9::fe"), {2, 0, 0, 0, 2, 2}}};
  for (std::uint8_t host = 1; host <= 6; ++host) {
    IpAddress v4 = address("10.0.0.0"), v6 = address("fd00::");
    v4.bytes[3] = v6.bytes[15] = host;
    site.neighbours.push_back({inside, v4, {2, 0, 0, 0, 3, host}});
    site.neighbours.push_back({inside, v6, {2, 0, 0, 0, 4, host}});
  }
  site.locals = {{inside, address("10.0.0.254")},
                 {inside, address("fd00::fe")},
                 {outside, address("192.0.2.1")},
                 {outside, address("2001:db8:9::1")}};
  if (chance(30)) site.locals.push_back({outside, address("203.0.113.1")});
  return site;
}

void RandomTraffic::choose_nat(dataplane::PipelineSettings& settings) {
  using config::Filtering;
  using config::Mapping;
  config::NatConfig& nat = settings.nat;
  const auto mapping = [&] { return chance(50) ? Mapping::endpoint_independent : Mapping::endpoint_dependent; };
  if (chance(60)) {
    nat.tcp_mapping = mapping();
    nat.udp_mapping = mapping();
    nat.filtering = static_cast<Filtering>(below(3));
  }
  // All ports, or so few that they end, on one side of 1024 or on both.
  if (chance(40)) {
    const auto first = static_cast<std::uint16_t>(chance(70) ? 2000 : 1016);
    nat.port_range = {first, static_cast<std::uint16_t>(first + below(16))};
  }
  nat.unsolicited_icmp = chance(30);
  nat.tcp_midstream = chance(20);
  nat.udp_inbound_refresh = chance(30);
  nat.mss_clamp = chance(80);
  if (chance(50)) return;
  settings.timeouts.udp = std::chrono::seconds(120 + below(300));
  settings.timeouts.icmp = std::chrono::seconds(10 + below(100));
  settings.timeouts.tcp_transitory = std::chrono::seconds(30 + below(300));
  settings.timeouts.tcp_established = std::chrono::seconds(300 + below(10'000));
}

std::shared_ptr<const config::PolicyModel> RandomTraffic::policy() {
  auto policy = std::make_shared<config::PolicyModel>();
  policy->global_namespace = "egress";
  policy->defaults.uncaptured = chance(70) ? config::TrafficPolicy::allow : config::TrafficPolicy::deny;
  policy->defaults.deny_resets = chance(70);
  policy->defaults.reload_reevaluates = chance(80);
  config::Workload workload;
  workload.namespace_name = "prod";
  workload.name = "web";
  for (const char* text : {"10.0.0.0/30", "fd00::/125"}) workload.addresses.push_back({prefix(text), {}});
  policy->workloads.push_back(workload);
  add_networks(*policy);
  add_routes(*policy);
  add_egresses(*policy);
  return policy;
}

void RandomTraffic::add_networks(config::PolicyModel& policy) {
  static constexpr std::array networks{"0.0.0.0/0",        "::/0",           "198.51.100.0/30", "198.51.100.2/32",
                                       "2001:db8:1::/126", "203.0.113.0/24", "203.0.113.2/32",  "10.0.0.0/30"};
  for (std::uint32_t count = below(4); count > 0; --count) {
    config::EgressNetwork made;
    made.namespace_name = chance(70) ? "egress" : "prod";
    made.name = "n" + std::to_string(count);
    made.traffic_policy = chance(75) ? config::TrafficPolicy::allow : config::TrafficPolicy::deny;
    made.networks_given = true;
    for (std::uint32_t blocks = 1 + below(2); blocks > 0; --blocks)
      made.networks.push_back({prefix(pick(networks)), {}, {}});
    policy.egress_networks.push_back(made);
  }
}

void RandomTraffic::add_routes(config::PolicyModel& policy) {
  using config::RouteKind;
  if (policy.egress_networks.empty()) return;
  for (std::uint32_t count = below(4); count > 0; --count) {
    config::Route made;
    static constexpr std::array kinds{RouteKind::icmp, RouteKind::udp, RouteKind::tcp};
    made.kind = pick(kinds);
    made.namespace_name = "egress";
    made.name = "r" + std::to_string(count);
    made.action = chance(60) ? config::RouteAction::allow : config::RouteAction::deny;
    const config::EgressNetwork& network =
        policy.egress_networks[below(static_cast<std::uint32_t>(policy.egress_networks.size()))];
    config::ParentRef parent{network.name, network.namespace_name, {}, {}, {}};
    if (made.kind != RouteKind::icmp) parent.port = server_port();
    made.parent_refs.push_back(parent);
    policy.routes.push_back(made);
  }
}

void RandomTraffic::add_egresses(config::PolicyModel& policy) {
  const auto some = [&](std::uint32_t most) {
    std::vector<IpAddress> addresses;
    for (std::uint32_t count = 1 + below(most); count > 0; --count) {
      addresses.push_back(egress(chance(60) ? Family::v4 : Family::v6));
    }
    return addresses;
  };
  if (chance(95)) policy.snat.addresses = some(5);
  if (chance(30)) policy.snat.except.push_back(prefix("198.51.100.4/32"));
  for (std::uint32_t count = below(3); count > 0; --count) {
    static constexpr std::array sources{"10.0.0.0/30", "10.0.0.1/32", "10.0.0.4/30", "fd00::/64", "fd00::2/128"};
    config::Egress made;
    made.name = "e" + std::to_string(count);
    made.sources = {prefix(pick(sources))};
    made.egress_ips = some(3);
    made.destinations = {prefix("0.0.0.0/0"), prefix("::/0")};
    if (chance(20)) made.except = {prefix("198.51.100.0/30")};
    made.priority = below(2);
    policy.egresses.push_back(made);
  }
}

// time

std::uint64_t RandomTraffic::pause(std::uint64_t now, const GatewayModel& model) {
  if (!chance(5)) return chance(50) ? 0 : below(20);
  if (chance(60)) {
    const auto deadline = model.next_deadline();
    static constexpr std::array<std::int64_t, 8> around{-1, 0, 1, 100, 256, 511, 512, 700};
    const std::int64_t target = static_cast<std::int64_t>(deadline.value_or(now)) + pick(around);
    return target > static_cast<std::int64_t>(now) ? static_cast<std::uint64_t>(target) - now : 0;
  }
  static constexpr std::array<std::uint32_t, 7> longer{500, 5'000, 60'000, 120'000, 240'000, 300'000, 7'440'000};
  return below(pick(longer)) + 1;
}

void RandomTraffic::saw(unsigned port, const Bytes& frame) {
  seen_[port].push_back(frame);
  if (seen_[port].size() > 48) seen_[port].pop_front();
}

}  // namespace sallyport::model
