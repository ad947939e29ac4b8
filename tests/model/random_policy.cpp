#include "random_policy.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace sallyport::model {

namespace {

constexpr std::array ports{0, 1, 53, 80, 442, 443, 444, 8080, 65535};
const std::array<std::string, 4> namespaces{"prod", "dev", "eg", "undeclared"};
const std::array<std::string, 3> keys{"app", "tier", "env"};
const std::array<std::string, 3> values{"a", "b", "c"};
const std::array<std::string, 10> host_texts{
    "example.com", "a.example.com", "b.a.example.com", "xexample.com",   "com",
    "example.org", "a.example.org", "example.com.org", "_x.example.com", "localhost"};
const std::array<std::string, 4> regexes{".*\\.example\\.com", "a.*", "(a|b)\\.example\\.(com|org)", "[a-z]+"};

IpAddress step(IpAddress address, bool up) {
  for (unsigned i = address_bytes(address.family); i-- > 0;) {
    if (up ? ++address.bytes[i] != 0 : address.bytes[i]-- != 0) break;
  }
  return address;
}

void clear_host_bits(Prefix& prefix) {
  for (unsigned bit = prefix.length; bit < address_bits(prefix.address.family); ++bit)
    prefix.address.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
}

}  // namespace

IpAddress RandomPolicy::address() {
  // 10.{0,1}.{0..3}.{0..15} and 2001:db8::{0,1}:{0..3}:{0..15} by bytes, so that prefixes of any length part them.
  IpAddress address;
  const std::array<std::uint8_t, 3> low{static_cast<std::uint8_t>(below(2)), static_cast<std::uint8_t>(below(4)),
                                        static_cast<std::uint8_t>(below(16))};
  if (chance(70)) {
    address.bytes[0] = 10;
    std::copy(low.begin(), low.end(), address.bytes.begin() + 1);
  } else {
    address.family = Family::v6;
    address.bytes = {0x20, 0x01, 0x0d, 0xb8};
    address.bytes[7] = low[0];
    std::copy(low.begin() + 1, low.end(), address.bytes.begin() + 14);
  }
  return address;
}

Prefix RandomPolicy::prefix(Family family) {
  // Often one that stands elsewhere already, so that sizes tie and rules compete.
  if (!seen_.empty() && chance(40)) {
    const Prefix again = pick(seen_);
    if (again.address.family == family) return again;
  }
  IpAddress base = address();
  while (base.family != family) base = address();
  const unsigned bits = address_bits(family);
  static constexpr std::array<unsigned, 12> host_bits{0, 0, 1, 2, 4, 4, 7, 8, 12, 16, 24, 32};
  unsigned length = bits - pick(host_bits);
  if (family == Family::v6 && chance(30)) length = below(129);
  Prefix made{base, static_cast<std::uint8_t>(length)};
  clear_host_bits(made);
  seen_.push_back(made);
  return made;
}

Prefix RandomPolicy::prefix() { return prefix(chance(70) ? Family::v4 : Family::v6); }

std::vector<Prefix> RandomPolicy::prefixes(std::uint32_t most) {
  std::vector<Prefix> made;
  for (std::uint32_t count = below(most + 1); count > 0; --count) made.push_back(prefix());
  return made;
}

// A prefix inside another one, by up to four bits longer, so that several of them touch, nest and repeat.
Prefix RandomPolicy::part_of(const Prefix& whole) {
  const unsigned bits = address_bits(whole.address.family);
  Prefix part = whole;
  part.length = static_cast<std::uint8_t>(std::min(bits, whole.length + 1 + below(4)));
  for (unsigned bit = whole.length; bit < part.length; ++bit)
    if (chance(50)) part.address.bytes[bit / 8] |= static_cast<std::uint8_t>(0x80U >> bit % 8);
  seen_.push_back(part);
  return part;
}

config::CidrBlock RandomPolicy::block() {
  config::CidrBlock made;
  made.cidr = prefix();
  for (std::uint32_t count = below(5); count > 0; --count) {
    const Prefix except = chance(70) ? part_of(made.cidr) : prefix(made.cidr.address.family);
    if (made.cidr.contains(except) && except != made.cidr) made.except.push_back(except);
  }
  return made;
}

