#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include "config/appliance/readers.h"
#include "config/document/in_quotes.h"
#include "config/document/units.h"
#include "config/document/values.h"

namespace sallyport::config {
namespace {

using namespace std::chrono_literals;

constexpr std::array<Choice<Mapping>, 2> mappings{
    {{"endpoint_independent", Mapping::endpoint_independent}, {"endpoint_dependent", Mapping::endpoint_dependent}}};
constexpr std::array<Choice<Filtering>, 3> filterings{
    {{"endpoint_independent", Filtering::endpoint_independent},
     {"address_dependent", Filtering::address_dependent},
     {"address_and_port_dependent", Filtering::address_and_port_dependent}}};
constexpr std::array<Choice<bool>, 2> midstream_manners{{{"drop", false}, {"allow", true}}};
constexpr std::array<Choice<bool>, 2> clamp_manners{{{"auto", true}, {"off", false}}};
constexpr std::array<Choice<bool>, 2> unsolicited_manners{{{"drop", false}, {"icmp", true}}};

std::optional<PortRange> port_range(const Item& item, Diagnostics& diagnostics) {
  const auto written = filled_text(item, diagnostics);
  if (!written) return std::nullopt;
  const auto range = parse_number_range(*written, 1, 65535);
  if (!range) {
    report(item, diagnostics, range.error);
    return std::nullopt;
  }
  return PortRange{static_cast<std::uint16_t>((*range).first), static_cast<std::uint16_t>((*range).last)};
}

using PoolKey = std::array<std::uint8_t, 16>;

std::optional<PoolKey> parse_key(std::string_view digits) {
  PoolKey key{};
  if (digits.size() != 2 * key.size()) return std::nullopt;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const std::string_view byte = digits.substr(2 * i, 2);
    const auto [end, status] = std::from_chars(byte.data(), byte.data() + byte.size(), key[i], 16);
    if (status != std::errc() || end != byte.data() + byte.size()) return std::nullopt;
  }
  return key;
}

void read_pool_key(const Item& item, NatConfig& into, Diagnostics& diagnostics) {
  const auto written = filled_text(item, diagnostics);
  if (!written || *written == "auto") return;
  into.pool_key = parse_key(*written);
  // The key is a secret, so the message does not repeat it.
  if (!into.pool_key) report(item, diagnostics, "expected \"auto\" or a key of 32 hexadecimal digits");
}

// Blocks lie at multiples of their size.
void check_blocks(const Item& item, const NatConfig& nat, Diagnostics& diagnostics) {
  if (nat.port_block == 0) return;
  const std::uint32_t first = (nat.port_range.first + nat.port_block - 1) / nat.port_block;
  if ((first + 1) * nat.port_block > nat.port_range.last + 1U) {
    report(item, diagnostics, fmt::format("port_range holds no whole block of {} ports", nat.port_block));
  }
  if (nat.ports_per_source_max != 0 && nat.ports_per_source_max < nat.port_block) {
    report(item, diagnostics,
           fmt::format("ports_per_source_max = {} is less than one block of {} ports", nat.ports_per_source_max,
                       nat.port_block));
  }
}

}  // namespace

void read_nat(const Item& item, NatConfig& into, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  table.optional("tcp_mapping", into.tcp_mapping, one_of(mappings));
  table.optional("udp_mapping", into.udp_mapping, one_of(mappings));
  table.optional("filtering", into.filtering, one_of(filterings));
  table.optional("port_range", into.port_range, port_range);
  if (const auto key = table.find("pool_key")) read_pool_key(*key, into, diagnostics);
  table.optional("source_check", into.source_check, boolean);
  table.optional("tcp_midstream", into.tcp_midstream, one_of(midstream_manners));
  table.optional("mss_clamp", into.mss_clamp, one_of(clamp_manners));
  table.optional("fragments_max", into.fragments_max, integer<std::uint32_t>(0, 1U << 24U));
  table.optional("fragment_timeout", into.fragment_timeout, duration(1ms, 5min));
  table.optional("unsolicited", into.unsolicited_icmp, one_of(unsolicited_manners));
  table.optional("udp_inbound_refresh", into.udp_inbound_refresh, boolean);
  table.optional("port_block", into.port_block, integer<std::uint32_t>(1, 32768));
  table.optional("ports_per_source_max", into.ports_per_source_max, integer<std::uint32_t>(1, 1U << 24U));
  check_blocks(item, into, diagnostics);
}

}  // namespace sallyport::config
