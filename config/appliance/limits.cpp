#include <array>
#include <chrono>

#include <fmt/format.h>

#include "config/appliance/readers.h"
#include "config/bounds.h"
#include "config/document/units.h"
#include "config/document/values.h"

namespace sallyport::config {
namespace {

using namespace std::chrono_literals;

constexpr std::array<Choice<IdleMode>, 2> idle_modes{{{"busy", IdleMode::busy}, {"adaptive", IdleMode::adaptive}}};
constexpr auto longest_timeout = std::chrono::milliseconds(24h * 30);

void read_cores(const Item& item, WorkersConfig& into, Diagnostics& diagnostics) {
  const auto written = filled_text(item, diagnostics);
  if (!written || *written == "auto") return;
  auto cores = parse_number_list(*written, bounds::processor);
  if (!cores) {
    report(item, diagnostics, fmt::format("{}; or \"auto\"", cores.error));
    return;
  }
  into.cores_auto = false;
  into.cores = std::move(*cores.value);
}

// A timeout and the shortest one that the RFC of its protocol wants.
void read_timeout(TableReader& table, std::string_view key, Milliseconds recommended, std::string_view source,
                  Milliseconds& into) {
  const auto item = table.find(key);
  if (!item) return;
  const auto value = read_duration(*item, 1ms, longest_timeout, table.diagnostics());
  if (!value) return;
  into = *value;
  if (into >= recommended) return;
  table.diagnostics().warning(
      item->at(), item->path,
      fmt::format("shorter than the {} of {}; flows in use may be forgotten", to_string(recommended), source));
}

}  // namespace

void read_workers(const Item& item, WorkersConfig& into, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  if (const auto cores = table.find("cores")) read_cores(*cores, into, diagnostics);
  table.optional("idle", into.idle, one_of(idle_modes));
}

void read_limits(const Item& item, Limits& into, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  table.optional("flows", into.flows, integer<std::uint32_t>(1, 1LL << 30U));
  table.optional("held_bytes", into.held_bytes, quantity<std::uint64_t>(parse_size, 1U << 10U, 1ULL << 40U));
  table.optional("hello_bytes", into.hello_bytes, quantity<std::uint32_t>(parse_size, 64, 64U << 10U));
  const auto count = integer<std::uint32_t>(0, 4'000'000'000);
  table.optional("flows_per_source", into.flows_per_source, count);
  table.optional("new_flows_per_second_per_source", into.new_flows_per_second_per_source, count);
}

void read_timeouts(const Item& item, Timeouts& into, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  read_timeout(table, "tcp_established", 124min, "RFC 5382 REQ-5", into.tcp_established);
  read_timeout(table, "tcp_transitory", 4min, "RFC 5382 REQ-5", into.tcp_transitory);
  read_timeout(table, "udp", 2min, "RFC 4787 REQ-5", into.udp);
  read_timeout(table, "icmp", 60s, "RFC 5508 REQ-2", into.icmp);
}

}  // namespace sallyport::config
