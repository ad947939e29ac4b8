#include "dataplane/stages/admit.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace sallyport::dataplane {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

[[nodiscard]] bool martian_v4(const Bytes& a) noexcept {
  return a[0] == 0 || a[0] == 127 || a[0] >= 224 || (a[0] == 169 && a[1] == 254);
}

[[nodiscard]] bool martian_v6(const Bytes& a) noexcept {
  const bool link_local = a[0] == 0xfe && (a[1] & 0xc0U) == 0x80;
  if (a[0] == 0xff || link_local) return true;
  const auto zero = [](std::uint8_t byte) { return byte == 0; };
  if (!std::all_of(a.begin(), a.begin() + 10, zero)) return false;
  const bool v4_mapped = a[10] == 0xff && a[11] == 0xff;
  const bool unspecified_or_loopback = std::all_of(a.begin() + 10, a.begin() + 15, zero) && a[15] <= 1;
  return v4_mapped || unspecified_or_loopback;
}

[[nodiscard]] bool martian(Family family, const Bytes& address) noexcept {
  return family == Family::v4 ? martian_v4(address) : martian_v6(address);
}

}  // namespace

bool martian_addresses(const FlowKey& key, Drop& why) noexcept {
  if (martian(key.family, key.source)) {
    why = Drop::martian_source;
  } else if (martian(key.family, key.destination)) {
    why = Drop::martian_destination;
  } else if (key.source_address() == key.destination_address()) {
    why = Drop::martian_land;
  } else {
    return false;
  }
  return true;
}

bool passes_source_check(const classifier::Source& source, const IpAddress& address,
                         std::span<const Prefix> inside_networks) noexcept {
  if (source.namespace_name != 0 || source.workload != 0) return true;
  return std::any_of(inside_networks.begin(), inside_networks.end(),
                     [&](const Prefix& network) { return network.contains(address); });
}

}  // namespace sallyport::dataplane
