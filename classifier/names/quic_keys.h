// Opens QUIC Initial packets (RFC 9001 sections 5.2 to 5.4): keys from the client's first Destination Connection ID,
// header protection off, AES-128-GCM with the tag verified. One object a thread; what it needs is made once and used
// again.
//
// The keys are nobody's secret, so nothing here is wiped. HMAC is taken apart into the compressions of SHA-256 that it
// is made of: the salts and the labels never change, so the states after the HMAC pads of the salts and the last blocks
// of the labels are kept, and a connection costs 14 compressions, about 0.7 us, in place of 8.5 us through EVP_KDF.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "classifier/names/quic_version.h"
#include "classifier/names/reader.h"

struct evp_cipher_ctx_st;

namespace sallyport::classifier::names {

using Sha256State = std::array<std::uint32_t, 8>;
using Sha256Block = std::array<std::uint8_t, 64>;
using Sha256Digest = std::array<std::uint8_t, 32>;

// An HMAC key as the states after its two pads (RFC 2104 section 4).
struct HmacKey {
  Sha256State inner;
  Sha256State outer;
};

enum class QuicSide : std::uint8_t { client, server };

class QuicKeys {
 public:
  struct Opened {
    std::uint8_t first_byte;  // without header protection
    std::uint64_t number;     // the packet number, whole
    Bytes frames;             // until the next open()
  };

  QuicKeys();  // throws std::bad_alloc

  // `packet` is one Initial of that side, from its first byte to its last; its packet number begins at `number_offset`.
  // The header has the low bytes of that: it is the one nearest to `next_number`, behind the largest that was opened,
  // or what stands there alone, to a receiver that has seen none (RFC 9000 appendix A.3). Nothing where the packet is
  // too short or not protected with these keys under either.
  [[nodiscard]] std::optional<Opened> open(QuicSide side, const QuicVersion& version, Bytes dcid, Bytes packet,
                                           std::size_t number_offset, std::uint64_t next_number) noexcept;

 private:
  struct CipherDeleter {
    void operator()(evp_cipher_ctx_st* cipher) const noexcept;
  };
  using Cipher = std::unique_ptr<evp_cipher_ctx_st, CipherDeleter>;

  static constexpr std::size_t dcid_bytes_max = 20;
  static constexpr std::size_t packet_bytes_max = 65'536;

  // What is the same for all connections.
  struct Prepared {
    HmacKey salt;
    std::array<Sha256Block, 2> side_in;  // by QuicSide: the last blocks of the HKDF-Expand-Label messages
    Sha256Block key, iv, hp;
  };
  struct Selected {
    const QuicVersion* version = nullptr;
    QuicSide side = QuicSide::client;
    std::array<std::uint8_t, dcid_bytes_max> dcid{};
    std::size_t dcid_bytes = 0;
  };

  [[nodiscard]] static Cipher make_cipher(const char* name, bool encrypts);
  [[nodiscard]] bool select(QuicSide side, const QuicVersion& version, Bytes dcid) noexcept;
  // The length of the header; 0 where the cipher fails.
  [[nodiscard]] std::size_t open_header(Bytes packet, std::size_t number_offset) noexcept;
  [[nodiscard]] bool open_payload(Bytes packet, std::size_t header_bytes, std::uint64_t number) noexcept;
  [[nodiscard]] bool selected(QuicSide side, const QuicVersion& version, Bytes dcid) const noexcept;

  std::array<Prepared, quic_secrets.size()> prepared_;
  Selected selected_;  // whose keys the contexts hold: the packets of one hello come together
  std::array<std::uint8_t, 12> iv_{};
  Cipher payload_cipher_;
  Cipher header_cipher_;
  std::array<std::uint8_t, packet_bytes_max> opened_;
};

}  // namespace sallyport::classifier::names
