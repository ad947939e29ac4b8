// Any bytes as policy, as sallyport.toml and as lists: they are refused with reasons or make a sound model.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "config/describe.h"
#include "config/list_file.h"
#include "config/load.h"

namespace {

using namespace sallyport;
using namespace sallyport::config;

void must(bool holds) {
  if (!holds) std::abort();
}

// A line "%%" starts the next file of the document. The folder does not exist, so neither do files beside it.
std::vector<SourceText> split(std::string_view bytes) {
  constexpr std::string_view separator = "\n%%\n";
  std::vector<SourceText> sources;
  while (true) {
    const std::size_t end = bytes.find(separator);
    sources.push_back({"/nowhere/" + std::to_string(sources.size()) + ".toml", std::string(bytes.substr(0, end))});
    if (end == std::string_view::npos) return sources;
    bytes.remove_prefix(end + separator.size());
  }
}

template <typename Model>
void check_answer(const Loaded<Model>& loaded) {
  must(loaded.model.has_value() != loaded.diagnostics.has_errors());
  for (const Diagnostic& diagnostic : loaded.diagnostics.all()) {
    must(diagnostic.at.file < loaded.files.size());
    must(!diagnostic.message.empty());
    must(to_text(diagnostic, loaded.files).find('\0') == std::string::npos);
  }
}

void check_block(const CidrBlock& block) {
  for (const Prefix& except : block.except) must(block.cidr.contains(except) && except != block.cidr);
}

// What the classifier takes for granted.
void check_model(const PolicyModel& model) {
  for (const EgressNetwork& network : model.egress_networks) {
    for (const CidrBlock& block : network.networks) check_block(block);
  }
  for (const NetworkPolicy& policy : model.network_policies) {
    for (const NetworkPolicyRule& rule : policy.egress) {
      for (const PortRule& port : rule.ports) must(!port.end_port || (port.port && *port.port <= *port.end_port));
      for (const Peer& peer : rule.to) {
        if (const auto* ip = std::get_if<IpBlockPeer>(&peer.is)) check_block(ip->block);
      }
    }
  }
  for (const Route& route : model.routes) {
    must(!route.parent_refs.empty());
    for (const ParentRef& ref : route.parent_refs) must(ref.port.has_value() == (route.kind != RouteKind::icmp));
    for (const HostPattern& host : route.hostnames) must(!host.text.empty());
  }
  for (const Egress& egress : model.egresses) {
    must(!egress.destinations.empty());
    must(!egress.egress_ips.empty() != !egress.egress_pool.empty());
  }
  must(describe_change(model, model).empty());
  (void)describe_change(PolicyModel{}, model);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto policy = load_policy(split(bytes));
  check_answer(policy);
  if (policy.model) check_model(*policy.model);
  check_answer(load_appliance({"/nowhere/sallyport.toml", std::string(bytes)}));

  Diagnostics diagnostics;
  std::vector<LocatedPrefix> nets;
  read_prefix_list(bytes, 0, nets, diagnostics);
  std::vector<std::string> names;
  read_name_list(bytes, 0, DomainSet::Match::subdomains, names, diagnostics);
  for (const std::string& name : names) must(!name.empty() && name.size() <= 253);
  return 0;
}
