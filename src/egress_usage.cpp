#include "src/egress_usage.h"

#include <algorithm>

namespace sallyport {
namespace {

using dataplane::IpProtocol;

std::uint16_t host_order(std::uint16_t network_order) noexcept { return __builtin_bswap16(network_order); }

// What is there already, or a new one as long as there is room.
template <typename Map, typename Key, typename Make>
typename Map::mapped_type* entry(Map& map, const Key& key, std::size_t most, Make make) {
  const auto found = map.find(key);
  if (found != map.end()) return &found->second;
  if (map.size() >= most) return nullptr;
  return &map.emplace(key, make()).first->second;
}

}  // namespace

void EgressUsage::add(const dataplane::FlowRecord& flow) {
  // A denied flow that never got an address uses nothing.
  if (!flow.translated && !flow.allowed) return;
  add_source(flow);
  if (!flow.translated) {
    ++untranslated_;
    return;
  }
  ++translated_;
  auto* address = entry(addresses_, flow.nat_address, addresses_max, [] { return std::make_unique<OfAddress>(); });
  if (address == nullptr) {
    incomplete_ = true;
    return;
  }
  OfAddress& of = **address;
  ++of.flows;
  const IpProtocol protocol = flow.inside.protocol;
  Ports& ports = protocol == IpProtocol::tcp ? of.tcp : protocol == IpProtocol::udp ? of.udp : of.other;
  if (!dataplane::is_portless(protocol)) ports.set(host_order(flow.nat_port));
  const ServerKey key{flow.nat_address, flow.inside.destination_address(), host_order(flow.inside.destination_port),
                      protocol};
  std::uint64_t* server = entry(servers_, key, servers_max, [] { return std::uint64_t{0}; });
  if (server != nullptr) ++*server;
  incomplete_ = incomplete_ || server == nullptr;
}

void EgressUsage::add_source(const dataplane::FlowRecord& flow) {
  const IpAddress address = flow.inside.source_address();
  Source* source = entry(sources_, address, sources_max, [&] {
    return Source{address, flow.namespace_name, flow.workload, 0};
  });
  if (source != nullptr) ++source->flows;
  incomplete_ = incomplete_ || source == nullptr;
}

std::vector<EgressUsage::Address> EgressUsage::addresses() const {
  std::vector<Address> all;
  for (const auto& [address, of] : addresses_) {
    Address& one = all.emplace_back();
    one = {address, of->flows, of->tcp.count(), of->udp.count(), of->other.count(), {}};
    for (auto s = servers_.lower_bound(ServerKey{address, {}, 0, IpProtocol::tcp}); s != servers_.end(); ++s) {
      if (s->first.egress != address) break;
      if (s->second > one.fullest.flows) one.fullest = {s->first.server, s->first.port, s->first.protocol, s->second};
    }
  }
  return all;
}

std::vector<EgressUsage::Source> EgressUsage::top_sources(std::size_t most) const {
  std::vector<Source> all;
  all.reserve(sources_.size());
  for (const auto& [address, source] : sources_) all.push_back(source);
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(most, all.size()));
  std::partial_sort(all.begin(), end, all.end(), [](const Source& a, const Source& b) {
    return a.flows != b.flows ? a.flows > b.flows : a.address < b.address;
  });
  all.erase(end, all.end());
  return all;
}

}  // namespace sallyport
