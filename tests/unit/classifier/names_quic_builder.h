// Initial packets for the tests, protected by OpenSSL's own key derivation, which shares nothing with the code
// under test but the table of versions.
#pragma once

#include <cstdint>
#include <span>

#include "tests/unit/classifier/names_hello_builder.h"

namespace sallyport::classifier::names {

inline constexpr std::uint32_t quic_v1 = 1;
inline constexpr std::uint32_t quic_v2 = 0x6b3343cf;

struct Initial {
  std::uint32_t version = quic_v1;
  Buffer dcid = {0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08};
  Buffer key_dcid = {};  // whose keys are used; empty: those of dcid
  bool from_server = false;
  Buffer token = {};
  std::uint32_t number = 0;
  std::size_t number_bytes = 1;
  unsigned reserved_bits = 0;
  std::size_t datagram_bytes = 1200;  // PADDING frames fill it up
  Buffer frames = {};

  [[nodiscard]] Buffer protect() const;
};

// A long header packet of another type, its content a few bytes that nobody can open.
[[nodiscard]] Buffer other_packet(std::uint32_t version, unsigned type_bits, std::span<const std::uint8_t> dcid);

// How a server answers: with its ServerHello, or with a HelloRetryRequest.
enum class Answer : std::uint8_t { server_hello, retry_request };
[[nodiscard]] Buffer server_message(Answer answer);

[[nodiscard]] Buffer varint(std::uint64_t value);
[[nodiscard]] Buffer crypto_frame(std::uint64_t offset, std::span<const std::uint8_t> bytes);
[[nodiscard]] Buffer joined(std::initializer_list<Buffer> parts);

}  // namespace sallyport::classifier::names