std::uint16_t RandomPolicy::port() { return static_cast<std::uint16_t>(pick(ports)); }

std::string RandomPolicy::name_space() { return pick(namespaces); }

config::Labels RandomPolicy::labels() {
  config::Labels made;
  for (const std::string& key : keys)
    if (chance(60)) made[key] = pick(values);
  return made;
}

config::Selector RandomPolicy::selector() {
  config::Selector made;
  if (chance(30)) return made;
  if (chance(50)) made.match_labels[pick(keys)] = pick(values);
  if (chance(10)) made.match_labels["kubernetes.io/metadata.name"] = name_space();
  for (std::uint32_t terms = chance(50) ? 1 + below(3) : 0; terms > 0; --terms) {
    config::SelectorTerm term{pick(keys), static_cast<config::SelectorTerm::Operator>(below(4)), {}};
    if (term.op <= config::SelectorTerm::Operator::not_in)
      for (std::uint32_t count = 1 + below(2); count > 0; --count) term.values.push_back(pick(values));
    made.match_expressions.push_back(term);
  }
  return made;
}

void RandomPolicy::add_sources() {
  for (const char* name : {"prod", "dev", "eg"}) {
    config::Namespace made;
    made.name = name;
    made.labels = labels();
    made.labels["kubernetes.io/metadata.name"] = name;
    for (const Prefix& one : prefixes(2)) made.addresses.push_back({one, {}});
    model_.namespaces.push_back(made);
  }
  std::set<Prefix> taken;
  for (std::uint32_t count = below(8); count > 0; --count) {
    config::Workload made;
    made.namespace_name = name_space();
    made.name = "w" + std::to_string(count);
    made.labels = labels();
    for (const Prefix& one : prefixes(3))
      if (taken.insert(one).second) made.addresses.push_back({one, {}});
    model_.workloads.push_back(made);
  }
}

config::Peer RandomPolicy::peer() {
  config::Peer made;
  if (chance(40)) {
    made.is = config::IpBlockPeer{block()};
  } else if (chance(30)) {
    made.is = config::NetworkSetPeer{selector()};
  } else if (chance(40)) {
    config::DomainsPeer named;
    for (std::uint32_t count = 1 + below(3); count > 0; --count)
      named.domains.push_back((chance(40) ? "" : chance(50) ? "*." : ".") + pick(host_texts));
    made.is = named;
  } else {
    config::PodPeer pods;
    if (chance(60)) pods.pod_selector = selector();
    if (!pods.pod_selector || chance(50)) pods.namespace_selector = selector();
    made.is = pods;
  }
  return made;
}

void RandomPolicy::add_network_policies() {
  for (std::uint32_t count = below(4); count > 0; --count) {
    config::NetworkSet set;
    set.name = "s" + std::to_string(count);
    if (chance(50)) set.namespace_name = name_space();
    set.labels = labels();
    for (const Prefix& one : prefixes(4)) set.nets.push_back({one, {}});
    model_.network_sets.push_back(set);
  }
  for (std::uint32_t count = below(4); count > 0; --count) {
    config::NetworkPolicy policy;
    policy.namespace_name = name_space();
    policy.name = "p" + std::to_string(count);
    policy.pod_selector = selector();
    for (std::uint32_t rules = below(4); rules > 0; --rules) {
      config::NetworkPolicyRule rule;
      for (std::uint32_t peers = below(3); peers > 0; --peers) rule.to.push_back(peer());
      for (std::uint32_t entries = below(3); entries > 0; --entries) {
        config::PortRule entry;
        entry.protocol = static_cast<config::Protocol>(below(4));
        if (entry.protocol != config::Protocol::icmp && chance(70)) entry.port = port();
        if (entry.port && chance(40)) entry.end_port = std::max(*entry.port, port());
        rule.ports.push_back(entry);
      }
      policy.egress.push_back(rule);
    }
    model_.network_policies.push_back(policy);
  }
}

