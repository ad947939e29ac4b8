// Who wins an address that several claim: the lowest rank whose prefix holds it and none of whose holes does.
//
// Egress networks rank their entries by effective size, egresses by priority and length of the destination, address
// lists rank nothing. A hole takes only the claims of its own rank away; another rank may still win there.
//
// Example: rank 0 claims 10.0.0.0/8 with the hole 10.1.0.0/16, rank 1 claims 0.0.0.0/0. The answer, in which the
// longest prefix decides: 0.0.0.0/0 -> 1, 10.0.0.0/8 -> 0, 10.1.0.0/16 -> 1. One walk over the sorted prefixes, O(n log
// n).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "classifier/prefix_trie.h"
#include "classifier/prefix_walk.h"
#include "config/address.h"

namespace sallyport::classifier {

struct Claim {
  Prefix prefix;
  std::uint32_t rank = 0;  // below PrefixTrie::none; lower wins
  bool hole = false;       // takes the claims of this rank away inside
};

// Claims as they come up, in any order.
class Claims {
 public:
  void reserve(std::size_t count) { walk_.reserve_v4(count); }
  void add(const Claim& claim) {
    ranks_ = std::max(ranks_, claim.rank + 1);
    walk_.add(claim.prefix, claim.rank << 1U | (claim.hole ? 1U : 0U));
  }

  // The winners as nested prefixes in preorder, IPv4 first; the longest prefix that holds an address decides. A prefix
  // that would say what the one around it says is left out.
  [[nodiscard]] std::vector<PrefixTrie::Entry> resolve() &&;

 private:
  PrefixWalk walk_;
  std::uint32_t ranks_ = 0;
};
[[nodiscard]] std::vector<PrefixTrie::Entry> resolve_claims(const std::vector<Claim>& claims);

// A trie that knows the addresses of the prefixes, and says 0 for them.
[[nodiscard]] PrefixTrie make_address_set(const std::vector<Prefix>& prefixes);

}  // namespace sallyport::classifier
