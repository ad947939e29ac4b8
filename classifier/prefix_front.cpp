#include "classifier/prefix_front.h"

#include <array>
#include <cstring>

#include <immintrin.h>

// GCC 12 takes its own headers' undefined registers for mistakes (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

namespace sallyport::classifier::trie {
namespace {

constexpr std::size_t v6_bytes = 16;

Lanes read_portable(const Front& front, const std::uint32_t* tops, Word* values, std::size_t count) noexcept {
  std::array<const char*, batch_max> quarters;
  for (std::size_t lane = 0; lane < count; ++lane) {
    values[lane] = front.root[tops[lane] >> 16U];
    quarters[lane] = find_quarter(front.nodes, values[lane], tops[lane] >> 8U);
    __builtin_prefetch(quarters[lane]);
  }
  Lanes own = 0;
  for (std::size_t lane = 0; lane < count; ++lane) {
    values[lane] = front.dictionary[read_code(values[lane], quarters[lane], tops[lane] >> 8U)];
    own |= Lanes{values[lane] == own_word} << lane;
  }
  return own;
}

void tops_portable(const std::uint8_t* addresses, std::uint32_t* tops, std::size_t count) noexcept {
  for (std::size_t lane = 0; lane < count; ++lane) {
    std::memcpy(&tops[lane], addresses + lane * v6_bytes, sizeof tops[lane]);
    tops[lane] = __builtin_bswap32(tops[lane]);
  }
}

#define SALLYPORT_AVX512 [[gnu::target("avx512f,avx512vpopcntdq")]]

constexpr std::size_t width = 16;  // keys in a vector

SALLYPORT_AVX512 __mmask16 lanes_of(std::size_t left) noexcept {
  return static_cast<__mmask16>(left >= width ? 0xffffU : (1U << left) - 1U);
}

// Eight quarters' bitmaps of run starts -> how many runs start up to the slot: read_code().
SALLYPORT_AVX512 __m256i runs_until(const Word* nodes, __m256i quarters, __m256i slots) noexcept {
  const __m512i starts = _mm512_i32gather_epi64(quarters, nodes, 1);
  const __m512i behind = _mm512_sub_epi64(_mm512_set1_epi64(63), _mm512_cvtepu32_epi64(slots));
  return _mm512_cvtepi64_epi32(_mm512_popcnt_epi64(_mm512_sllv_epi64(starts, behind)));
}

SALLYPORT_AVX512 Lanes read_avx512(const Front& front, const std::uint32_t* tops, Word* values,
                                   std::size_t count) noexcept {
  alignas(64) std::array<Word, batch_max> words;
  alignas(64) std::array<std::uint32_t, batch_max> quarters;  // bytes from `nodes`
  const auto form = _mm512_set1_epi32(form_mask);
  for (std::size_t at = 0; at < count; at += width) {
    const __mmask16 lanes = lanes_of(count - at);
    const __m512i top = _mm512_maskz_loadu_epi32(lanes, tops + at);
    const __m512i word =
        _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), lanes, _mm512_srli_epi32(top, 16), front.root, 4);
    const __m512i node = _mm512_and_si512(word, _mm512_set1_epi32(static_cast<int>((first_dense - 1) & ~form_mask)));
    const __m512i slot = _mm512_and_si512(_mm512_srli_epi32(top, 8), _mm512_set1_epi32(0xc0));
    _mm512_store_si512(&words[at], word);
    _mm512_store_si512(&quarters[at], _mm512_add_epi32(node, _mm512_srlv_epi32(slot, _mm512_and_si512(word, form))));
  }
  for (std::size_t lane = 0; lane < count; ++lane)
    __builtin_prefetch(reinterpret_cast<const char*>(front.nodes) + quarters[lane]);

  Lanes own = 0;
  for (std::size_t at = 0; at < count; at += width) {
    const __mmask16 lanes = lanes_of(count - at);
    const __m512i quarter = _mm512_load_si512(&quarters[at]);
    const __m512i top = _mm512_maskz_loadu_epi32(lanes, tops + at);
    const __m512i slot = _mm512_and_si512(_mm512_srli_epi32(top, 8), _mm512_set1_epi32(quarter_slots - 1));
    const __m256i low = runs_until(front.nodes, _mm512_castsi512_si256(quarter), _mm512_castsi512_si256(slot));
    const __m256i high =
        runs_until(front.nodes, _mm512_extracti64x4_epi64(quarter, 1), _mm512_extracti64x4_epi64(slot, 1));
    const __m512i runs = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
    const __m512i by_run = _mm512_add_epi32(runs, _mm512_set1_epi32(quarter_header_bytes - 1));
    const __mmask16 direct = _mm512_testn_epi32_mask(_mm512_load_si512(&words[at]), form);
    const __m512i place = _mm512_add_epi32(quarter, _mm512_mask_blend_epi32(direct, by_run, slot));
    const __m512i code =
        _mm512_and_si512(_mm512_i32gather_epi32(place, front.nodes, 1), _mm512_set1_epi32(dictionary_words - 1));
    const __m512i value = _mm512_i32gather_epi32(code, front.dictionary, 4);
    _mm512_mask_storeu_epi32(values + at, lanes, value);
    own |= Lanes{_mm512_mask_cmpeq_epi32_mask(lanes, value, _mm512_set1_epi32(static_cast<int>(own_word)))} << at;
  }
  return own;
}

// Four addresses of a cache line; none of those behind the end.
SALLYPORT_AVX512 __m512i load_addresses(const std::uint8_t* addresses, std::size_t at, std::size_t count) noexcept {
  constexpr std::size_t of_a_line = 4;
  const std::size_t left = at < count ? count - at : 0;
  const __mmask16 words = left >= of_a_line ? lanes_of(width) : lanes_of(left * of_a_line);
  return _mm512_maskz_loadu_epi32(words, addresses + at * v6_bytes);
}

// The first words of eight addresses.
SALLYPORT_AVX512 __m256i first_words(__m512i four, __m512i four_more) noexcept {
  const __m512i places = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 0, 0, 0, 0, 0, 0, 0, 0);
  return _mm512_castsi512_si256(_mm512_permutex2var_epi32(four, places, four_more));
}

SALLYPORT_AVX512 void tops_avx512(const std::uint8_t* addresses, std::uint32_t* tops, std::size_t count) noexcept {
  for (std::size_t at = 0; at < count; at += width) {
    const __m256i low = first_words(load_addresses(addresses, at, count), load_addresses(addresses, at + 4, count));
    const __m256i high =
        first_words(load_addresses(addresses, at + 8, count), load_addresses(addresses, at + 12, count));
    const __m512i words = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
    // Of the four bytes the outer two change places and the inner two.
    const __m512i odd = _mm512_and_si512(_mm512_rol_epi32(words, 8), _mm512_set1_epi32(0x00ff00ff));
    const __m512i even = _mm512_andnot_si512(_mm512_set1_epi32(0x00ff00ff), _mm512_ror_epi32(words, 8));
    _mm512_mask_storeu_epi32(tops + at, lanes_of(count - at), _mm512_or_si512(odd, even));
  }
}

#undef SALLYPORT_AVX512

}  // namespace

FrontWay portable_front() noexcept { return {"portable", read_portable, tops_portable}; }

FrontWay best_front() noexcept {
  __builtin_cpu_init();
  const bool avx512 = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vpopcntdq") != 0;
  return avx512 ? FrontWay{"AVX-512", read_avx512, tops_avx512} : portable_front();
}

}  // namespace sallyport::classifier::trie
