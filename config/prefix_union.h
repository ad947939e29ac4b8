// The addresses that any of several prefixes holds, as disjoint ranges.
#pragma once

#include <vector>

#include "config/address.h"

namespace sallyport::config {

class PrefixUnion {
 public:
  explicit PrefixUnion(const std::vector<Prefix>& prefixes);

  // Every address of `prefix` is in the union. Logarithmic.
  [[nodiscard]] bool covers(const Prefix& prefix) const noexcept;
  [[nodiscard]] const std::vector<AddressRange>& ranges() const noexcept { return ranges_; }

 private:
  std::vector<AddressRange> ranges_;  // rising, never touching
};

}  // namespace sallyport::config
