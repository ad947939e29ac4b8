// Keyed hashing for the tables.
//
// Sums of 64x64->128 bit products of the key's words, each masked by secret words drawn at start (the multilinear
// family of Wegman & Carter 1981 with a folding multiply): without the secret nobody can find keys that collide on
// purpose, which CRC32c, being linear, would allow. A few nanoseconds for a 5-tuple.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "config/address.h"
#include "dataplane/flow/flow_key.h"

namespace sallyport::dataplane {

// A small generator for everything that may be drawn from the seed (SplitMix64, Steele et al. 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}
  std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  // Uniform in [0, bound), bound > 0 (Lemire 2019, without the rejection step: the bias is below 2^-32).
  std::uint32_t below(std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>(((next() >> 32U) * bound) >> 32U);
  }

 private:
  std::uint64_t state_;
};

class KeyHash {
 public:
  explicit KeyHash(Random& random) noexcept {
    for (auto& word : secret_) word = random.next();
  }

  [[nodiscard]] std::uint64_t operator()(const FlowKey& key, std::uint64_t domain) const noexcept {
    std::uint32_t ports;
    std::memcpy(&ports, &key.source_port, sizeof ports);
    if (key.family == Family::v6) {
      return of_v6(reinterpret_cast<const std::uint8_t*>(&key), ports, key.protocol, domain);
    }
    std::uint32_t source, destination;
    std::memcpy(&source, key.source.data(), sizeof source);
    std::memcpy(&destination, key.destination.data(), sizeof destination);
    return of_v4(std::uint64_t{destination} << 32U | source, ports, key.protocol, domain);
  }
  // The same of a packet's bytes, of which addresses, source in front, and ports make one string.
  [[nodiscard]] std::uint64_t of_v4(std::uint64_t addresses, std::uint32_t ports, IpProtocol protocol,
                                    std::uint64_t domain) const noexcept {
    const std::uint64_t rest = static_cast<std::uint64_t>(protocol) << 32U | ports;
    return mix(fold(addresses ^ secret_[0], rest ^ secret_[1]) ^ domain);
  }
  [[nodiscard]] std::uint64_t of_v6(const std::uint8_t* addresses, std::uint32_t ports, IpProtocol protocol,
                                    std::uint64_t domain) const noexcept {
    std::uint64_t w[4];
    std::memcpy(w, addresses, sizeof w);
    const std::uint64_t family = static_cast<std::uint64_t>(Family::v6);
    const std::uint64_t rest = (family << 8U | static_cast<std::uint64_t>(protocol)) << 32U | ports;
    return mix(fold(w[0] ^ secret_[0], w[1] ^ secret_[1]) ^ fold(w[2] ^ secret_[2], w[3] ^ secret_[3]) ^
               fold(rest ^ secret_[4], domain ^ secret_[5]));
  }
  [[nodiscard]] std::uint64_t operator()(const IpAddress& address, std::uint64_t domain) const noexcept {
    std::uint64_t w[2];
    std::memcpy(w, address.bytes.data(), 16);
    const std::uint64_t family = static_cast<std::uint64_t>(address.family);
    return mix(fold(w[0] ^ secret_[0], w[1] ^ secret_[1]) ^ fold(family ^ secret_[2], domain ^ secret_[3]));
  }
  [[nodiscard]] std::uint64_t operator()(const char* bytes, std::size_t count) const noexcept {
    std::uint64_t state = secret_[6] ^ count;
    for (std::size_t i = 0; i < count; i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + i, count - i < 8 ? count - i : 8);
      state = fold(state ^ secret_[0], word ^ secret_[1]);
    }
    return mix(state);
  }

 private:
  static std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
  }
  [[nodiscard]] std::uint64_t mix(std::uint64_t x) const noexcept { return fold(x ^ secret_[6], secret_[7]); }

  std::array<std::uint64_t, 8> secret_{};
};

}  // namespace sallyport::dataplane
