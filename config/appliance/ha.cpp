// [ha]: whose turn it is at start, and when it is no more; what others learn of it by routing.
#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "config/appliance/readers.h"
#include "config/bounds.h"
#include "config/document/values.h"

namespace sallyport::config {
namespace {

using namespace std::chrono_literals;

constexpr std::array<Choice<Start>, 2> starts = {{{"active", Start::active}, {"standby", Start::standby}}};

// "unix:/run/redis/redis.sock"
std::optional<std::string> redis_socket(const Item& item, Diagnostics& diagnostics) {
  const auto written = filled_text(item, diagnostics);
  if (!written) return std::nullopt;
  constexpr std::string_view local = "unix:";
  std::string_view path = *written;
  if (path.starts_with(local)) {
    path.remove_prefix(local.size());
    if (path.starts_with('/') && path.size() <= bounds::socket_path_bytes) return std::string(path);
  }
  report(item, diagnostics,
         "expected the socket of a Redis server on this machine, such as \"unix:/run/redis/redis.sock\"");
  return std::nullopt;
}

void check_one_of_a_family(TableReader& table, std::string_view key, const std::vector<IpAddress>& addresses,
                           Diagnostics& diagnostics) {
  for (const Family family : {Family::v4, Family::v6}) {
    const auto of_family = [family](const IpAddress& address) { return address.family == family; };
    if (std::count_if(addresses.begin(), addresses.end(), of_family) < 2) continue;
    report(*table.find(key), diagnostics, "one IPv4 and one IPv6 address at most");
  }
}

}  // namespace

void read_ha(const Item& item, HaConfig& into, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  table.optional("start", into.start, one_of(starts));
  // Who waits for a word of somebody else is told again; a gateway that is alone would stand by for ever.
  if (into.start == Start::standby) into.fence_after = 1s;
  table.optional("fence_after", into.fence_after, duration(0ms, 1h));
  const auto fence = table.find("fence_after");
  if (fence && into.fence_after > 0ms && into.fence_after < 100ms) {
    report(*fence, diagnostics, "under 100ms a busy machine would be taken for a stopped one; \"0s\" is never");
  }
  table.optional("replicate", into.replicate, redis_socket);
  table.each("next_hop", into.next_hop, address);
  check_one_of_a_family(table, "next_hop", into.next_hop, diagnostics);
  table.optional("egress_routes", into.egress_routes, boolean);
  table.each("drain_to", into.drain_to, address);
  check_one_of_a_family(table, "drain_to", into.drain_to, diagnostics);
}

void check_ha(const std::vector<PortConfig>& ports, const HaConfig& ha, const Item& root, Diagnostics& diagnostics) {
  const auto table = member(root, "ha");
  if (!table) return;
  const auto is_own = [&](const IpAddress& address) {
    return std::any_of(ports.begin(), ports.end(), [&](const PortConfig& port) {
      return std::any_of(port.addresses.begin(), port.addresses.end(),
                         [&](const InterfaceAddress& own) { return own.address == address; });
    });
  };
  for (const auto& [key, addresses] : {std::pair{"next_hop", &ha.next_hop}, std::pair{"drain_to", &ha.drain_to}}) {
    for (const IpAddress& address : *addresses) {
      if (!is_own(address)) continue;
      report(*member(*table, key), diagnostics,
             fmt::format("{} is this gateway's own address, of a port", to_string(address)));
    }
  }
}

}  // namespace sallyport::config
