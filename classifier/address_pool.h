// A set of egress addresses of one family, and which of them a source gets.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "config/address.h"

namespace sallyport::classifier {

using PoolKey = std::array<std::uint8_t, 16>;

class AddressPool {
 public:
  // Ranges may touch or overlap; they are sorted and joined. Excluded ranges are taken out.
  AddressPool(const std::vector<AddressRange>& ranges, const std::vector<AddressRange>& exclude);

  [[nodiscard]] bool empty() const noexcept { return ranges_.empty(); }
  // Number of addresses, at most 2^64 - 1.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] bool contains(const IpAddress& address) const noexcept;
  // The address number `index` in rising order, index < size().
  [[nodiscard]] IpAddress at(std::uint64_t index) const noexcept;
  // RFC 4787 REQ-2, "paired": the same source and key give the same address while it stays in the pool. Highest random
  // weight (Thaler & Ravishankar 1998) up to 256 addresses, so a pool that shrinks moves only the sources of what it
  // lost; above that a plain keyed hash. The pool is not empty.
  [[nodiscard]] IpAddress pick(const IpAddress& source, const PoolKey& key) const noexcept;
  [[nodiscard]] const std::vector<AddressRange>& ranges() const noexcept { return ranges_; }

 private:
  std::vector<AddressRange> ranges_;  // disjoint, rising
  std::uint64_t size_ = 0;
};

}  // namespace sallyport::classifier
