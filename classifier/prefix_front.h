// The front of a PrefixTrie: the first 24 bits of a batch of keys, by the root table, a quarter of a dense node and the
// dictionary, all without a branch. Two ways to the same words, the widest that the processor has is chosen when the
// program starts:
//
//   portable  a key at a time
//   AVX-512   16 keys at a time: the three reads are gathers, the count of runs is VPOPCNTDQ
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "classifier/prefix_trie_nodes.h"

namespace sallyport::classifier::trie {

inline constexpr std::size_t batch_max = 64;

// The words of a trie whose root has 2^16 of them. A gather reads words at places of bytes: three bytes behind the end
// of `nodes` may be read.
struct Front {
  const Word* root = nullptr;
  const Word* nodes = nullptr;
  const Word* dictionary = nullptr;
};

// values[i] becomes the value that the key with the first 32 bits tops[i] finds, for count <= batch_max keys. Gives a
// bit for each key that finds a word of its node's own instead, which may be another node.
using Lanes = std::uint64_t;
using ReadFront = Lanes (*)(const Front& front, const std::uint32_t* tops, Word* values, std::size_t count) noexcept;
// The first 32 bits of `count` IPv6 addresses that lie one behind the other, 16 bytes each in network byte order.
using ReadTops = void (*)(const std::uint8_t* addresses, std::uint32_t* tops, std::size_t count) noexcept;
struct FrontWay {
  std::string_view name;
  ReadFront read = nullptr;
  ReadTops tops_of_v6 = nullptr;
};

[[nodiscard]] FrontWay portable_front() noexcept;
// The widest that this processor has.
[[nodiscard]] FrontWay best_front() noexcept;

}  // namespace sallyport::classifier::trie
