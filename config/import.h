// Kubernetes YAML into a policy: what users of Linkerd, NetworkPolicy, Istio, Calico, Antrea and Cilium bring along.
//
// Objects are read in the order in which their systems rank them (oldest first), so one cluster always makes one
// policy. What cannot be kept, or not exactly, is reported at its place; nothing is left out in silence, and what is
// left out allows less, not more.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/import/policy_text.h"
#include "config/load.h"

namespace sallyport::config {

struct ImportedPolicy {
  std::optional<std::string> toml;        // absent: no YAML, nothing that is known here, or no valid policy came of it
  std::vector<std::string> files;         // what the reports' locations point into
  Diagnostics reports;                    // errors: what is not kept exactly; warnings: what is, and may surprise
  std::vector<PolicyText::Table> tables;  // of the TOML

  // What is to be said of the TOML, as reports of the objects that it was made from.
  void report(const Diagnostics& of_toml);
};

// `snat`: the gateway's own addresses for sources that no egress selects; no Kubernetes object names them.
[[nodiscard]] ImportedPolicy import_kubernetes(const std::vector<SourceText>& sources,
                                               const std::vector<IpAddress>& snat);

}  // namespace sallyport::config
