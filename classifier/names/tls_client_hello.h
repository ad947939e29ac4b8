// The server name in a TLS ClientHello (RFC 8446 sections 4.1.2 and 5.1, RFC 6066 section 3, RFC 9849 for ECH).
//
// The parser is given the client's bytes from the first one on, as many as are there without a gap, and is called again
// when there are more. The handshake message may be spread over any number of records (5.1); a record of length zero, a
// record that is no handshake record in the middle of the message, bytes behind the message in its last record, two
// server_name extensions, two host names, a list length that does not fit: malformed. Record versions 0x03xx are
// accepted. Any other record of TLS in front of the hello makes it malformed: some servers skip it. What does not begin
// as a TLS record does (an SSLv2 hello neither, which can name no server) is not_this, from the first byte that tells.
// Never reads outside what it is given, allocates nothing; a name is shown only with `done`.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "classifier/names/parse.h"

namespace sallyport::classifier::names {

// The random of a ServerHello that is a HelloRetryRequest (RFC 8446 section 4.1.3).
inline constexpr std::array<std::uint8_t, 32> hello_retry_random{
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

struct ClientHello {
  std::string_view server_name;  // as sent, any bytes; points into stream or scratch; empty with has_server_name false
  bool has_server_name = false;  // a server_name extension with a host_name entry was there
  bool ech = false;              // encrypted_client_hello, 0xfe0d, real or GREASE
};

// Has a record of TLS this content type (RFC 8446 section 5.1, RFC 6520)? Text does not begin so.
[[nodiscard]] constexpr bool begins_tls_record(std::uint8_t byte) noexcept { return byte >= 20 && byte <= 24; }

// How far the records of a stream have been walked, so that a hello in many small pieces costs linear time. Starts
// zeroed.
struct TlsProgress {
  std::uint32_t next_record = 0;      // offset of the first record header not walked yet
  std::uint32_t handshake_bytes = 0;  // of the message, in the records walked so far
  std::uint32_t message_header = 0;   // its first four bytes (type, length), as far as seen
};

// The whole message in one buffer, without record headers: QUIC CRYPTO data, or a gathered TLS stream.
[[nodiscard]] Parse parse_handshake(std::span<const std::uint8_t> message, ClientHello& hello) noexcept;

// `scratch` takes the gathered message where it spans records; a message that announces more than fits there is
// too_large, so it should hold [limits] hello_bytes.
[[nodiscard]] Parse parse_client_hello(std::span<const std::uint8_t> stream, TlsProgress& progress,
                                       std::span<std::uint8_t> scratch, ClientHello& hello) noexcept;

}  // namespace sallyport::classifier::names
