#include "config/import/kinds.h"

#include <algorithm>
#include <array>
#include <string>

namespace sallyport::config {
namespace {

constexpr auto kinds = std::to_array<Kind>({
    {"", "Pod", Scope::namespaced, "", nullptr, Reading::pods},
    {"", "Namespace", Scope::cluster, "", nullptr, Reading::pods},
    {"projectcalico.org", "NetworkSet", Scope::namespaced, "Calico ", import_calico_set, Reading::sets},
    {"projectcalico.org", "GlobalNetworkSet", Scope::cluster, "Calico ", import_calico_set, Reading::sets},
    {"policy.linkerd.io", "EgressNetwork", Scope::namespaced, "Linkerd ", import_egress_network, Reading::networks},
    {"gateway.networking.k8s.io", "GRPCRoute", Scope::namespaced, "", import_grpc_route, Reading::routes},
    {"gateway.networking.k8s.io", "HTTPRoute", Scope::namespaced, "", import_http_route, Reading::routes},
    {"policy.linkerd.io", "HTTPRoute", Scope::namespaced, "Linkerd ", import_http_route, Reading::routes},
    {"gateway.networking.k8s.io", "TLSRoute", Scope::namespaced, "", import_tls_route, Reading::routes},
    {"gateway.networking.k8s.io", "TCPRoute", Scope::namespaced, "", import_tcp_route, Reading::routes},
    {"gateway.networking.k8s.io", "UDPRoute", Scope::namespaced, "", import_udp_route, Reading::routes},
    {"networking.k8s.io", "NetworkPolicy", Scope::namespaced, "", import_network_policy, Reading::policies},
    {"extensions", "NetworkPolicy", Scope::namespaced, "", import_network_policy, Reading::policies},
    {"projectcalico.org", "NetworkPolicy", Scope::namespaced, "Calico ", nullptr, Reading::calico_policies},
    {"projectcalico.org", "GlobalNetworkPolicy", Scope::cluster, "Calico ", nullptr, Reading::calico_policies},
    {"networking.istio.io", "Gateway", Scope::namespaced, "Istio ", nullptr, Reading::istio_gateways},
    {"networking.istio.io", "ServiceEntry", Scope::namespaced, "Istio ", nullptr, Reading::istio_entries},
    {"crd.antrea.io", "ExternalIPPool", Scope::cluster, "Antrea ", import_antrea_pool, Reading::sets},
    {"crd.antrea.io", "Egress", Scope::cluster, "Antrea ", import_antrea_egress, Reading::egresses},
    {"cilium.io", "CiliumEgressGatewayPolicy", Scope::cluster, "", import_cilium_egress, Reading::egresses},
    {"projectcalico.org", "IPPool", Scope::cluster, "Calico ", import_calico_pool, Reading::egresses},
});

// The API server of Calico and its own store call the same objects by two groups.
std::string_view known_group(std::string_view group) noexcept {
  return group == "crd.projectcalico.org" ? "projectcalico.org" : group;
}

struct Versions {
  std::string_view group;
  std::string_view all;  // each between blanks
};

constexpr auto versions = std::to_array<Versions>({
    {"", " v1 "},
    {"networking.k8s.io", " v1 "},
    {"extensions", " v1beta1 "},
    {"policy.linkerd.io", " v1alpha1 v1beta1 v1beta2 v1beta3 v1 "},
    {"gateway.networking.k8s.io", " v1alpha2 v1alpha3 v1beta1 v1 "},
    {"networking.istio.io", " v1alpha3 v1beta1 v1 "},
    {"projectcalico.org", " v3 "},
    {"crd.projectcalico.org", " v1 "},
    {"crd.antrea.io", " v1alpha2 v1beta1 v1 "},
    {"cilium.io", " v2alpha1 v2 "},
});

}  // namespace

const Kind* find_kind(const KubernetesObject& object) noexcept {
  const auto* found = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& kind) {
    return kind.group == known_group(object.group) && kind.name == object.kind;
  });
  return found == kinds.end() ? nullptr : found;
}

bool is_known_version(const KubernetesObject& object) {
  const std::string version = " " + object.version + " ";
  return std::any_of(versions.begin(), versions.end(), [&](const Versions& each) {
    return each.group == object.group && each.all.find(version) != std::string_view::npos;
  });
}

}  // namespace sallyport::config
