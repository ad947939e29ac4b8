// Labels that Calico gives by itself, and that objects do not show:
//
//   projectcalico.org/name            of a namespace   its name, here kubernetes.io/metadata.name
//   projectcalico.org/namespace       of pods and sets  the name of their namespace
//   projectcalico.org/orchestrator    of pods           "k8s"
//   projectcalico.org/serviceaccount  of pods           their service account (cluster.h)
//
// Terms on the first three are decided when a policy is imported, or become terms on the namespace.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/import/calico_selector.h"
#include "config/policy_model.h"

namespace sallyport::config {

constexpr const char* calico_namespace_label = "projectcalico.org/namespace";

// A selector of namespaces.
[[nodiscard]] Parsed<CalicoSelector> parse_calico_namespaces(std::string_view text);

// What is left of a selector of pods for pods of this namespace. Absent: it selects none of them.
[[nodiscard]] std::optional<Selector> within(const Selector& selector, const std::string& namespace_name);

// A selector of pods as a peer; `namespaces` absent: those of the policy's own. Absent: it selects no pod.
[[nodiscard]] std::optional<PodPeer> pod_peer(const Selector& selector, const std::optional<Selector>& namespaces);

}  // namespace sallyport::config
