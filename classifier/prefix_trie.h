// Address -> number, by longest prefix. Both families in one immutable value, made once, read by any number of threads.
//
// Theory of operation. A compressed multibit trie in the line of poptrie (Asai & Ohara, SIGCOMM 2015), with one array
// of 32-bit words for everything. Prefixes are first swept into disjoint runs (first address -> value), so excepts,
// nested and repeated prefixes are gone before the trie is built, and a change of value is all that costs memory.
//
// An entry is one word: three bits say what it is, 29 bits hold a value or the place of a node. The root is a table of
// 2^16 entries for the first 16 bits (one single entry for a trie of few runs). A node is one of
//
//   sparse  16, 32 or 64 bytes: at most 3, 5 or 9 runs over the next 16 bits. Their starts, 16 bits each, then their
//           entries. All in one cache line: read, compare with the key (one vector comparison), take the entry.
//   dense   256 slots over the next 8 bits, in four quarters of a cache line or less: a bitmap of the slots where a
//           run starts and a code of one byte for each run, a slot's being number popcount(bits up to the slot); or,
//           where runs are many, a code for each slot. A code is a value of the trie's dictionary, or an entry of the
//           node's own (prefix_trie_nodes.h).
//
// Example: 10.0.0.0/8 -> A with 10.1.2.0/24 -> B has at root slot 10.1 (0x0a01) a sparse node of 16 bytes with the
// starts 0x0200 and 0x0300 and the entries A, B, A; every other slot 10.x holds A itself. Under IPv4 a key meets the
// root and at most two nodes.
//
// A batch goes through the trie level by level: keys still under way are kept in two lists without a branch, one a kind
// of node, and each list is prefetched before it is read; so cache misses overlap and no branch depends on the key. Its
// first 24 bits are read in vectors where the processor has them wide enough (prefix_front.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "config/address.h"

namespace sallyport::classifier {

class PrefixTrie {
 public:
  // What lookup() says where nothing matches. Values are below it.
  static constexpr std::uint32_t none = (1U << 29U) - 1U;
  using V6Bytes = std::array<std::uint8_t, 16>;  // network byte order

  struct Entry {
    Prefix prefix;
    std::uint32_t value = none;  // `none` makes a hole
  };
  // Both ends included, one family.
  struct Interval {
    IpAddress first;
    IpAddress last;
    std::uint32_t value = none;
  };

  // Nothing matches.
  PrefixTrie();
  // The longest prefix wins; of the same prefix twice, the later one in the vector. Any order; sorted input (by
  // address, shorter first, IPv4 before IPv6) is built faster.
  [[nodiscard]] static PrefixTrie from_prefixes(const std::vector<Entry>& entries);
  // Disjoint and rising, IPv4 before IPv6; anything else is the caller's bug and ends the program.
  [[nodiscard]] static PrefixTrie from_intervals(std::span<const Interval> intervals);

  ~PrefixTrie();
  PrefixTrie(PrefixTrie&&) noexcept;
  PrefixTrie& operator=(PrefixTrie&&) noexcept;

  [[nodiscard]] std::uint32_t lookup(const IpAddress& address) const noexcept;
  // values[i] is the value of addresses[i]; both spans have one length. IPv4 addresses in host byte order.
  void lookup(std::span<const std::uint32_t> addresses, std::span<std::uint32_t> values) const noexcept;
  void lookup(std::span<const V6Bytes> addresses, std::span<std::uint32_t> values) const noexcept;

  // How this processor reads the front of batches: "AVX-512" or "portable".
  [[nodiscard]] static std::string_view batch_way() noexcept;
  // Memory that lookups touch, in bytes.
  [[nodiscard]] std::size_t memory_bytes() const noexcept;

 private:
  struct Tables;
  explicit PrefixTrie(std::unique_ptr<const Tables> tables) noexcept;
  std::unique_ptr<const Tables> tables_;
};

}  // namespace sallyport::classifier
