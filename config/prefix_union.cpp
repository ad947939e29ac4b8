#include "config/prefix_union.h"

#include <algorithm>
#include <cstdint>

namespace sallyport::config {
namespace {

// The address behind `address`, which is not the last one of its family.
IpAddress successor(IpAddress address) noexcept {
  for (unsigned i = address_bytes(address.family); i-- > 0;) {
    address.bytes[i] = static_cast<std::uint8_t>(address.bytes[i] + 1U);
    if (address.bytes[i] != 0) break;
  }
  return address;
}

}  // namespace

PrefixUnion::PrefixUnion(const std::vector<Prefix>& prefixes) {
  std::vector<Prefix> sorted = prefixes;
  std::sort(sorted.begin(), sorted.end());
  for (const Prefix& prefix : sorted) {
    if (!ranges_.empty() && ranges_.back().last.family == prefix.address.family) {
      IpAddress& end = ranges_.back().last;
      if (prefix.first() <= end) {
        end = std::max(end, prefix.last());
        continue;
      }
      if (successor(end) == prefix.first()) {
        end = prefix.last();
        continue;
      }
    }
    ranges_.push_back({prefix.first(), prefix.last()});
  }
}

bool PrefixUnion::covers(const Prefix& prefix) const noexcept {
  const IpAddress first = prefix.first();
  const auto behind = std::upper_bound(ranges_.begin(), ranges_.end(), first,
                                       [](const IpAddress& a, const AddressRange& range) { return a < range.first; });
  if (behind == ranges_.begin()) return false;
  const AddressRange& candidate = *(behind - 1);
  return candidate.contains(first) && candidate.contains(prefix.last());
}

}  // namespace sallyport::config
