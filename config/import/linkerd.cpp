// Linkerd's EgressNetwork, policy.linkerd.io.
#include <fmt/format.h>

#include "config/document/in_quotes.h"
#include "config/import/importer.h"

namespace sallyport::config {
namespace {

std::optional<TrafficPolicy> read_traffic_policy(Fields& spec) {
  const auto written = spec.text("trafficPolicy");
  if (written == "Allow") return TrafficPolicy::allow;
  if (written == "Deny") return TrafficPolicy::deny;
  return std::nullopt;
}

}  // namespace

void import_egress_network(const Imported& imported, Import& into) {
  const KubernetesObject& object = imported.object;
  EgressNetwork network;
  network.namespace_name = object.namespace_name;
  network.name = object.name;
  network.at = object.at;
  Fields spec(imported.spec(), imported.report);
  const auto policy = read_traffic_policy(spec);
  const YamlNode* networks = spec.find("networks");
  network.networks_given = networks != nullptr;
  bool valid = policy.has_value();
  for (const YamlNode& item : spec.list("networks")) {
    auto block = import_block(item, imported.report);
    valid = valid && block.has_value();
    if (block) network.networks.push_back(std::move(*block));
  }
  if (!valid || (networks != nullptr && network.networks.empty())) {
    imported.report.lost(object.at,
                         "Linkerd refuses it: it needs a trafficPolicy of Allow or Deny and valid networks; left out");
    return;
  }
  network.traffic_policy = *policy;
  into.egress_networks.insert(object.namespace_name + "/" + object.name);
  into.model.egress_networks.push_back(std::move(network));
}

}  // namespace sallyport::config
