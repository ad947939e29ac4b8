#include <array>

#include "config/document/values.h"
#include "config/policy/readers.h"

namespace sallyport::config {
namespace {

constexpr std::array<Choice<TrafficPolicy>, 2> traffic_policies{
    {{"Allow", TrafficPolicy::allow}, {"Deny", TrafficPolicy::deny}}};

}  // namespace

EgressNetwork read_egress_network(const Item& item, Diagnostics& diagnostics) {
  EgressNetwork network;
  network.at = item.at();
  TableReader table(item, diagnostics);
  table.required("namespace", network.namespace_name, object_name);
  table.required("name", network.name, object_name);
  table.required("traffic_policy", network.traffic_policy, one_of(traffic_policies));
  const auto networks = table.find("networks");
  network.networks_given = networks.has_value();
  if (!networks) return network;
  table.each("networks", network.networks, read_cidr_block);
  if (is_empty_array(*networks)) {
    report(*networks, diagnostics, "empty; leave it out to capture everything but cluster.networks");
  }
  return network;
}

}  // namespace sallyport::config
