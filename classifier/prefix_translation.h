// IPv6-to-IPv6 network prefix translation (RFC 6296): one inside prefix to one outside prefix of the same length, each
// address to an address of its own, so that no transport checksum changes.
//
//   fd01:203:405::/48 to 2001:db8:1::/48:  fd01:203:405:1::1234 is 2001:db8:1:d550::1234
//
// What the prefixes' difference makes to a checksum is taken out of one 16-bit word behind them: of the subnet for
// prefixes of up to 48 bits (section 3.4), else the first word of the interface identifier that is not 0xffff (3.5).
#pragma once

#include <optional>

#include "config/address.h"

namespace sallyport::classifier {

class PrefixTranslation {
 public:
  // Both of IPv6 and of one length, at most 64.
  PrefixTranslation(const Prefix& inside, const Prefix& outside) noexcept : inside_(inside), outside_(outside) {}

  [[nodiscard]] const Prefix& inside() const noexcept { return inside_; }
  [[nodiscard]] const Prefix& outside() const noexcept { return outside_; }

  // Nothing for what lies not in the prefix, or has no counterpart: a subnet of 0xffff, an interface identifier of
  // zeros or ones behind a prefix of more than 48 bits.
  [[nodiscard]] std::optional<IpAddress> to_outside(const IpAddress& inside) const noexcept {
    return translate(inside, inside_, outside_);
  }
  [[nodiscard]] std::optional<IpAddress> to_inside(const IpAddress& outside) const noexcept {
    return translate(outside, outside_, inside_);
  }

 private:
  [[nodiscard]] static std::optional<IpAddress> translate(const IpAddress& address, const Prefix& from,
                                                          const Prefix& to) noexcept;

  Prefix inside_, outside_;
};

}  // namespace sallyport::classifier
