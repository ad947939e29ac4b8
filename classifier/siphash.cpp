#include "classifier/siphash.h"

#include <bit>
#include <cstddef>
#include <cstring>

namespace sallyport::classifier {

namespace {

struct State {
  std::uint64_t a, b, c, d;

  void round() noexcept {
    a += b;
    b = std::rotl(b, 13) ^ a;
    a = std::rotl(a, 32);
    c += d;
    d = std::rotl(d, 16) ^ c;
    a += d;
    d = std::rotl(d, 21) ^ a;
    c += b;
    b = std::rotl(b, 17) ^ c;
    c = std::rotl(c, 32);
  }

  void absorb(std::uint64_t word) noexcept {
    d ^= word;
    round();
    round();
    a ^= word;
  }
};

std::uint64_t little_endian(const std::uint8_t* bytes, std::size_t length) noexcept {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, length);
  return word;
}

}  // namespace

std::uint64_t siphash(const std::array<std::uint8_t, 16>& key, std::span<const std::uint8_t> message) noexcept {
  const std::uint64_t key_low = little_endian(key.data(), 8);
  const std::uint64_t key_high = little_endian(key.data() + 8, 8);
  State state{key_low ^ 0x736f6d6570736575ULL, key_high ^ 0x646f72616e646f6dULL, key_low ^ 0x6c7967656e657261ULL,
              key_high ^ 0x7465646279746573ULL};
  std::size_t at = 0;
  for (; at + 8 <= message.size(); at += 8) state.absorb(little_endian(message.data() + at, 8));
  const std::uint64_t rest = at < message.size() ? little_endian(message.data() + at, message.size() - at) : 0;
  state.absorb(static_cast<std::uint64_t>(message.size()) << 56U | rest);
  state.c ^= 0xff;
  for (int i = 0; i < 4; ++i) state.round();
  return state.a ^ state.b ^ state.c ^ state.d;
}

}  // namespace sallyport::classifier
