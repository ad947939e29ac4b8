// Prefixes nest or are disjoint, so a list of them sorted by (first address, length) is a forest in preorder. This
// walks it: every prefix is entered and left once, and in between each different one is visited after all that equal it
// were entered. What is open at a visit is exactly what contains those addresses of the prefix that no longer prefix
// holds.
//
// A prefix carries a tag of 32 bits, which is all that enter and leave are told: what is walked stays in order in
// memory, and a million prefixes take as long as sorting them. A visitor with memory for every tag may have an
// expect(tag), which is told of it some prefixes ahead.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "classifier/address_number.h"
#include "classifier/radix_sort.h"
#include "config/address.h"

namespace sallyport::classifier {

template <typename Visitor>
concept PrefixVisitor = requires(Visitor visitor, std::uint32_t tag, const Prefix& prefix) {
  visitor.enter(tag);
  visitor.leave(tag);
  visitor.visit(prefix);
};

class PrefixWalk {
 public:
  void reserve_v4(std::size_t count) { v4_.reserve(count); }

  void add(const Prefix& prefix, std::uint32_t tag) {
    if (prefix.address.family == Family::v4)
      v4_.push_back({v4_number(prefix.address), prefix.length, tag});
    else
      v6_.push_back({v6_number(prefix.address), prefix.length, tag});
  }

  // IPv4 first, each family in preorder. Equal prefixes are entered in the order in which they were added.
  template <PrefixVisitor Visitor>
  void walk(Visitor& visitor) && {
    radix_sort(v4_, [](const Item<std::uint32_t>& item) { return std::uint64_t{item.first} << 8U | item.length; });
    walk_family(v4_, Family::v4, visitor);
    radix_sort(v6_, [](const Item<Uint128>& item) { return item.length; });
    radix_sort(v6_, [](const Item<Uint128>& item) { return item.first; });
    walk_family(v6_, Family::v6, visitor);
  }

 private:
  static constexpr std::size_t ahead = 16;

  template <typename Number>
  struct Item {
    Number first = 0;
    std::uint8_t length = 0;
    std::uint32_t tag = 0;
  };
  template <typename Number>
  struct Open {
    Number last = 0;
    std::uint32_t tag = 0;
  };

  template <typename Number, typename Visitor>
  static void walk_family(const std::vector<Item<Number>>& items, Family family, Visitor& visitor) {
    std::vector<Open<Number>> open;
    for (std::size_t i = 0; i < items.size();) {
      const Item<Number> next = items[i];
      for (; !open.empty() && open.back().last < next.first; open.pop_back()) visitor.leave(open.back().tag);
      const Prefix prefix{to_address(family, next.first), next.length};
      const auto last = static_cast<Number>(next.first + static_cast<Number>(span_of(prefix)));
      for (; i < items.size() && items[i].first == next.first && items[i].length == next.length; ++i) {
        if constexpr (requires { visitor.expect(std::uint32_t{}); })
          if (i + ahead < items.size()) visitor.expect(items[i + ahead].tag);
        visitor.enter(items[i].tag);
        open.push_back({last, items[i].tag});
      }
      visitor.visit(prefix);
    }
    for (; !open.empty(); open.pop_back()) visitor.leave(open.back().tag);
  }

  std::vector<Item<std::uint32_t>> v4_;
  std::vector<Item<Uint128>> v6_;
};

}  // namespace sallyport::classifier
