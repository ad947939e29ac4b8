// What differs between the QUIC versions whose Initial packets can be read: version 1 (RFC 9001 section 5.2), version 2
// (RFC 9369 section 3), drafts 29 to 34, and two versions of large services from the time of the drafts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport::classifier::names {

enum class QuicPacketType : std::uint8_t { initial, zero_rtt, handshake, retry };

struct QuicSecrets {
  std::array<std::uint8_t, 20> salt;
  std::string_view label_prefix;  // of " key", " iv" and " hp"
};

struct QuicVersion {
  std::uint32_t first;
  std::uint32_t last;
  std::uint8_t secrets;                        // in quic_secrets
  std::array<QuicPacketType, 4> packet_types;  // by bits 4 and 5 of the first byte
  std::uint8_t crypto_frame = 0x06;            // the type of CRYPTO frames
};

inline constexpr std::array<QuicSecrets, 5> quic_secrets{{
    {{0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
      0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
     "quic"},
    {{0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
      0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
     "quicv2"},
    {{0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
      0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99},
     "quic"},
    {{0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7,
      0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02},
     "quic"},
    {{0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50,
      0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc, 0xda, 0x6e, 0x03, 0x3d},
     "quic"},
}};

inline constexpr std::array packet_types_v1{QuicPacketType::initial, QuicPacketType::zero_rtt,
                                            QuicPacketType::handshake, QuicPacketType::retry};
inline constexpr std::array packet_types_v2{QuicPacketType::retry, QuicPacketType::initial, QuicPacketType::zero_rtt,
                                            QuicPacketType::handshake};

inline constexpr std::array<QuicVersion, 6> quic_versions{{
    {0x00000001, 0x00000001, 0, packet_types_v1},
    {0x6b3343cf, 0x6b3343cf, 1, packet_types_v2},
    {0xff00001d, 0xff000020, 2, packet_types_v1},        // drafts 29 to 32
    {0xff000021, 0xff000022, 0, packet_types_v1},        // drafts 33 and 34
    {0xfaceb002, 0xfaceb002, 3, packet_types_v1},        // mvfst, as draft 27
    {0x54303531, 0x54303531, 4, packet_types_v1, 0x08},  // "T051"
}};

// Null where Initial packets of that version cannot be read.
[[nodiscard]] constexpr const QuicVersion* find_quic_version(std::uint32_t number) noexcept {
  for (const QuicVersion& version : quic_versions) {
    if (number >= version.first && number <= version.last) return &version;
  }
  return nullptr;
}

}  // namespace sallyport::classifier::names
