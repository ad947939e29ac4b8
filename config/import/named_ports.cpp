#include "config/import/named_ports.h"

#include <algorithm>

namespace sallyport::config {

bool selects_pod(const Peer& peer, const std::string& policy_namespace, const Pod& pod, const Cluster& cluster) {
  const auto* pods = std::get_if<PodPeer>(&peer.is);
  if (pods == nullptr) return false;
  if (pods->namespace_selector) {
    if (!selects(*pods->namespace_selector, cluster.labels_of(pod.namespace_name))) return false;
  } else if (pod.namespace_name != policy_namespace) {
    return false;
  }
  return !pods->pod_selector || selects(*pods->pod_selector, pod.labels);
}

std::map<std::uint16_t, std::vector<const Pod*>> pods_by_port(const std::string& name, Protocol protocol,
                                                              const std::vector<Peer>& to,
                                                              const std::string& policy_namespace,
                                                              const Cluster& cluster) {
  std::map<std::uint16_t, std::vector<const Pod*>> found;
  for (const Pod& pod : cluster.pods) {
    const auto port = std::find_if(pod.ports.begin(), pod.ports.end(), [&](const NamedPort& each) {
      return each.name == name && each.protocol == protocol;
    });
    if (port == pod.ports.end()) continue;
    const bool meant = to.empty() || std::any_of(to.begin(), to.end(), [&](const Peer& peer) {
                         return selects_pod(peer, policy_namespace, pod, cluster);
                       });
    if (meant) found[port->number].push_back(&pod);
  }
  return found;
}

}  // namespace sallyport::config
