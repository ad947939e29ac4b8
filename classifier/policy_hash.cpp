#include "classifier/policy_hash.h"

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "classifier/sha256.h"

namespace sallyport::classifier {

namespace {

// Writes values so that no two different models give the same bytes: numbers in eight bytes, what varies in
// length with its length before it. An address, of which there may be millions, takes the bytes that its family has.
class Writer {
 public:
  void put() {}
  template <typename First, typename Second, typename... Rest>
  void put(const First& first, const Second& second, const Rest&... rest) {
    put(first);
    put(second);
    put(rest...);
  }

  template <typename Value>
  requires std::integral<Value> || std::is_enum_v<Value>
  void put(Value value) {
    const auto number = static_cast<std::uint64_t>(value);
    append(&number, sizeof number);
  }
  void put(std::string_view text) {
    put(text.size());
    append(text.data(), text.size());
  }
  void put(const std::string& text) { put(std::string_view(text)); }
  void put(std::chrono::milliseconds time) { put(time.count()); }

  template <typename Value>
  void put(const std::vector<Value>& values) {
    put(values.size());
    for (const Value& value : values) put(value);
  }
  template <typename Value>
  void put(const std::optional<Value>& value) {
    put(value.has_value());
    if (value) put(*value);
  }
  void put(const config::Labels& labels) {
    put(labels.size());
    for (const auto& [key, value] : labels) put(key, value);
  }

  void put(const IpAddress& address) { put(Prefix{address, 0}); }
  void put(const Prefix& prefix) {
    std::array<char, 2 + sizeof prefix.address.bytes> bytes;
    bytes[0] = static_cast<char>(prefix.address.family);
    bytes[1] = static_cast<char>(prefix.length);
    std::memcpy(&bytes[2], prefix.address.bytes.data(), prefix.address.bytes.size());
    append(bytes.data(), 2 + address_bytes(prefix.address.family));
  }
  void put(const AddressRange& range) { put(range.first, range.last); }
  void put(const config::LocatedPrefix& located) { put(located.prefix); }
  void put(const config::CidrBlock& block) { put(block.cidr, block.except); }
  void put(const config::SelectorTerm& term) { put(term.key, term.op, term.values); }
  void put(const config::Selector& selector) { put(selector.match_labels, selector.match_expressions); }
  void put(const config::Namespace& is) { put(is.name, is.labels, is.addresses); }
  void put(const config::Workload& is) { put(is.namespace_name, is.name, is.labels, is.addresses); }

  void put(const config::PortRule& rule) { put(rule.protocol, rule.port, rule.end_port); }
  void put(const config::IpBlockPeer& peer) { put(peer.block); }
  void put(const config::NetworkSetPeer& peer) { put(peer.selector); }
  void put(const config::PodPeer& peer) { put(peer.pod_selector, peer.namespace_selector); }
  void put(const config::DomainsPeer& peer) { put(peer.domains); }
  void put(const config::Peer& peer) {
    put(peer.is.index());
    std::visit([&](const auto& is) { put(is); }, peer.is);
  }
  void put(const config::NetworkPolicyRule& rule) { put(rule.to, rule.ports); }
  void put(const config::NetworkPolicy& is) { put(is.namespace_name, is.name, is.pod_selector, is.egress); }
  void put(const config::NetworkSet& is) { put(is.name, is.namespace_name, is.labels, is.nets); }

  void put(const config::EgressNetwork& is) { put(is.namespace_name, is.name, is.traffic_policy, is.networks); }
  void put(const config::ParentRef& is) { put(is.name, is.namespace_name, is.port, is.end_port); }
  void put(const config::HostPattern& is) { put(is.kind, is.text); }
  void put(const config::StringMatch& is) { put(is.type, is.value); }
  void put(const config::NamedMatch& is) { put(is.name, is.match); }
  void put(const config::HttpMatch& is) {
    put(is.path, is.method, is.headers, is.query_params, is.grpc_type, is.grpc_service, is.grpc_method);
  }
  void put(const config::Route& is) {
    put(is.kind, is.namespace_name, is.name, is.parent_refs, is.action, is.hostnames, is.hostname_sets, is.matches);
  }
  void put(const config::DomainSet& is) { put(is.name, is.match, is.names); }

  void put(const config::Defaults& is) {
    put(is.uncaptured, is.global_scope_exclusive, is.deny_resets, is.http_deny_responds, is.reload_reevaluates);
    put(is.ech_denied, is.ech_public_names, is.server_name_binding, is.hello_timeout);
  }
  void put(const config::Snat& is) { put(is.addresses, is.except); }
  void put(const config::EgressPool& is) { put(is.name, is.ranges, is.exclude); }
  void put(const config::AppliedTo& is) { put(is.pod_selector, is.namespace_selector); }
  void put(const config::Bandwidth& is) { put(is.rate_bits_per_second, is.burst_bits); }
  void put(const config::Egress& is) {
    put(is.name, is.applied_to, is.sources, is.egress_ips, is.egress_prefix, is.egress_pool, is.destinations);
    put(is.except, is.priority, is.bandwidth, is.dscp);
  }
  void put(const config::IpPool& is) { put(is.cidr, is.nat_outgoing); }
  void put(const config::Dns& is) { put(is.trusted_servers, is.extra_ttl, is.names_max); }

  [[nodiscard]] std::string finish() {
    flush();
    return digest_.finish();
  }

 private:
  void append(const void* bytes, std::size_t count) {
    if (count > buffer_.size() - used_) flush();
    if (count > buffer_.size()) return digest_.add({static_cast<const char*>(bytes), count});
    std::memcpy(buffer_.data() + used_, bytes, count);
    used_ += count;
  }
  void flush() {
    digest_.add({buffer_.data(), used_});
    used_ = 0;
  }
  std::vector<char> buffer_ = std::vector<char>(std::size_t{64} * 1024);
  std::size_t used_ = 0;
  Sha256 digest_;
};

}  // namespace

std::string policy_hash(const config::PolicyModel& model) {
  Writer writer;
  writer.put(std::string_view("sallyport policy 2"));
  writer.put(model.cluster_networks, model.global_namespace, model.defaults, model.snat, model.dns);
  writer.put(model.namespaces, model.workloads, model.network_policies, model.network_sets);
  writer.put(model.egress_networks, model.routes, model.domain_sets);
  writer.put(model.egress_pools, model.egresses, model.ip_pools);
  return writer.finish();
}

}  // namespace sallyport::classifier
