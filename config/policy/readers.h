// The tables of the policy, one reader each. All of them report what is wrong and go on, so what they return may lack
// what could not be read; it is used for finding further errors only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/diagnostics.h"
#include "config/document/table_reader.h"
#include "config/policy_model.h"

namespace sallyport::config {

// Opens the files that sets name, and numbers them for locations.
class ListFiles {
 public:
  // `files`: the document's; names are added. `base`: the file that names the others.
  ListFiles(std::vector<std::string>& files, std::string base) : files_(files), base_(std::move(base)) {}

  struct Opened {
    std::string text;
    std::uint32_t number = 0;
  };
  // The file that `item` names; failures are reported at the item.
  [[nodiscard]] std::optional<Opened> open(const Item& item, Diagnostics& diagnostics);

 private:
  std::vector<std::string>& files_;
  std::string base_;
};

// Who sends (sources.cpp).
[[nodiscard]] Namespace read_namespace(const Item& item, Diagnostics& diagnostics);
[[nodiscard]] Workload read_workload(const Item& item, Diagnostics& diagnostics);

// Selectors and labels (selectors.cpp).
[[nodiscard]] std::optional<Labels> read_labels(const Item& item, Diagnostics& diagnostics);
[[nodiscard]] std::optional<Selector> read_selector(const Item& item, Diagnostics& diagnostics);

// CIDRs with holes (cidr_blocks.cpp). Absent where the CIDR itself could not be read.
[[nodiscard]] std::optional<CidrBlock> read_cidr_block(const Item& item, Diagnostics& diagnostics);
[[nodiscard]] std::optional<LocatedPrefix> located_prefix(const Item& item, Diagnostics& diagnostics);
// Warns where no packet can have an address of it, section 5.
void warn_of_martian(const Item& item, const Prefix& prefix, Diagnostics& diagnostics);
// One from which packets may come.
[[nodiscard]] std::optional<LocatedPrefix> source_prefix(const Item& item, Diagnostics& diagnostics);

// Layer 1 (network_policies.cpp).
[[nodiscard]] NetworkPolicy read_network_policy(const Item& item, Diagnostics& diagnostics);

// Sets (sets.cpp).
[[nodiscard]] NetworkSet read_network_set(const Item& item, ListFiles& files, Diagnostics& diagnostics);
[[nodiscard]] DomainSet read_domain_set(const Item& item, ListFiles& files, Diagnostics& diagnostics);

// Layer 2 (egress_networks.cpp, routes.cpp, http_matches.cpp).
[[nodiscard]] EgressNetwork read_egress_network(const Item& item, Diagnostics& diagnostics);
[[nodiscard]] Route read_route(RouteKind kind, const Item& item, Diagnostics& diagnostics);
void read_http_matches(const Item& rules, RouteKind kind, std::vector<HttpMatch>& into, Diagnostics& diagnostics);

// Under which address (egresses.cpp).
// An address that packets may carry on a wire, section 5.
[[nodiscard]] std::optional<IpAddress> usable_address(const Item& item, Diagnostics& diagnostics);
[[nodiscard]] EgressPool read_egress_pool(const Item& item, Diagnostics& diagnostics);
[[nodiscard]] Egress read_egress(const Item& item, Diagnostics& diagnostics);
[[nodiscard]] std::optional<IpPool> read_ip_pool(const Item& item, Diagnostics& diagnostics);

// Plain tables (settings.cpp).
struct ClusterTable {
  std::vector<Prefix> networks;
  std::string global_namespace;
};
[[nodiscard]] ClusterTable default_cluster();
void read_cluster(const Item& item, ClusterTable& into, Diagnostics& diagnostics);
void read_defaults(const Item& item, Defaults& into, Diagnostics& diagnostics);
// True: the file says what is never translated.
bool read_snat(const Item& item, Snat& into, Diagnostics& diagnostics);
void read_dns(const Item& item, Dns& into, Diagnostics& diagnostics);

// "tls_route"
[[nodiscard]] std::string_view table_name(RouteKind kind) noexcept;

}  // namespace sallyport::config
