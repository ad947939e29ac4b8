// Antrea's Egress and ExternalIPPool, crd.antrea.io.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "config/document/in_quotes.h"
#include "config/document/units.h"
#include "config/import/importer.h"

namespace sallyport::config {
namespace {

AddressRange single(const IpAddress& address) { return {address, address}; }

// Antrea hands out no network address, and no broadcast address of IPv4; here every address of a range counts.
void exclude_ends(const Prefix& cidr, EgressPool& pool) {
  pool.exclude.push_back(single(cidr.first()));
  if (cidr.address.family == Family::v4) pool.exclude.push_back(single(cidr.last()));
}

void read_range(const YamlNode& node, EgressPool& pool, const ObjectReport& report) {
  Fields fields(&node, report);
  const YamlNode* cidr = fields.find("cidr");
  const YamlNode* start = fields.find("start");
  const YamlNode* end = fields.find("end");
  if (cidr != nullptr) {
    const auto prefix = read_prefix(*cidr, report);
    if (!prefix) return;
    if (address_bits(prefix->address.family) - prefix->length < (prefix->address.family == Family::v4 ? 2U : 1U)) {
      report.lost(cidr->at, fmt::format("{} holds no address that Antrea would use; left out", to_string(*prefix)));
      return;
    }
    const AddressRange range{prefix->first(), prefix->last()};
    if (!can_be_left_under(range, cidr->at, report)) return;
    pool.ranges.push_back(range);
    exclude_ends(*prefix, pool);
    return;
  }
  const auto first = start == nullptr ? std::nullopt : read_address(*start, report);
  const auto last = end == nullptr ? std::nullopt : read_address(*end, report);
  if (!first || !last || first->family != last->family || *last < *first) {
    report.lost(node.at, "neither a cidr nor a start and an end behind it; the range was left out");
    return;
  }
  if (can_be_left_under({*first, *last}, node.at, report)) pool.ranges.push_back({*first, *last});
}

// Antrea takes quantities of Kubernetes, "500k", "10M", "1G", in powers of 1000.
std::optional<std::uint64_t> read_bits(Fields& fields, std::string_view key) {
  const YamlNode* node = fields.find(key);
  if (node == nullptr) return std::nullopt;
  auto text = read_text(*node, fields.report());
  if (!text) return std::nullopt;
  if (text->ends_with('k')) text->back() = 'K';
  const auto bits = parse_bits(*text);
  constexpr std::uint64_t most = 1'000'000'000'000'000;
  if (bits && *bits >= 1 && *bits <= most) return *bits;
  fields.report().lost(node->at, fmt::format("{} {} is no quantity such as \"10M\"; left out", key, in_quotes(*text)));
  return std::nullopt;
}

class EgressImporter {
 public:
  EgressImporter(const Imported& imported, Import& into)
      : object_(imported.object), report_(imported.report), into_(into), spec_(imported.spec(), report_) {}

  void import() {
    egress_.at = object_.at;
    if (!read_applied_to()) return;
    read_bandwidth();
    read_address_fields();
    if (egress_.egress_ips.empty() && egress_.egress_pool.empty()) {
      report_.lost(object_.at, "has no address and no pool of these files; left out: its pods leave under [snat]");
      return;
    }
    keep_to_family();
    egress_.name = into_.unique("egress", "", object_.name);
    into_.model.egresses.push_back(std::move(egress_));
  }

 private:
  bool read_applied_to() {
    Fields fields(spec_.find("appliedTo"), report_);
    const YamlNode* pods = fields.find("podSelector");
    const YamlNode* namespaces = fields.find("namespaceSelector");
    fields.lost("groups", "groups of Antrea are not known here; left out");
    AppliedTo applied;
    if (pods != nullptr) applied.pod_selector = import_selector(pods, report_);
    if (namespaces != nullptr) applied.namespace_selector = import_selector(namespaces, report_);
    if (!fields.whole() || (pods != nullptr && !applied.pod_selector) ||
        (namespaces != nullptr && !applied.namespace_selector)) {
      report_.lost(object_.at, "its selectors are not valid; left out: its pods leave under [snat]");
      return false;
    }
    if (pods == nullptr && namespaces == nullptr) {
      report_.note(object_.at, "is applied to nothing, and selects nothing here either");
    }
    egress_.applied_to = std::move(applied);
    return true;
  }

