// Bytes of a stream from its beginning, arriving in any order. What is there already is never replaced.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

namespace sallyport::dataplane {

class ByteStream {
 public:
  // `memory` holds memory_bytes(capacity) bytes and is aligned to 8: the bytes, and behind them one bit for each.
  ByteStream(std::uint8_t* memory, std::uint32_t capacity) noexcept
      : bytes_(memory),
        present_(reinterpret_cast<std::uint64_t*>(memory + in_words(capacity) * sizeof(std::uint64_t))),
        capacity_(capacity) {}
  [[nodiscard]] static std::size_t memory_bytes(std::uint32_t capacity) noexcept {
    return (in_words(capacity) + in_bits(capacity)) * sizeof(std::uint64_t);
  }

  void clear() noexcept { std::memset(present_, 0, in_bits(capacity_) * sizeof(std::uint64_t)); }
  // Are those of these bytes that are there already the same?
  [[nodiscard]] bool agrees(std::uint32_t offset, std::span<const std::uint8_t> bytes) const noexcept {
    bytes = fitting(offset, bytes);
    bool same = true;
    for_each_word(offset, bytes.size(), [&](std::size_t word, std::uint64_t mask) {
      for (std::uint64_t both = present_[word] & mask; both != 0; both &= both - 1) {
        const std::size_t at = word * word_bits + static_cast<std::size_t>(std::countr_zero(both));
        same &= bytes_[at] == bytes[at - offset];
      }
    });
    return same;
  }
  // False: some byte was there with another value; the stream is as it was. Bytes past the capacity are left out.
  [[nodiscard]] bool add(std::uint32_t offset, std::span<const std::uint8_t> bytes) noexcept {
    bytes = fitting(offset, bytes);
    if (bytes.empty()) return true;
    if (!agrees(offset, bytes)) return false;
    std::memcpy(bytes_ + offset, bytes.data(), bytes.size());
    for_each_word(offset, bytes.size(), [&](std::size_t word, std::uint64_t mask) { present_[word] |= mask; });
    return true;
  }
  // Are all these bytes there?
  [[nodiscard]] bool covers(std::uint32_t offset, std::uint32_t count) const noexcept {
    if (offset > capacity_ || count > capacity_ - offset) return false;
    bool all = true;
    for_each_word(offset, count, [&](std::size_t word, std::uint64_t mask) { all &= (present_[word] & mask) == mask; });
    return all;
  }
  // From the beginning without a gap, at least `from` bytes of which are known to be there.
  [[nodiscard]] std::uint32_t contiguous(std::uint32_t from) const noexcept {
    while (from < capacity_) {
      const std::size_t shift = from % word_bits;
      const auto run = static_cast<std::uint32_t>(std::countr_one(present_[from / word_bits] >> shift));
      from += run;
      if (run < word_bits - shift) break;
    }
    return from;
  }
  [[nodiscard]] std::span<const std::uint8_t> first(std::uint32_t count) const noexcept { return {bytes_, count}; }
  // Takes `count` bytes from the front, count <= capacity: the stream begins behind them.
  void drop_front(std::uint32_t count) noexcept {
    std::memmove(bytes_, bytes_ + count, capacity_ - count);
    const std::size_t words = in_bits(capacity_);
    const std::size_t skipped = count / word_bits;
    const std::size_t shift = count % word_bits;
    const auto old = [&](std::size_t word) { return word < words ? present_[word] : 0; };
    for (std::size_t word = 0; word < words; ++word) {
      const std::uint64_t above = shift == 0 ? 0 : old(word + skipped + 1) << (word_bits - shift);
      present_[word] = old(word + skipped) >> shift | above;
    }
  }

 private:
  static constexpr std::size_t word_bits = 64;
  [[nodiscard]] static std::size_t in_words(std::uint32_t capacity) noexcept { return (std::size_t{capacity} + 7) / 8; }
  [[nodiscard]] static std::size_t in_bits(std::uint32_t capacity) noexcept {
    return (std::size_t{capacity} + word_bits - 1) / word_bits;
  }
  [[nodiscard]] std::span<const std::uint8_t> fitting(std::uint32_t offset,
                                                      std::span<const std::uint8_t> bytes) const noexcept {
    return offset >= capacity_ ? bytes.first(0) : bytes.first(std::min<std::size_t>(bytes.size(), capacity_ - offset));
  }
  // Calls visit(word, mask) for each word of the bitmap that `count` bytes from `offset` on touch.
  template <typename Visit>
  static void for_each_word(std::size_t offset, std::size_t count, Visit visit) noexcept {
    for (const std::size_t end = offset + count; offset < end;) {
      const std::size_t shift = offset % word_bits;
      const std::size_t bits = std::min(end - offset, word_bits - shift);
      visit(offset / word_bits, (~std::uint64_t{0} >> (word_bits - bits)) << shift);
      offset += bits;
    }
  }

  std::uint8_t* bytes_;
  std::uint64_t* present_;
  std::uint32_t capacity_;
};

}  // namespace sallyport::dataplane
