// The model gateway's translation: which outside endpoints the rules permit, and what becomes of a packet.
#include <algorithm>

#include "gateway_model.h"

namespace sallyport::model {

std::uint64_t GatewayModel::rest_ms() const {
  return site_.settings.nat.filtering == config::Filtering::address_and_port_dependent ? 0 : 120'000;
}

bool GatewayModel::maps_endpoints(std::uint8_t p) const {
  const config::NatConfig& nat = site_.settings.nat;
  if (p == protocol::tcp) return nat.tcp_mapping == config::Mapping::endpoint_independent;
  if (p == protocol::udp) return nat.udp_mapping == config::Mapping::endpoint_independent;
  return protocol::is_icmp(p);
}

bool GatewayModel::is_alive(const Mapping& mapping) const {
  return std::any_of(mapping.flows.begin(), mapping.flows.end(),
                     [&](const FlowName& name) { return is_alive(flows_.at(name)); });
}

bool GatewayModel::is_kept(const Mapping& mapping) const {
  if (rest_ms() == 0) return is_alive(mapping);
  return !mapping.flows.empty() || now_ < mapping.freed_from + rest_ms();
}

// Who was not invited does not hold it open.
GatewayModel::Taken GatewayModel::is_open(const Mapping& mapping) const {
  Taken open = Taken::no;
  for (const FlowName& name : mapping.flows) {
    const Flow& flow = flows_.at(name);
    if (flow.uninvited) continue;
    if (is_alive(flow)) return Taken::yes;
    open = Taken::maybe;
  }
  return open;
}

bool GatewayModel::is_alive(const Source& source) const {
  return std::any_of(source.flows.begin(), source.flows.end(),
                     [&](const FlowName& name) { return is_alive(flows_.at(name)); });
}

// 1-1023 and 1024-65535 stay apart; identifiers have no such ranges. Low ones of the gateway's own addresses are its
// own.
GatewayModel::PortKind GatewayModel::ports_for(const FlowName& name, const IpAddress& egress) const {
  if (protocol::is_icmp(name.protocol)) return {0, 65535};
  const config::PortRange& range = site_.settings.nat.port_range;
  const bool low = name.client.port != 0 && name.client.port < 1024 && !is_local(egress);
  if (range.first == 1024 && range.last == 65535) return low ? PortKind{1, 1023} : PortKind{1024, 65535};
  if (range.first >= 1024 || range.last < 1024) return {range.first, range.last};
  return low ? PortKind{range.first, 1023} : PortKind{1024, range.last};
}

const GatewayModel::OutsideEndpoint* GatewayModel::mapping_of(const Flow& flow, const IpAddress& egress) const {
  for (const auto& [endpoint, mapping] : mappings_)
    if (endpoint.first == flow.name.protocol && endpoint.second.ip == egress && mapping.client == flow.name.client) {
      return &endpoint;
    }
  return nullptr;
}

// May a new flow not have this outside endpoint?
GatewayModel::Taken GatewayModel::taken(const Flow& flow, const End& egress) const {
  if (maps_endpoints(flow.name.protocol)) {
    const auto found = mappings_.find({flow.name.protocol, egress});
    if (found == mappings_.end()) return Taken::no;
    const Mapping& mapping = found->second;
    // Whoever is over lies about for less time than its port rests.
    if (mapping.flows.empty() && mapping.client == flow.name.client) return Taken::no;
    if (!mapping.flows.empty()) return is_alive(mapping) || rest_ms() != 0 ? Taken::yes : Taken::maybe;
    return now_ < mapping.freed_from + rest_ms() ? Taken::yes : Taken::maybe;
  }
  const auto found = outside_.find({flow.name.protocol, egress, flow.name.server});
  if (found == outside_.end()) return Taken::no;
  return is_alive(flows_.at(found->second)) ? Taken::yes : Taken::maybe;
}

bool GatewayModel::possibly_exhausted(const Flow& flow, const IpAddress& egress) const {
  if (!protocol::has_ports(flow.name.protocol) && !protocol::is_icmp(flow.name.protocol)) {
    return taken(flow, {egress, 0}) != Taken::no;
  }
  const PortKind ports = ports_for(flow.name, egress);
  for (unsigned port = ports.first; port <= ports.last; ++port)
    if (taken(flow, {egress, static_cast<std::uint16_t>(port)}) == Taken::no) return false;
  return true;
}

// RFC 4787 REQ-2: a source keeps its address while it has flows, and gets the same one again afterwards.
std::vector<IpAddress> GatewayModel::permitted_addresses(const IpAddress& source,
                                                         const std::vector<IpAddress>& pool) const {
  const auto in_pool = [&](const IpAddress& address) {
    return std::find(pool.begin(), pool.end(), address) != pool.end();
  };
  std::vector<IpAddress> permitted;
  if (const auto found = sources_.find(source); found != sources_.end()) {
    std::copy_if(found->second.paired.begin(), found->second.paired.end(), std::back_inserter(permitted), in_pool);
    if (found->second.certain && is_alive(found->second) && !permitted.empty()) return {permitted.front()};
  }
  if (const auto known = picked_.find({source, pool}); known != picked_.end()) {
    permitted.push_back(known->second);
  } else {
    permitted.insert(permitted.end(), pool.begin(), pool.end());
  }
  return permitted;
}

std::optional<GatewayModel::Flow> GatewayModel::translated(Flow flow, Drop& why) {
  const Egress egress = Oracle(*policy_).egress(question(flow.name));
  if (egress.kind == "untranslated") return flow;
  why = Drop::no_egress_address;
  if (egress.kind == "no_address") return std::nullopt;
  std::vector<IpAddress> pool;
  for (const std::string& address : egress.addresses) pool.push_back(*parse_address(address));

  const bool portless = !protocol::has_ports(flow.name.protocol) && !protocol::is_icmp(flow.name.protocol);
  const std::vector<IpAddress> permitted = permitted_addresses(flow.name.client.ip, pool);
  const auto chosen = chosen_->translation(flow.name);
  why = portless ? Drop::nat_protocol_taken : Drop::nat_ports_exhausted;
  if (!chosen) {
    if (!chosen_->dropped(why)) return flow;  // it will show what it has done with it
    if (std::none_of(permitted.begin(), permitted.end(),
                     [&](const IpAddress& address) { return possibly_exhausted(flow, address); })) {
      throw NotPermitted("refused, though there are ports: " + to_string(flow.name));
    }
    return std::nullopt;
  }
  if (std::find(permitted.begin(), permitted.end(), chosen->ip) == permitted.end()) {
    std::string other;
    for (const IpAddress& address : permitted) other += " " + to_string(address);
    throw NotPermitted("under " + to_string(chosen->ip) + " instead of" + other + ": " + to_string(flow.name));
  }
  flow.egress = End{chosen->ip, portless ? std::uint16_t{0} : chosen->port};
  if (!portless) check_port(flow, chosen->port);
  if (portless && taken(flow, *flow.egress) == Taken::yes) throw NotPermitted("taken: " + to_string(flow.name));
  if (maps_endpoints(flow.name.protocol)) {
    const OutsideEndpoint endpoint{flow.name.protocol, *flow.egress};
    end_mappings_instead_of(endpoint, flow.name.client);
    Mapping& mapping = mappings_[endpoint];
    mapping.client = flow.name.client;
    mapping.freed_from = mapping.freed_until = 0;
    mapping.flows.insert(flow.name);
  }
  if (!sources_.contains(flow.name.client.ip)) picked_.try_emplace({flow.name.client.ip, pool}, chosen->ip);
  return flow;
}

// Others' with this outside endpoint, and the client's with another one: there is but one, so the gateway has noticed
// that they are over.
void GatewayModel::end_mappings_instead_of(const OutsideEndpoint& endpoint, const End& client) {
  const auto& [p, egress] = endpoint;
  std::vector<FlowName> over;
  for (const auto& [other, mapping] : mappings_) {
    const bool clients_own = other.first == p && other.second.ip == egress.ip && mapping.client == client;
    if ((other == endpoint) != clients_own) over.insert(over.end(), mapping.flows.begin(), mapping.flows.end());
  }
  for (const FlowName& name : over) end_noticed(name);
  std::erase_if(mappings_, [&](const auto& entry) {
    const auto& [other, mapping] = entry;
    return other.first == p && other.second.ip == egress.ip && other != endpoint && mapping.client == client;
  });
}

void GatewayModel::check_port(const Flow& flow, std::uint16_t port) const {
  const auto refuse = [&](const std::string& what) {
    throw NotPermitted("port " + std::to_string(port) + " " + what + ": " + to_string(flow.name));
  };
  const IpAddress& egress = flow.egress->ip;
  if (maps_endpoints(flow.name.protocol)) {
    const OutsideEndpoint* endpoint = mapping_of(flow, egress);
    if (endpoint != nullptr && endpoint->second.port == port) return;
    if (endpoint != nullptr && is_kept(mappings_.at(*endpoint))) refuse("instead of the mapping's");
  }
  const PortKind ports = ports_for(flow.name, egress);
  if (!ports.has(port)) refuse("out of range");
  if (taken(flow, {egress, port}) == Taken::yes) refuse("is in use, or rests");
  const std::uint16_t wanted = flow.name.client.port;
  if (port == wanted) return;
  if (ports.has(wanted) && taken(flow, {egress, wanted}) == Taken::no) refuse("though the client's is free");
  // Where half of so many is free, it is found.
  const bool parity = flow.name.protocol != protocol::udp || (port & 1U) == (wanted & 1U);
  if (ports.size() > 10'000 && !parity) refuse("of the other parity");
}

bool GatewayModel::use_mapping(Flow& flow, const OutsideEndpoint& endpoint) {
  const Egress egress = Oracle(*policy_).egress(question(flow.name));
  const std::string address = to_string(endpoint.second.ip);
  if (egress.kind != "translated" ||
      std::find(egress.addresses.begin(), egress.addresses.end(), address) == egress.addresses.end()) {
    return false;
  }
  flow.egress = endpoint.second;
  mappings_.at(endpoint).flows.insert(flow.name);
  return true;
}

// RFC 4787 section 5: has the mapping a flow to that address?
GatewayModel::Taken GatewayModel::knows_server(const Mapping& mapping, const IpAddress& server) const {
  Taken knows = Taken::no;
  for (const FlowName& name : mapping.flows) {
    if (name.server.ip != server) continue;
    if (is_alive(flows_.at(name))) return Taken::yes;
    knows = Taken::maybe;
  }
  return knows;
}

// nat.md 23: only to somebody who is there.
GatewayModel::Taken GatewayModel::may_hairpin(const FlowName& name) const {
  if (!protocol::has_ports(name.protocol)) return Taken::no;
  if (!maps_endpoints(name.protocol)) return Taken::yes;
  const auto found = mappings_.find({name.protocol, name.server});
  if (found == mappings_.end() || found->second.flows.empty()) return Taken::no;
  return is_alive(found->second) ? Taken::yes : Taken::maybe;
}

void GatewayModel::translate(Packet& packet, const Flow& flow, Direction direction) const {
  if (!flow.egress) return;
  const Layers& at = packet.is.at;
  const auto wrong = wrong_by(packet.frame, at);
  if (direction == to_server) {
    packet.renumbered = at.family == Family::v6;
    put_source(packet.frame, at, *flow.egress);
  } else {
    put_destination(packet.frame, at, flow.name.client);
    if (protocol::is_icmp(at.protocol)) put16(packet.frame, at.transport + 4, flow.name.client.port);
  }
  settle(packet.frame, at, wrong);
  settle_header(packet.frame, at);
}

}  // namespace sallyport::model