  void read_bandwidth() {
    const YamlNode* node = spec_.find("bandwidth");
    if (node == nullptr) return;
    Fields fields(node, report_);
    const auto rate = read_bits(fields, "rate");
    const auto burst = read_bits(fields, "burst");
    if (rate && burst) {
      egress_.bandwidth = Bandwidth{*rate, *burst};
    } else {
      report_.lost(node->at, "bandwidth: needs a rate and a burst; left out");
    }
  }

  void read_address_fields() {
    add_address(spec_.find("egressIP"));
    for (const YamlNode& node : spec_.list("egressIPs")) add_address(&node);
    std::vector<std::string> pools = spec_.texts("externalIPPools");
    if (const auto pool = spec_.text("externalIPPool"); pool && !pool->empty()) pools.insert(pools.begin(), *pool);
    if (!egress_.egress_ips.empty() || pools.empty()) return;
    Fields status(object_.part("status"), report_);
    status.without_meaning({"egressNode", "conditions"});
    add_address(status.find("egressIP"));
    if (egress_.egress_ips.empty()) use_pool(pools.front());
  }

  void add_address(const YamlNode* node) {
    if (node == nullptr || (node->kind == YamlNode::Kind::scalar && node->text.empty())) return;
    const auto address = read_egress_address(*node, report_);
    auto& known = egress_.egress_ips;
    if (address && std::find(known.begin(), known.end(), *address) == known.end()) known.push_back(*address);
  }

  // An Egress of one family leaves the other's flows alone; here an egress for every destination would drop them.
  void keep_to_family() {
    std::vector<IpAddress> addresses = egress_.egress_ips;
    for (const EgressPool& pool : into_.model.egress_pools) {
      if (pool.name != egress_.egress_pool) continue;
      for (const AddressRange& range : pool.ranges) addresses.push_back(range.first);
    }
    const auto has = [&](Family family) {
      return std::any_of(addresses.begin(), addresses.end(),
                         [&](const IpAddress& address) { return address.family == family; });
    };
    if (has(Family::v4) == has(Family::v6)) return;
    egress_.destinations = {parse_prefix(has(Family::v4) ? "0.0.0.0/0" : "::/0")->prefix};
  }

  void use_pool(const std::string& pool) {
    if (!into_.egress_pools.contains(pool)) {
      report_.lost(object_.at, fmt::format("the ExternalIPPool {} is not in these files", in_quotes(pool)));
      return;
    }
    report_.lost(object_.at,
                 fmt::format("Antrea gives it one address of the pool {}, and none is written yet; here each of "
                             "its pods gets one of them",
                             pool));
    egress_.egress_pool = pool;
  }

  const KubernetesObject& object_;
  const ObjectReport& report_;
  Import& into_;
  Fields spec_;
  Egress egress_;
};

}  // namespace

void import_antrea_pool(const Imported& imported, Import& into) {
  const KubernetesObject& object = imported.object;
  Fields spec(imported.spec(), imported.report);
  if (const YamlNode* nodes = spec.find("nodeSelector"); nodes != nullptr && !nodes->entries.empty()) {
    imported.report.lost(nodes->at, "nodeSelector: the gateway holds the addresses, whatever node it is; left out");
  }
  spec.lost("subnetInfo", "networks and next hops are those of sallyport.toml; left out");
  EgressPool pool;
  pool.name = object.name;
  pool.at = object.at;
  for (const YamlNode& range : spec.list("ipRanges")) read_range(range, pool, imported.report);
  if (pool.ranges.empty()) {
    imported.report.lost(object.at, "has no range that can be kept; the pool was left out");
    return;
  }
  into.egress_pools.insert(pool.name);
  into.model.egress_pools.push_back(std::move(pool));
}

void import_antrea_egress(const Imported& imported, Import& into) { EgressImporter(imported, into).import(); }

}  // namespace sallyport::config
