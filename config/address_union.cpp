#include "config/address_union.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace sallyport::config {
namespace {

// The address behind `address`; behind the last one of a family stands its first.
IpAddress successor(IpAddress address) noexcept {
  for (unsigned i = address_bytes(address.family); i-- > 0;) {
    address.bytes[i] = static_cast<std::uint8_t>(address.bytes[i] + 1U);
    if (address.bytes[i] != 0) break;
  }
  return address;
}

std::vector<AddressRange> to_ranges(const std::vector<Prefix>& prefixes) {
  std::vector<AddressRange> ranges;
  ranges.reserve(prefixes.size());
  for (const Prefix& prefix : prefixes) ranges.push_back({prefix.first(), prefix.last()});
  return ranges;
}

bool starts_earlier(const AddressRange& a, const AddressRange& b) noexcept { return a.first < b.first; }

}  // namespace

AddressUnion::AddressUnion(std::vector<AddressRange> ranges) {
  std::sort(ranges.begin(), ranges.end(), starts_earlier);
  for (const AddressRange& range : ranges) {
    if (!ranges_.empty()) {
      IpAddress& end = ranges_.back().last;
      if (end.family == range.first.family && (range.first <= end || range.first == successor(end))) {
        end = std::max(end, range.last);
        continue;
      }
    }
    ranges_.push_back(range);
  }
}

AddressUnion::AddressUnion(const std::vector<Prefix>& prefixes) : AddressUnion(to_ranges(prefixes)) {}

bool AddressUnion::covers(const AddressRange& range) const noexcept {
  const auto behind = std::upper_bound(ranges_.begin(), ranges_.end(), range, starts_earlier);
  if (behind == ranges_.begin()) return false;
  const AddressRange& candidate = *(behind - 1);
  return candidate.contains(range.first) && candidate.contains(range.last);
}

bool AddressUnion::meets(const AddressRange& range) const noexcept {
  const auto ends_earlier = [](const AddressRange& a, const IpAddress& first) { return a.last < first; };
  const auto found = std::lower_bound(ranges_.begin(), ranges_.end(), range.first, ends_earlier);
  return found != ranges_.end() && found->first <= range.last;
}

}  // namespace sallyport::config
