// The ClientHello inside QUIC Initial packets: version 1 (RFC 9000, 9001), version 2 (RFC 9369), drafts 29 to 34 and
// two versions of large services (quic_version.h).
//
// The keys of Initial packets follow from the client's first Destination Connection ID, so anybody on the path can open
// them. Keys and header protection through OpenSSL; the AEAD tag is always verified, so a forged Initial shows nothing.
// CRYPTO frames arrive in any order and over several packets and datagrams; CryptoStream puts them together.
#pragma once

#include <array>
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
  static constexpr std::size_t capacity = 16'384;
  enum class Add : std::uint8_t { ok, conflict, too_large };

  // Bytes that were there already must be the same, else conflict (the stream stays as it was).
  [[nodiscard]] Add add(std::uint64_t offset, std::span<const std::uint8_t> bytes) noexcept;
  // The bytes from offset 0 without a gap.
  [[nodiscard]] std::span<const std::uint8_t> contiguous() const noexcept { return {bytes_.data(), contiguous_}; }
  // Behind the farthest byte.
  [[nodiscard]] std::size_t end() const noexcept { return end_; }
  void clear() noexcept;

 private:
  [[nodiscard]] bool agrees(std::size_t offset, std::span<const std::uint8_t> bytes) const noexcept;

  std::array<std::uint8_t, capacity> bytes_;
  std::array<std::uint64_t, capacity / 64> present_{};  // one bit a byte
  std::size_t contiguous_ = 0;
  std::size_t end_ = 0;
};

struct QuicConnection {
  std::array<std::uint8_t, 20> original_dcid{};  // the DCID whose keys the client uses
  std::uint8_t dcid_length = 0;
  bool dcid_known = false;      // since a first Initial was opened
  bool may_restart = false;     // the server sent Retry or Version Negotiation, or refused it: another DCID may follow
  bool accepted = false;        // the server has sent its ServerHello: it has the client's whole hello
  bool asked_again = false;     // it has sent HelloRetryRequest: a second hello may stand behind the first
  bool second_hello = false;    // and the client has begun that
  std::uint32_t answer_at = 0;  // in the server's CRYPTO stream: where its answer to the latest hello begins
  std::uint32_t version = 0;
  std::uint64_t next_number = 0;  // behind the largest packet number of the client's that was opened
};

enum class QuicResult : std::uint8_t {
  done,       // a whole ClientHello: `hello` is set
  need_more,  // Initial packets, the hello is not complete
  not_quic,   // no long header, unknown version, or nothing that opens: no name is shown
  unopened,   // one of its Initials does not open, while a connection is known: its server may open it
  malformed,  // opened, but the hello inside is broken
  conflict,   // two CRYPTO frames disagree, or more than one hello at once
  too_large,
};

// Cipher contexts of one thread: OpenSSL's are made once and used again.
class QuicKeys;
struct QuicKeysDeleter {
  void operator()(QuicKeys* keys) const noexcept;
};
[[nodiscard]] std::unique_ptr<QuicKeys, QuicKeysDeleter> make_quic_keys();

// Reads one client datagram (all its coalesced packets) into the connection's stream. The name in `hello` points into
// the stream. A hello of more than `hello_bytes_max` is too_large.
//
// Behind the hello nothing stands in the client's stream but the second one that a server has asked for (RFC 8446
// section 4.1.4); then `hello` is that one. No datagram with an Initial is smaller than 1200 bytes (RFC 9000
// section 14.1): such a one begins no connection (malformed), and is read where a connection is known, since not every
// server is strict there. An Initial of a second connection on the same addresses, while the hello of the first is
// unfinished, is a conflict: which of the two the server will go on with cannot be known. 0-RTT packets of a known
// version are skipped, as need_more. More than four Initials in one datagram, which no client sends, are malformed.
//
// Which Initials a server has is not known, and so not always what it takes a truncated packet number for: until it has
// accepted the hello, an Initial that does not open here is no noise, but unopened.
[[nodiscard]] QuicResult read_client_datagram(std::span<const std::uint8_t> datagram, QuicConnection& connection,
                                              CryptoStream& stream, QuicKeys& keys, ClientHello& hello,
                                              std::size_t hello_bytes_max = CryptoStream::capacity) noexcept;
// A server datagram: notes a Retry (whose Source Connection ID keys the client's next Initials, RFC 9001 section 5.2),
// a Version Negotiation or a refusal, after all of which the client may begin anew; and what an Initial of the server's
// answers to the hello. A Handshake packet would say as much, but nothing in it tells of which connection it is.
void read_server_datagram(std::span<const std::uint8_t> datagram, QuicConnection& connection, QuicKeys& keys) noexcept;
[[nodiscard]] bool has_initial_packet(std::span<const std::uint8_t> datagram) noexcept;
// 0-RTT and no Initial? `connection` is then the one whose Destination Connection ID it bears.
[[nodiscard]] bool is_early_data(std::span<const std::uint8_t> datagram, QuicConnection& connection) noexcept;
// A long header that is read nowhere here, in a datagram that may begin a connection all the same, at a server that
// speaks other versions. The fixed bit is a client's to clear (RFC 9287), and says nothing here.
[[nodiscard]] bool is_unreadable(std::span<const std::uint8_t> datagram) noexcept;

}  // namespace sallyport::classifier::names
