// Prefixes nest or are disjoint, so a list of them sorted by (first address, length) is a forest in preorder. This
// walks it: every prefix is entered and left once, and in between each different one is visited after all that equal it
// were entered. What is open at a visit is exactly what contains those addresses of the prefix that no longer prefix
// holds.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "classifier/address_number.h"
#include "config/address.h"

namespace sallyport::classifier {

// Places of the prefixes in (family, first address, length) order, IPv4 first; equal ones keep their order.
template <typename Item>
[[nodiscard]] std::vector<std::uint32_t> nesting_order(const std::vector<Item>& items) {
  struct V4 {
    std::uint64_t key;
    std::uint32_t place;
  };
  struct V6 {
    Uint128 first;
    std::uint32_t place;
    std::uint8_t length;
  };
  std::vector<V4> v4;
  std::vector<V6> v6;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Prefix& prefix = items[i].prefix;
    const auto place = static_cast<std::uint32_t>(i);
    if (prefix.address.family == Family::v4)
      v4.push_back({std::uint64_t{v4_number(prefix.address)} << 8U | prefix.length, place});
    else
      v6.push_back({v6_number(prefix.address), place, prefix.length});
  }
  std::sort(v4.begin(), v4.end(),
            [](const V4& a, const V4& b) { return a.key != b.key ? a.key < b.key : a.place < b.place; });
  std::sort(v6.begin(), v6.end(), [](const V6& a, const V6& b) {
    if (a.first != b.first) return a.first < b.first;
    return a.length != b.length ? a.length < b.length : a.place < b.place;
  });
  std::vector<std::uint32_t> order;
  order.reserve(items.size());
  for (const V4& item : v4) order.push_back(item.place);
  for (const V6& item : v6) order.push_back(item.place);
  return order;
}

template <typename Visitor, typename Item>
concept PrefixVisitor = requires(Visitor visitor, const Item& item, const Prefix& prefix) {
  visitor.enter(item);
  visitor.leave(item);
  visitor.visit(prefix);
};

// Item has a member `prefix`. The visitor's enter(item), leave(item) and visit(prefix) are called in preorder.
template <typename Item, PrefixVisitor<Item> Visitor>
void walk_prefixes(const std::vector<Item>& items, Visitor& visitor) {
  const std::vector<std::uint32_t> order = nesting_order(items);
  std::vector<std::uint32_t> open;
  for (std::size_t i = 0; i < order.size();) {
    const Prefix prefix = items[order[i]].prefix;
    while (!open.empty() && !items[open.back()].prefix.contains(prefix)) {
      visitor.leave(items[open.back()]);
      open.pop_back();
    }
    for (; i < order.size() && items[order[i]].prefix == prefix; ++i) {
      visitor.enter(items[order[i]]);
      open.push_back(order[i]);
    }
    visitor.visit(prefix);
  }
  for (; !open.empty(); open.pop_back()) visitor.leave(items[open.back()]);
}

}  // namespace sallyport::classifier
