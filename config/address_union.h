// The addresses that any of several prefixes or ranges holds, as disjoint ranges.
#pragma once

#include <vector>

#include "config/address.h"

namespace sallyport::config {

class AddressUnion {
 public:
  explicit AddressUnion(std::vector<AddressRange> ranges);
  explicit AddressUnion(const std::vector<Prefix>& prefixes);

  // Every address of the range is in the union. Logarithmic.
  [[nodiscard]] bool covers(const AddressRange& range) const noexcept;
  [[nodiscard]] bool covers(const Prefix& prefix) const noexcept { return covers({prefix.first(), prefix.last()}); }
  // At least one address of the range is in it. Logarithmic.
  [[nodiscard]] bool meets(const AddressRange& range) const noexcept;
  [[nodiscard]] bool meets(const Prefix& prefix) const noexcept { return meets({prefix.first(), prefix.last()}); }
  // Rising; they neither overlap nor touch.
  [[nodiscard]] const std::vector<AddressRange>& ranges() const noexcept { return ranges_; }

 private:
  std::vector<AddressRange> ranges_;
};

}  // namespace sallyport::config
