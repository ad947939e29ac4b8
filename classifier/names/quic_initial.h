// The ClientHello inside QUIC Initial packets: version 1 (RFC 9000, 9001), version 2 (RFC 9369) and drafts 29 to 34.
//
// The keys of Initial packets follow from the client's first Destination Connection ID, so anybody on the path can open
// them. Keys and header protection through OpenSSL; the AEAD tag is always verified, so a forged Initial shows nothing.
// CRYPTO frames arrive in any order and over several packets and datagrams; CryptoStream puts them together.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "classifier/names/parse.h"
#include "classifier/names/tls_client_hello.h"

namespace sallyport::classifier::names {

// Contiguous reassembly of the CRYPTO stream, bounded, all memory inside.
class CryptoStream {
 public:
  static constexpr std::size_t capacity = 16 * 1024;
  enum class Add : std::uint8_t { ok, conflict, too_large };

  // Bytes that were there already must be the same, else conflict (the stream stays as it was).
  [[nodiscard]] Add add(std::uint64_t offset, std::span<const std::uint8_t> bytes) noexcept;
  // The bytes from offset 0 without a gap.
  [[nodiscard]] std::span<const std::uint8_t> contiguous() const noexcept { return {bytes_.data(), contiguous_}; }
  void clear() noexcept;

 private:
  std::array<std::uint8_t, capacity> bytes_;
  std::bitset<capacity> present_;
  std::size_t contiguous_ = 0;
};

struct QuicConnection {
  std::array<std::uint8_t, 20> original_dcid{};  // the DCID whose keys the client uses
  std::uint8_t dcid_length = 0;
  bool dcid_known = false;
  std::uint32_t version = 0;
};

enum class QuicResult : std::uint8_t {
  done,       // a whole ClientHello: `hello` is set
  need_more,  // Initial packets, the hello is not complete
  not_quic,   // no long header, unknown version, or nothing that opens: no name is shown
  malformed,  // opened, but the hello inside is broken
  conflict,   // two CRYPTO frames disagree
  too_large,
};

// Cipher contexts of one thread: OpenSSL's are made once and used again.
class QuicKeys;
struct QuicKeysDeleter {
  void operator()(QuicKeys* keys) const noexcept;
};
[[nodiscard]] std::unique_ptr<QuicKeys, QuicKeysDeleter> make_quic_keys();

// Reads one client datagram (all its coalesced packets) into the connection's stream.
[[nodiscard]] QuicResult read_client_datagram(std::span<const std::uint8_t> datagram, QuicConnection& connection,
                                              CryptoStream& stream, QuicKeys& keys, ClientHello& hello) noexcept;
// A server datagram: notes a Retry (whose Source Connection ID keys the client's next Initials, RFC 9001 section 5.2).
void read_server_datagram(std::span<const std::uint8_t> datagram, QuicConnection& connection) noexcept;

}  // namespace sallyport::classifier::names
