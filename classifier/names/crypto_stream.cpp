#include <algorithm>
#include <bit>
#include <cstring>

#include "classifier/names/quic_initial.h"

namespace sallyport::classifier::names {
namespace {

constexpr std::size_t word_bits = 64;

// Calls visit(word, mask) for each word of the bitmap that the bytes from `begin` to `end` touch.
template <typename Visit>
void for_each_word(std::size_t begin, std::size_t end, Visit visit) noexcept {
  while (begin < end) {
    const std::size_t shift = begin % word_bits;
    const std::size_t count = std::min(end - begin, word_bits - shift);
    visit(begin / word_bits, (~std::uint64_t{0} >> (word_bits - count)) << shift);
    begin += count;
  }
}

}  // namespace

bool CryptoStream::agrees(std::size_t offset, std::span<const std::uint8_t> bytes) const noexcept {
  bool same = true;
  for_each_word(offset, offset + bytes.size(), [&](std::size_t word, std::uint64_t mask) {
    std::uint64_t both = present_[word] & mask;
    for (; both != 0; both &= both - 1) {
      const std::size_t at = word * word_bits + static_cast<std::size_t>(std::countr_zero(both));
      same &= bytes_[at] == bytes[at - offset];
    }
  });
  return same;
}

CryptoStream::Add CryptoStream::add(std::uint64_t offset, std::span<const std::uint8_t> bytes) noexcept {
  if (offset > capacity || bytes.size() > capacity - offset) return Add::too_large;
  if (bytes.empty()) return Add::ok;
  if (!agrees(offset, bytes)) return Add::conflict;
  std::memcpy(bytes_.data() + offset, bytes.data(), bytes.size());
  end_ = std::max<std::size_t>(end_, offset + bytes.size());
  for_each_word(offset, offset + bytes.size(), [&](std::size_t word, std::uint64_t mask) { present_[word] |= mask; });
  while (contiguous_ < capacity) {
    const std::size_t shift = contiguous_ % word_bits;
    const auto run = static_cast<std::size_t>(std::countr_one(present_[contiguous_ / word_bits] >> shift));
    contiguous_ += run;
    if (run < word_bits - shift) break;
  }
  return Add::ok;
}

void CryptoStream::clear() noexcept {
  std::fill_n(present_.begin(), (end_ + word_bits - 1) / word_bits, 0);  // behind the end there is nothing
  contiguous_ = end_ = 0;
}

}  // namespace sallyport::classifier::names
