// Calico's NetworkSet, GlobalNetworkSet and IPPool, projectcalico.org.
#include <utility>

#include <fmt/format.h>

#include "config/import/importer.h"

namespace sallyport::config {

void import_calico_set(const Imported& imported, Import& into) {
  const KubernetesObject& object = imported.object;
  Fields spec(imported.spec(), imported.report);
  spec.lost("allowedEgressDomains", "a network set holds addresses only; left out");
  NetworkSet set;
  set.namespace_name = object.namespace_name;
  set.labels = object.labels;
  set.at = object.at;
  for (const YamlNode& node : spec.list("nets")) {
    if (const auto net = read_prefix(node, imported.report)) set.nets.push_back({*net, node.at});
  }
  if (!set.namespace_name.empty()) into.cluster.name(set.namespace_name);
  set.name = into.unique("network_set", set.namespace_name, object.name);
  into.model.network_sets.push_back(std::move(set));
}

void import_calico_pool(const Imported& imported, Import& into) {
  const KubernetesObject& object = imported.object;
  Fields spec(imported.spec(), imported.report);
  // How addresses are handed out, carried and announced inside of the cluster.
  spec.without_meaning({"blockSize", "ipipMode", "vxlanMode", "disabled", "disableBGPExport", "allowedUses",
                        "assignmentMode", "namespaceSelector", "awsSubnetID"});
  if (const YamlNode* node = spec.find("nodeSelector");
      node != nullptr && node->text != "all()" && !node->text.empty()) {
    imported.report.lost(node->at,
                         "nodeSelector: which nodes take addresses from the pool is not known here; left out");
  }
  const YamlNode* cidr = spec.find("cidr");
  const auto prefix = cidr == nullptr ? std::nullopt : read_prefix(*cidr, imported.report);
  const bool nat_outgoing = spec.boolean("natOutgoing").value_or(false);
  if (!prefix) {
    imported.report.lost(object.at, "has no cidr; the pool was left out");
    return;
  }
  for (const IpPool& known : into.model.ip_pools) {
    if (known.cidr != *prefix) continue;
    imported.report.lost(object.at, fmt::format("{} is a pool already; this one was left out", to_string(*prefix)));
    return;
  }
  into.model.ip_pools.push_back({*prefix, nat_outgoing, object.at});
}

}  // namespace sallyport::config