void RandomPolicy::add_networks() {
  for (std::uint32_t count = below(7); count > 0; --count) {
    config::EgressNetwork made;
    made.namespace_name = chance(50) ? "eg" : name_space();
    made.name = "n" + std::to_string(count);
    made.traffic_policy = chance(50) ? config::TrafficPolicy::allow : config::TrafficPolicy::deny;
    made.networks_given = true;
    for (std::uint32_t blocks = 1 + below(3); blocks > 0; --blocks) made.networks.push_back(block());
    if (chance(30)) made.networks.push_back({{IpAddress{}, 0}, prefixes(0), {}});
    if (chance(20)) made.networks.push_back({{IpAddress{Family::v6, {}}, 0}, {}, {}});
    model_.egress_networks.push_back(made);
  }
}

config::HostPattern RandomPolicy::host_pattern() {
  config::HostPattern made;
  made.kind = static_cast<config::HostPattern::Kind>(below(4));
  made.text = made.kind == config::HostPattern::Kind::regex ? pick(regexes) : pick(host_texts);
  return made;
}

void RandomPolicy::add_routes() {
  for (std::uint32_t count = below(3); count > 0; --count) {
    config::DomainSet set;
    set.name = "d" + std::to_string(count);
    set.match = chance(50) ? config::DomainSet::Match::exact : config::DomainSet::Match::subdomains;
    for (std::uint32_t names = below(4); names > 0; --names) set.names.push_back(pick(host_texts));
    model_.domain_sets.push_back(set);
  }
  if (model_.egress_networks.empty()) return;
  for (std::uint32_t count = below(18); count > 0; --count) {
    config::Route made;
    static constexpr std::array kinds{config::RouteKind::icmp, config::RouteKind::udp, config::RouteKind::tcp,
                                      config::RouteKind::tls,  config::RouteKind::tls, config::RouteKind::http,
                                      config::RouteKind::http, config::RouteKind::grpc};
    made.kind = pick(kinds);
    made.namespace_name = "eg";
    made.name = "r" + std::to_string(count);
    made.action = static_cast<config::RouteAction>(below(3));
    for (std::uint32_t parents = 1 + below(3); parents > 0; --parents) {
      const config::EgressNetwork& network = pick(model_.egress_networks);
      config::ParentRef parent{network.name, network.namespace_name, {}, {}, {}};
      if (made.kind != config::RouteKind::icmp) parent.port = chance(60) ? std::uint16_t{443} : port();
      if (parent.port && chance(30)) parent.end_port = std::max(*parent.port, port());
      made.parent_refs.push_back(parent);
    }
    if (made.kind >= config::RouteKind::tls) {
      for (std::uint32_t names = below(4); names > 0; --names) made.hostnames.push_back(host_pattern());
      if (made.kind != config::RouteKind::grpc && !model_.domain_sets.empty() && chance(30))
        made.hostname_sets.push_back(pick(model_.domain_sets).name);
    }
    if (made.kind == config::RouteKind::http)
      for (std::uint32_t matches = below(4); matches > 0; --matches) made.matches.push_back(http_match());
    if (made.kind == config::RouteKind::grpc)
      for (std::uint32_t matches = below(4); matches > 0; --matches) made.matches.push_back(grpc_match());
    model_.routes.push_back(made);
  }
}

AddressRange RandomPolicy::range() {
  IpAddress first = address();
  IpAddress last = first;
  for (std::uint32_t count = below(6); count > 0; --count) last = step(last, true);
  return {first, last};
}

