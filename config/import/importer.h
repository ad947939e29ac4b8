// The importers of the kinds, one function each. They share one Import, which they fill.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "config/import/cluster.h"
#include "config/import/fields.h"
#include "config/import/policy_text.h"

namespace sallyport::config {

// What the importers fill, and what they may ask of what was read before.
struct Import {
  PolicyModel model;
  Origins origins;
  Cluster cluster;
  // Egress networks of Linkerd that were taken, as "namespace/name".
  std::set<std::string> egress_networks;
  // "kind network port" of routes that take a whole port of a network.
  std::set<std::string> whole_ports;
  // Address pools of Antrea that were taken.
  std::set<std::string> egress_pools;

  // A name that no other object of the table has: `name`, "name-2", ... Names that got too long are cut.
  [[nodiscard]] std::string unique(std::string_view table, const std::string& namespace_name, std::string name);

 private:
  std::set<std::tuple<std::string, std::string, std::string>> names_;
};

// One object and what there is to say of it.
struct Imported {
  const KubernetesObject& object;
  const ObjectReport& report;

  [[nodiscard]] const YamlNode* spec() const { return object.part("spec"); }
};

// Labels of selectors (selectors.cpp). Absent: not valid, which was reported. A missing selector is an empty one.
[[nodiscard]] std::optional<Selector> import_selector(const YamlNode* node, const ObjectReport& report);
// A CIDR with holes as Kubernetes and Linkerd allow it (blocks.cpp); absent and reported where they refuse it.
[[nodiscard]] std::optional<CidrBlock> import_block(const YamlNode& node, const ObjectReport& report);

// Linkerd and the Gateway API (linkerd.cpp, gateway_routes.cpp).
void import_egress_network(const Imported& imported, Import& into);
void import_tls_route(const Imported& imported, Import& into);
void import_http_route(const Imported& imported, Import& into);
void import_grpc_route(const Imported& imported, Import& into);
void import_tcp_route(const Imported& imported, Import& into);
void import_udp_route(const Imported& imported, Import& into);

// Kubernetes (network_policies.cpp).
void import_network_policy(const Imported& imported, Import& into);

// Istio (istio.cpp). All objects make one network together.
void import_istio(const std::vector<Imported>& gateways, const std::vector<Imported>& entries, Import& into);

// Calico (calico_sets.cpp, calico_policies.cpp).
void import_calico_set(const Imported& imported, Import& into);
void import_calico_pool(const Imported& imported, Import& into);
void import_calico_policies(const std::vector<Imported>& policies, Import& into);

// Antrea (antrea.cpp) and Cilium (cilium.cpp).
void import_antrea_pool(const Imported& imported, Import& into);
void import_antrea_egress(const Imported& imported, Import& into);
void import_cilium_egress(const Imported& imported, Import& into);

}  // namespace sallyport::config
