// Ports that policies call by name: what containers call so.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/import/cluster.h"

namespace sallyport::config {

// Whose ports are meant: pods that a peer of this policy's namespace selects. A block selects nobody.
[[nodiscard]] bool selects_pod(const Peer& peer, const std::string& policy_namespace, const Pod& pod,
                               const Cluster& cluster);

// Port number -> the pods that call it `name`, among those that some peer selects; no peers: among all.
[[nodiscard]] std::map<std::uint16_t, std::vector<const Pod*>> pods_by_port(const std::string& name, Protocol protocol,
                                                                            const std::vector<Peer>& to,
                                                                            const std::string& policy_namespace,
                                                                            const Cluster& cluster);

}  // namespace sallyport::config
