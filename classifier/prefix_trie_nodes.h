// The words of a PrefixTrie and how a node is read. Shared by its builder and its lookups; the theory stands in
// prefix_trie.h.
//
//   value    below 2^29
//   sparse   a number from 1 to 3, then 29 bits: the node's place in units of 16 bytes. The node has 1, 2 or 4 words of
//            starts (two of 16 bits in a word, the rest 0xffff), then words, one a run; what is left over repeats the
//            last. 16, 32 or 64 bytes, in one cache line.
//   dense    a one, then 27 bits: the node's place in units of 16 bytes, then 4 bits of form. It has four quarters
//            of 64 slots: 64 bits for the slots where a run starts, then one-byte codes, one a run; or 64 codes, one
//            a slot.
//              form 0   a quarter is 64 bytes, one code a slot
//              form 1   a quarter is 32 bytes, up to 24 runs
//              form 2   a quarter is 16 bytes, up to 8 runs
//              form 8   all quarters are the same 16 bytes: one run in all
//            So where a slot's quarter begins is a shift by the form. A quarter lies in one cache line.
//            A code from 0 up is the number of a value in the dictionary of the trie; one below 0 is a word of the
//            node's own. These stand before the node: -1 is the last of them. With form 0 a word that counts the own
//            words of the lower half stands between; the upper half numbers its own from -1 again, before those.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE4_1__)
#include <immintrin.h>
#endif

namespace sallyport::classifier::trie {

using Word = std::uint32_t;

inline constexpr unsigned value_bits = 29;
inline constexpr Word values_end = Word{1} << value_bits;
inline constexpr Word first_dense = Word{1} << 31U;
inline constexpr std::size_t node_bytes_max = std::size_t{1} << 31U;
inline constexpr std::size_t unit_bytes = 16;
inline constexpr std::size_t unit_words = unit_bytes / sizeof(Word);
inline constexpr std::size_t line_units = 4;  // of a cache line

inline constexpr unsigned sparse_sizes = 3;
inline constexpr unsigned sparse_stride = 16;  // bits of the key
inline constexpr unsigned dense_stride = 8;

enum class Form : Word { direct = 0, quarters_32 = 1, quarters_16 = 2, uniform = 8 };
inline constexpr Word form_mask = 15;
inline constexpr std::size_t quarter_slots = 64;
inline constexpr std::size_t quarter_header_bytes = 8;

inline constexpr std::size_t dictionary_values = 128;
inline constexpr std::size_t dictionary_words = 256;  // the upper half says own_word
inline constexpr Word own_word = ~Word{0};            // of the dictionary only: the code is a word of the node's own

[[nodiscard]] constexpr bool is_value(Word word) noexcept { return word < values_end; }
[[nodiscard]] constexpr bool is_dense(Word word) noexcept { return word >= first_dense; }
[[nodiscard]] constexpr bool is_sparse(Word word) noexcept { return word - values_end < first_dense - values_end; }
[[nodiscard]] constexpr bool is_direct(Word dense) noexcept { return (dense & form_mask) == 0; }

[[nodiscard]] constexpr Word sparse_word(unsigned size, std::size_t unit) noexcept {
  return static_cast<Word>(size + 1) << value_bits | static_cast<Word>(unit);
}
[[nodiscard]] constexpr Word dense_word(Form form, std::size_t unit) noexcept {
  return first_dense | static_cast<Word>(unit * unit_bytes) | static_cast<Word>(form);
}

[[nodiscard]] inline const Word* sparse_node(const Word* nodes, Word word) noexcept {
  return nodes + std::size_t{word & (values_end - 1)} * unit_words;
}
[[nodiscard]] inline const char* dense_node(const Word* nodes, Word word) noexcept {
  return reinterpret_cast<const char*>(nodes) + (word & (first_dense - 1) & ~form_mask);
}

// How many of the first `starts` 16-bit numbers of a sparse node are at or below the key.
[[nodiscard]] inline unsigned starts_until(const Word* node, unsigned starts, std::uint16_t key) noexcept {
#if defined(__SSE4_1__)
  // Reads 16 bytes whatever the size: the smallest node has them.
  const __m128i all = _mm_load_si128(reinterpret_cast<const __m128i*>(node));
  const __m128i keys = _mm_set1_epi16(static_cast<short>(key));
  const auto bytes = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi16(_mm_max_epu16(keys, all), keys)));
  return static_cast<unsigned>(std::popcount(bytes & ((1U << (2U * starts)) - 1U))) / 2U;
#else
  std::array<std::uint16_t, 8> all;
  std::memcpy(all.data(), node, sizeof all);
  unsigned below = 0;
  for (unsigned i = 0; i < all.size(); ++i) {
    below += static_cast<unsigned>(i < starts) & static_cast<unsigned>(all[i] <= key);
  }
  return below;
#endif
}

[[nodiscard]] inline Word read_sparse(const Word* nodes, Word word, std::uint16_t key) noexcept {
  const Word* node = sparse_node(nodes, word);
  const unsigned words_of_starts = 1U << ((word >> value_bits) - 1U);
  return node[words_of_starts + starts_until(node, 2 * words_of_starts, key)];
}

// Where the quarter of a slot begins. `slot` may have other bits above its eight.
[[nodiscard]] inline const char* find_quarter(const Word* nodes, Word word, std::uint32_t slot) noexcept {
  return dense_node(nodes, word) + ((slot & 0xc0U) >> (word & form_mask));
}

[[nodiscard]] inline std::uint8_t read_code(Word word, const char* quarter, std::uint32_t slot) noexcept {
  std::uint64_t starts = 0;
  std::memcpy(&starts, quarter, sizeof starts);
  const std::uint32_t by_run =
      static_cast<std::uint32_t>(std::popcount(starts << (~slot & 63U))) + (quarter_header_bytes - 1);
  const std::uint32_t by_slot = slot & 63U;
  return static_cast<std::uint8_t>(quarter[is_direct(word) ? by_slot : by_run]);
}

// The node's own word for a code of 128 and more.
[[nodiscard]] inline const Word* find_own(const Word* nodes, Word word, std::uint8_t code,
                                          std::uint32_t slot) noexcept {
  const auto* end = reinterpret_cast<const Word*>(dense_node(nodes, word));
  if (is_direct(word)) end -= 1U + ((slot & 0x80U) != 0 ? end[-1] : 0U);
  return end + static_cast<std::int8_t>(code);
}

[[nodiscard]] inline Word read_dense(const Word* nodes, const Word* dictionary, Word word,
                                     std::uint32_t slot) noexcept {
  const std::uint8_t code = read_code(word, find_quarter(nodes, word, slot), slot);
  return code < dictionary_values ? dictionary[code] : *find_own(nodes, word, code, slot);
}

}  // namespace sallyport::classifier::trie