void RandomPolicy::add_egresses() {
  model_.snat.except = prefixes(2);
  for (std::uint32_t count = below(3); count > 0; --count) model_.snat.addresses.push_back(address());
  for (std::uint32_t count = below(3); count > 0; --count) {
    config::EgressPool pool;
    pool.name = "pool" + std::to_string(count);
    for (std::uint32_t ranges = 1 + below(3); ranges > 0; --ranges) pool.ranges.push_back(range());
    for (std::uint32_t ranges = below(3); ranges > 0; --ranges) pool.exclude.push_back(range());
    model_.egress_pools.push_back(pool);
  }
  for (std::uint32_t count = below(6); count > 0; --count) {
    config::Egress made;
    made.name = "e" + std::to_string(count);
    if (chance(70)) {
      config::AppliedTo applied_to;
      if (chance(60)) applied_to.pod_selector = selector();
      if (chance(60)) applied_to.namespace_selector = selector();
      made.applied_to = applied_to;
    }
    if (!made.applied_to || chance(40)) made.sources = prefixes(3);
    if (!model_.egress_pools.empty() && chance(50))
      made.egress_pool = pick(model_.egress_pools).name;
    else
      for (std::uint32_t addresses = 1 + below(2); addresses > 0; --addresses) made.egress_ips.push_back(address());
    made.destinations = prefixes(3);
    if (made.destinations.empty()) made.destinations = {{IpAddress{}, 0}, {IpAddress{Family::v6, {}}, 0}};
    if (chance(30)) made.except = prefixes(2);
    made.priority = static_cast<std::int64_t>(below(3)) - 1;
    model_.egresses.push_back(made);
  }
  if (chance(70)) return;
  for (std::uint32_t count = 1 + below(3); count > 0; --count) model_.ip_pools.push_back({prefix(), chance(60), {}});
}

config::PolicyModel RandomPolicy::make() {
  model_ = {};
  seen_.clear();
  model_.global_namespace = "eg";
  model_.defaults.uncaptured = chance(50) ? config::TrafficPolicy::allow : config::TrafficPolicy::deny;
  model_.defaults.global_scope_exclusive = chance(30);
  model_.defaults.ech_denied = chance(30);
  if (chance(40)) model_.defaults.server_name_binding = chance(50) ? config::Binding::audit : config::Binding::deny;
  model_.defaults.ech_public_names = {"a.example.com", "example.com", "example.org"};
  add_sources();
  if (chance(60)) add_network_policies();
  add_networks();
  add_routes();
  add_egresses();
  return model_;
}

std::string RandomPolicy::host_name() {
  static const std::array<std::string, 9> invalid{"",
                                                  ".",
                                                  "a..b",
                                                  "10.0.0.1",
                                                  "a.com ",
                                                  "b\xc3\xbc.com",
                                                  "2001:db8::1",
                                                  std::string("example.com\0", 12),
                                                  std::string(64, 'a') + ".com"};
  if (chance(15)) return pick(invalid);
  std::string name = pick(host_texts);
  if (chance(40)) name = (chance(50) ? "a." : "www.b.") + name;
  if (chance(20)) name += ".";
  if (chance(20)) name[0] = static_cast<char>(name[0] >= 'a' && name[0] <= 'z' ? name[0] - 'a' + 'A' : name[0]);
  return name;
}

// Often of the name that is shown, or the destination, and as often of neither.
void RandomPolicy::let_dns_say(Question& question) {
  for (std::uint32_t count = below(4); count > 0; --count) {
    std::string name = chance(30) ? "a." + pick(host_texts) : pick(host_texts);
    const std::string shown = comparable_name(question.name).value_or(name);
    question.said.emplace_back(chance(50) ? shown : name, chance(70) ? question.destination : address());
  }
}

Question RandomPolicy::ask() {
  const auto place = [&] {
    if (seen_.empty() || chance(40)) return address();
    const Prefix& near = pick(seen_);
    const IpAddress edge = chance(50) ? near.first() : near.last();
    return chance(60) ? edge : step(edge, chance(50));
  };
  Question question;
  question.source = place();
  question.destination = place();
  for (int tries = 0; tries < 8 && question.destination.family != question.source.family; ++tries)
    question.destination = place();
  question.protocol = static_cast<config::Protocol>(below(100) < 60 ? 0 : below(4));
  if (question.protocol != config::Protocol::icmp) question.port = chance(60) ? std::uint16_t{443} : port();
  question.name = host_name();
  question.ech = chance(40);
  if (chance(85)) question.speaks = Question::Speaks::hello;
  if (question.protocol == config::Protocol::tcp && chance(50)) ask_request(question);
  let_dns_say(question);
  return question;
}

}  // namespace sallyport::model
