// A set of egress addresses of one family, and which of them a source gets.
//
// Theory of operation. Highest random weight (Thaler & Ravishankar 1998): source and address together give each address
// a weight, and the source takes the best one of its pool, so a change of the pool concerns nobody but the sources of
// what came or went. Large pools are not weighed address by address, their weights are drawn from the top down. They
// are arrival times then, exponential, and the soonest wins: of a block of 2^k addresses the soonest is in either half
// by a fair draw, and the soonest of the other half is later by an exponential of 2^(k-1) times the rate. Each draw is
// a hash of source and block. A block wholly in the pool is followed down to one address, a block without any of it is
// left out, and others are searched, the sooner half first.
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
  // RFC 4787 REQ-2, "paired": the same source and key give the same address while it stays in the pool. A pool that
  // grows or shrinks moves only the sources of what is new or lost, unless it comes to hold more than 1,024 addresses,
  // or holds more than that in more than 64 pieces. The pool is not empty.
  [[nodiscard]] IpAddress pick(const IpAddress& source, const PoolKey& key) const noexcept;
  [[nodiscard]] const std::vector<AddressRange>& ranges() const noexcept { return ranges_; }

 private:
  [[nodiscard]] IpAddress heaviest(std::uint64_t hashed_source) const noexcept;
  [[nodiscard]] IpAddress soonest(std::uint64_t hashed_source) const noexcept;
  enum class Share : std::uint8_t { none, some, all };
  // How much of first..last the pool holds.
  [[nodiscard]] Share share_of(const IpAddress& first, const IpAddress& last) const noexcept;

  std::vector<AddressRange> ranges_;  // disjoint, rising
  std::uint64_t size_ = 0;
};

}  // namespace sallyport::classifier
