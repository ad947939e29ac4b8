// Identify: the numbers by which receivers tell the pieces of one datagram from those of another (RFC 791, RFC 8200
// section 4.5).
//
// Senders that share an egress address know nothing of each other's, so their datagrams leave under the gateway's (RFC
// 6864 section 5.3.1, RFC 7857 section 10). Each worker has its own: those that leave its number over when the number
// of workers divides them.
#pragma once

#include <cstdint>

#include "dataplane/flow/key_hash.h"

namespace sallyport::dataplane {

class Identifications {
 public:
  Identifications(std::uint32_t worker, std::uint32_t workers, Random& random) noexcept
      : worker_(worker), workers_(workers), last4_(worker + workers * random.below(65536U / workers)) {}

  // One after the other: of 16 bits each comes again as late as it can.
  [[nodiscard]] std::uint16_t next4() noexcept {
    last4_ += workers_;
    if (last4_ > UINT16_MAX) last4_ = worker_;
    return static_cast<std::uint16_t>(last4_);
  }
  // Of 32 bits: nobody foresees it (RFC 7739).
  [[nodiscard]] std::uint32_t next6(Random& random) noexcept {
    return worker_ + workers_ * random.below(UINT32_MAX / workers_);
  }

 private:
  std::uint32_t worker_, workers_;
  std::uint32_t last4_;
};

}  // namespace sallyport::dataplane
