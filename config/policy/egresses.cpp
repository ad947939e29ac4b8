#include <set>

#include <fmt/format.h>

#include "config/address_union.h"
#include "config/document/units.h"
#include "config/document/values.h"
#include "config/martian.h"
#include "config/policy/readers.h"

namespace sallyport::config {
namespace {

constexpr std::uint64_t most_bits = 1'000'000'000'000'000;  // per second; a petabit
constexpr std::uint64_t packet_bits = 8 * std::uint64_t{1500};

bool check_usable(const Item& item, const AddressRange& range, Diagnostics& diagnostics) {
  const std::string_view martian = martian_in(range);
  if (martian.empty()) return true;
  report(item, diagnostics, fmt::format("no flow can leave under an address of {}", martian));
  return false;
}

std::optional<AddressRange> usable_range(const Item& item, Diagnostics& diagnostics) {
  const auto range = address_range(item, diagnostics);
  if (!range || !check_usable(item, *range, diagnostics)) return std::nullopt;
  return range;
}

std::optional<AppliedTo> read_applied_to(const Item& item, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  if (!table.is_table()) return std::nullopt;
  AppliedTo applied;
  const auto pods = table.find("pod_selector");
  const auto namespaces = table.find("namespace_selector");
  if (pods) applied.pod_selector = read_selector(*pods, diagnostics);
  if (namespaces) applied.namespace_selector = read_selector(*namespaces, diagnostics);
  if (!pods && !namespaces) {
    diagnostics.warning(item.at(), item.path,
                        "empty: selects nothing; { namespace_selector = {} } selects every workload");
  }
  return applied;
}

std::optional<Bandwidth> read_bandwidth(const Item& item, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  Bandwidth bandwidth;
  const auto bits = quantity<std::uint64_t>(parse_bits, 1, most_bits);
  const bool rate = table.required("rate", bandwidth.rate_bits_per_second, bits);
  const bool burst = table.required("burst", bandwidth.burst_bits, bits);
  if (!rate || !burst) return std::nullopt;
  if (bandwidth.burst_bits < packet_bits) {
    diagnostics.warning(item.at(), item.path,
                        fmt::format("packets of more than {} bytes are larger than the burst and never pass",
                                    bandwidth.burst_bits / 8));
  }
  return bandwidth;
}

// An address, or a prefix of one's own to map to (RFC 6296).
void read_egress_ip(const Item& item, Egress& into, Diagnostics& diagnostics) {
  const auto* written = std::get_if<std::string>(&item.node->is);
  if (written != nullptr && written->find('/') != std::string::npos) {
    into.egress_prefix = prefix(item, diagnostics);
    if (into.egress_prefix && into.egress_prefix->address.family == Family::v4) {
      report(item, diagnostics, "only IPv6 prefixes are mapped to prefixes (RFC 6296); use an egress_pool");
    }
  } else if (const auto single = usable_address(item, diagnostics)) {
    into.egress_ips = {*single};
  }
}

// RFC 6296 maps one prefix to another of its length.
void check_prefix(const Item& item, const Egress& egress, Diagnostics& diagnostics) {
  if (!egress.egress_prefix || egress.egress_prefix->address.family == Family::v4) return;
  const Prefix& outside = *egress.egress_prefix;
  const bool one = egress.sources.size() == 1 && !egress.applied_to;
  if (!one || egress.sources[0].address.family != Family::v6 || egress.sources[0].length != outside.length) {
    report(item, diagnostics,
           fmt::format("egress_ip = \"{}\" maps prefix to prefix (RFC 6296): sources has to be one IPv6 prefix of /{}, "
                       "without applied_to",
                       to_string(outside), outside.length));
  }
  if (outside.length > 64) report(item, diagnostics, "prefixes longer than /64 are not mapped to prefixes (RFC 6296)");
  check_usable(item, {outside.first(), outside.last()}, diagnostics);
}

// Exactly one of the three ways to name addresses.
void read_addresses(TableReader& table, Egress& into, const Item& item) {
  Diagnostics& diagnostics = table.diagnostics();
  const auto one = table.find("egress_ip");
  const auto several = table.find("egress_ips");
  const auto pool = table.find("egress_pool");
  if (one) read_egress_ip(*one, into, diagnostics);
  if (several) {
    table.each("egress_ips", into.egress_ips, usable_address);
    if (is_empty_array(*several)) report(*several, diagnostics, "empty; an egress needs an address");
  }
  if (pool) into.egress_pool = object_name(*pool, diagnostics).value_or("");
  const int ways =
      static_cast<int>(one.has_value()) + static_cast<int>(several.has_value()) + static_cast<int>(pool.has_value());
  if (ways != 1 && table.is_table()) {
    report(item, diagnostics, "expected exactly one of egress_ip, egress_ips or egress_pool");
  }
}

void read_destinations(TableReader& table, Egress& into) {
  const auto destinations = table.find("destinations");
  if (!destinations) {
    into.destinations = {parse_prefix("0.0.0.0/0")->prefix, parse_prefix("::/0")->prefix};
    return;
  }
  std::set<Prefix> seen;
  table.each("destinations", into.destinations, [&](const Item& item, Diagnostics& diagnostics) {
    const auto destination = prefix(item, diagnostics);
    if (destination && !seen.insert(*destination).second) {
      report(item, diagnostics, fmt::format("{} stands twice", to_string(*destination)));
    }
    return destination;
  });
  if (is_empty_array(*destinations)) {
    report(*destinations, table.diagnostics(), "empty; leave it out for every destination");
  }
}

// What stands in `key` takes something from `from`; where it shares no address with that, it does nothing.
template <typename Hole>
auto telling_of_strays(const AddressUnion& from, std::string_view of_what,
                       std::optional<Hole> (*read)(const Item&, Diagnostics&)) {
  return [&from, of_what, read](const Item& item, Diagnostics& diagnostics) -> std::optional<Hole> {
    const auto hole = read(item, diagnostics);
    if (hole && !from.ranges().empty() && !from.meets(*hole)) {
      diagnostics.warning(item.at(), item.path, fmt::format("leaves nothing out: it is in none of {}", of_what));
    }
    return hole;
  };
}

}  // namespace

std::optional<IpAddress> usable_address(const Item& item, Diagnostics& diagnostics) {
  const auto single = address(item, diagnostics);
  if (!single || !check_usable(item, {*single, *single}, diagnostics)) return std::nullopt;
  return single;
}

EgressPool read_egress_pool(const Item& item, Diagnostics& diagnostics) {
  EgressPool pool;
  pool.at = item.at();
  TableReader table(item, diagnostics);
  table.required("name", pool.name, object_name);
  const auto ranges = table.require("ranges");
  if (ranges) table.each("ranges", pool.ranges, usable_range);
  const AddressUnion given(pool.ranges);
  table.each("exclude", pool.exclude, telling_of_strays(given, "the pool's ranges", address_range));
  if (ranges && is_empty_array(*ranges)) report(*ranges, diagnostics, "empty; a pool has at least one address");
  return pool;
}

Egress read_egress(const Item& item, Diagnostics& diagnostics) {
  Egress egress;
  egress.at = item.at();
  TableReader table(item, diagnostics);
  table.required("name", egress.name, object_name);
  const auto applied_to = table.find("applied_to");
  if (applied_to) egress.applied_to = read_applied_to(*applied_to, diagnostics);
  const auto sources = table.find("sources");
  if (sources) table.each("sources", egress.sources, prefix);
  if (table.is_table() && !applied_to && (!sources || is_empty_array(*sources))) {
    report(item, diagnostics, "selects nothing; expected applied_to, sources, or both");
  }
  read_addresses(table, egress, item);
  check_prefix(item, egress, diagnostics);
  read_destinations(table, egress);
  const AddressUnion destinations(egress.destinations);
  table.each("except", egress.except, telling_of_strays(destinations, "the egress's destinations", prefix));
  table.optional("priority", egress.priority, integer<std::int64_t>(-1'000'000'000, 1'000'000'000));
  table.optional("bandwidth", egress.bandwidth, read_bandwidth);
  table.optional("dscp", egress.dscp, integer<std::uint8_t>(0, 63));
  return egress;
}

std::optional<IpPool> read_ip_pool(const Item& item, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  IpPool pool;
  table.optional("nat_outgoing", pool.nat_outgoing, boolean);
  const auto cidr = table.require("cidr");
  const auto parsed = cidr ? prefix(*cidr, diagnostics) : std::nullopt;
  if (!parsed) return std::nullopt;
  pool.cidr = *parsed;
  pool.at = cidr->at();
  return pool;
}

}  // namespace sallyport::config
