// Whose a packet is, as a network device can compute it as well: by the hash and the redirection table of receive side
// scaling (Microsoft's RSS: the Toeplitz hash, whose low bits choose a table's entry, which names a queue).
//
//   sender's address ---------> bucket, 0..127 ---> worker = bucket mod workers         ports inside
//   external port / piece ----> bucket                                                  ports outside
//
// Theory of operation. Bit b of the hash is the parity of those input bits i at which bit i + 31 - b of the key is set,
// so the seven low bits, which a table of 128 entries or more is asked by, are ruled by few bits of the key. Keys can
// be made such that these seven see nothing but what a packet's owner follows from, whatever else a device puts in:
//
//   outside: one bit of the key lets seven bits of the destination port through, in reversed order.
//   inside:  the key is 0 where those seven would see IPv4's receiver and ports; the sender's last seven bits are taken
//            one to one, so that neighbours go to different workers.
//
// Receiver and ports of IPv4 lie where IPv6 has its sender, so one key cannot do it for both families, unless the
// device leaves the other address out itself (RTE_ETH_RSS_L3_SRC_ONLY, RTE_ETH_RSS_L3_DST_ONLY). Where it does not,
// IPv4 is steered and IPv6 changes workers by ring.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

namespace sallyport::dataplane {

inline constexpr std::uint32_t bucket_bits = 7;
inline constexpr std::uint32_t buckets = 1U << bucket_bits;

using HashKey = std::array<std::uint8_t, 40>;

// Where the input of the hash has what it is about (bits): source and destination address, then the two ports.
inline constexpr std::uint32_t port_at_v4 = 80, port_at_v6 = 272;

// Of Microsoft's specification; many devices have it when they start.
inline constexpr HashKey usual_key{0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
                                   0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
                                   0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

[[nodiscard]] constexpr bool key_bit(const HashKey& key, std::uint32_t bit) noexcept {
  return (key[bit / 8] >> (7 - bit % 8) & 1) != 0;
}
constexpr void set_key_bits(HashKey& key, std::uint32_t first, std::uint32_t last, bool value) noexcept {
  for (std::uint32_t bit = first; bit <= last; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> bit % 8);
    key[bit / 8] = static_cast<std::uint8_t>(value ? key[bit / 8] | mask : key[bit / 8] & ~mask);
  }
}

// Of a port inside. `source_only`: the device leaves the receiver's address out of the hash.
[[nodiscard]] constexpr HashKey sender_key(bool source_only) noexcept {
  HashKey key = usual_key;
  set_key_bits(key, 56, 56, true);  // the diagonal: a sender's last bits one to one, of IPv4
  set_key_bits(key, 57, source_only ? 62 : 126, false);
  set_key_bits(key, 152, 152, true);  // of IPv6
  if (!source_only) return key;
  set_key_bits(key, 89, 126, false);  // ports of IPv4: some devices put them in nevertheless
  set_key_bits(key, 153, 319, false);
  return key;
}

// Pieces as port_choice.h cuts them.
[[nodiscard]] constexpr bool can_be_steered(std::uint32_t piece) noexcept {
  return std::has_single_bit(piece) && piece * buckets <= 65536;
}
// Of a port outside. `no_source`: the device leaves the sender's address out of the hash.
[[nodiscard]] constexpr HashKey port_key(bool no_source, std::uint32_t piece) noexcept {
  HashKey key = no_source ? HashKey{} : usual_key;
  if (!no_source) set_key_bits(key, 25, 126, false);
  // Bit 0 of the hash is the topmost of the seven.
  const auto topmost = static_cast<std::uint32_t>(std::countr_zero(piece)) + bucket_bits - 1;
  set_key_bits(key, port_at_v4 + 46 - topmost, port_at_v4 + 46 - topmost, true);
  if (no_source) set_key_bits(key, port_at_v6 + 46 - topmost, port_at_v6 + 46 - topmost, true);
  return key;
}

// Of entry `index` of a redirection table, which the low bits of the hash choose. Tables of more than 128 repeat
// themselves.
[[nodiscard]] constexpr std::uint32_t bucket_of_entry(std::uint32_t index) noexcept {
  std::uint32_t bucket = 0;
  for (std::uint32_t bit = 0; bit < bucket_bits; ++bit) bucket |= (index >> bit & 1) << (bucket_bits - 1 - bit);
  return bucket;
}

[[nodiscard]] constexpr std::uint32_t bucket_owner(std::uint32_t bucket, std::uint32_t workers) noexcept {
  return bucket % workers;
}

[[nodiscard]] constexpr std::uint32_t port_bucket(std::uint16_t port, std::uint32_t piece) noexcept {
  return port / piece % buckets;
}

// By bit of the bucket, of the address's halves: the parity of the address under this mask is that bit.
struct SenderMasks {
  std::array<std::uint64_t, bucket_bits> high{}, low{};
};
inline constexpr SenderMasks sender_masks = [] {
  SenderMasks masks;
  const HashKey key = sender_key(true);
  for (std::uint32_t bit = 0; bit < bucket_bits; ++bit) {
    for (std::uint32_t i = 0; i < 64; ++i) {
      const std::uint32_t at = i + 32 - bucket_bits + bit;
      masks.high[bit] |= std::uint64_t{key_bit(key, at)} << (63 - i);
      masks.low[bit] |= std::uint64_t{key_bit(key, at + 64)} << (63 - i);
    }
  }
  return masks;
}();

// As in IpAddress: IPv4 in the first four bytes, and zeros.
[[nodiscard]] inline std::uint32_t sender_bucket(const std::array<std::uint8_t, 16>& address) noexcept {
  std::uint64_t words[2];
  std::memcpy(words, address.data(), sizeof words);
  const std::uint64_t high = __builtin_bswap64(words[0]), low = __builtin_bswap64(words[1]);
  std::uint32_t bucket = 0;
  for (std::uint32_t bit = 0; bit < bucket_bits; ++bit) {
    const int set = std::popcount((high & sender_masks.high[bit]) ^ (low & sender_masks.low[bit]));
    bucket |= (static_cast<std::uint32_t>(set) & 1U) << bit;
  }
  return bucket;
}

// The hash itself, of an input in network byte order: what a device computes.
[[nodiscard]] constexpr std::uint32_t toeplitz(const HashKey& key, std::span<const std::uint8_t> input) noexcept {
  std::uint32_t hash = 0, window = 0;
  for (std::uint32_t bit = 0; bit < 32; ++bit) window = window << 1U | (key_bit(key, bit) ? 1U : 0U);
  for (std::uint32_t bit = 0; bit < input.size() * 8; ++bit) {
    if ((input[bit / 8] >> (7 - bit % 8) & 1) != 0) hash ^= window;
    const std::uint32_t next = bit + 32;
    window = window << 1U | (next < key.size() * 8 && key_bit(key, next) ? 1U : 0U);
  }
  return hash;
}

}  // namespace sallyport::dataplane
