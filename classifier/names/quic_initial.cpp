// A datagram is walked packet by packet, an Initial that opens frame by frame; then the ClientHello is looked at. What
// does not open before a connection is known is left aside, as a server would.
#include "classifier/names/quic_initial.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "classifier/names/quic_keys.h"
#include "classifier/names/quic_version.h"
#include "classifier/names/reader.h"

namespace sallyport::classifier::names {
namespace {

constexpr std::uint8_t long_header_bit = 0x80;
constexpr std::uint8_t reserved_bits = 0x0c;
constexpr std::size_t connection_id_bytes_max = 20;
constexpr std::size_t initial_datagram_bytes_min = 1200;
constexpr std::size_t message_header_bytes = 4;
// Of one datagram; each costs the derivation of its keys. Clients send one, some two or three.
constexpr unsigned initials_max = 4;

// RFC 9000 section 19; no others but CRYPTO may stand in an Initial (section 12.4).
enum Frame : std::uint64_t {
  padding = 0x00,
  ping = 0x01,
  ack = 0x02,
  ack_ecn = 0x03,
  connection_close = 0x1c,
};

struct LongHeader {
  std::uint8_t first_byte;
  std::uint32_t version;
  Bytes destination;
  Bytes source;
};

// RFC 8999 section 5.1: what all versions share.
[[nodiscard]] std::optional<LongHeader> read_long_header(Reader& reader) noexcept {
  LongHeader header{};
  header.first_byte = reader.u8();
  header.version = reader.u32();
  header.destination = reader.vector8();
  header.source = reader.vector8();
  if (reader.failed() || (header.first_byte & long_header_bit) == 0) return std::nullopt;
  return header;
}

[[nodiscard]] QuicPacketType packet_type(const QuicVersion& version, std::uint8_t first_byte) noexcept {
  return version.packet_types[first_byte >> 4 & 3];
}

struct Packet {
  QuicPacketType type;
  const QuicVersion* version;
  std::uint32_t version_number;
  Bytes dcid;
  Bytes whole;
  std::size_t number_offset;
};

// The next of the coalesced packets (RFC 9000 sections 12.2 and 17.2). Nothing where there is none whose end is known:
// a short header, another version, a Retry, which no client sends, or a length beyond the datagram.
[[nodiscard]] std::optional<Packet> read_packet(Reader& datagram) noexcept {
  const Bytes start = datagram.rest();
  Reader reader(start);
  const std::optional<LongHeader> header = read_long_header(reader);
  if (!header) return std::nullopt;
  const QuicVersion* version = find_quic_version(header->version);
  if (version == nullptr || header->destination.size() > connection_id_bytes_max) return std::nullopt;
  const QuicPacketType type = packet_type(*version, header->first_byte);
  if (type == QuicPacketType::retry) return std::nullopt;
  if (type == QuicPacketType::initial) reader.skip(reader.varint());  // the token
  const std::uint64_t length = reader.varint();
  const std::size_t number_offset = start.size() - reader.left();
  reader.skip(length);
  if (reader.failed()) return std::nullopt;
  const Bytes whole = datagram.bytes(start.size() - reader.left());
  return Packet{type, version, header->version, header->destination, whole, number_offset};
}

void skip_padding(Reader& frames) noexcept {
  const Bytes rest = frames.rest();
  const Bytes zeroes = rest.first(rest.size() & ~std::size_t{7});
  std::size_t count = 0;
  for (std::uint64_t word = 0; count < zeroes.size(); count += sizeof word) {
    std::memcpy(&word, &zeroes[count], sizeof word);
    if (word != 0) break;
  }
  while (count < rest.size() && rest[count] == padding) ++count;
  frames.skip(count);
}

void skip_ack(Reader& frames, bool with_ecn) noexcept {
  (void)frames.varint();  // largest acknowledged
  (void)frames.varint();  // delay
  const std::uint64_t ranges = frames.varint();
  (void)frames.varint();  // first range
  for (std::uint64_t range = 0; range < ranges && !frames.failed(); ++range) {
    (void)frames.varint();
    (void)frames.varint();
  }
  for (int count = 0; with_ecn && count < 3; ++count) (void)frames.varint();
}

void skip_connection_close(Reader& frames) noexcept {
  (void)frames.varint();  // error code
  (void)frames.varint();  // frame type
  frames.skip(frames.varint());
}

// Calls crypto(offset, bytes), which answers a QuicResult, for a CRYPTO frame. Sets `closes` where the sender ends the
// connection.
template <typename Crypto>
[[nodiscard]] QuicResult read_frame(Reader& frames, const QuicVersion& version, bool& closes, Crypto crypto) noexcept {
  const std::uint64_t type = frames.varint();
  if (type == version.crypto_frame) {
    const std::uint64_t offset = frames.varint();
    const Bytes bytes = frames.bytes(frames.varint());
    return frames.failed() ? QuicResult::malformed : crypto(offset, bytes);
  }
  switch (type) {
    case padding:
      skip_padding(frames);
      break;
    case ping:
      break;
    case ack:
    case ack_ecn:
      skip_ack(frames, type == ack_ecn);
      break;
    case connection_close:
      skip_connection_close(frames);
      closes = !frames.failed();
      break;
    default:
      return QuicResult::malformed;
  }
  return frames.failed() ? QuicResult::malformed : QuicResult::need_more;
}

template <typename Crypto>
[[nodiscard]] QuicResult read_frames(Bytes bytes, const QuicVersion& version, bool& closes, Crypto crypto) noexcept {
  if (bytes.empty()) return QuicResult::malformed;
  Reader frames(bytes);
  QuicResult result = QuicResult::need_more;
  while (result == QuicResult::need_more && !frames.empty()) result = read_frame(frames, version, closes, crypto);
  return result;
}

[[nodiscard]] QuicResult add_to_stream(CryptoStream& stream, std::uint64_t offset, Bytes bytes) noexcept {
  switch (stream.add(offset, bytes)) {
    case CryptoStream::Add::conflict:
      return QuicResult::conflict;
    case CryptoStream::Add::too_large:
      return QuicResult::too_large;
    case CryptoStream::Add::ok:
      break;
  }
  return QuicResult::need_more;
}

[[nodiscard]] Bytes known_dcid(const QuicConnection& connection) noexcept {
  return Bytes(connection.original_dcid).first(connection.dcid_length);
}

void begin(QuicConnection& connection, const Packet& packet) noexcept {
  connection = {};
  std::copy(packet.dcid.begin(), packet.dcid.end(), connection.original_dcid.begin());
  connection.dcid_length = static_cast<std::uint8_t>(packet.dcid.size());
  connection.dcid_known = true;
  connection.version = packet.version_number;
}

[[nodiscard]] std::optional<QuicKeys::Opened> open(QuicSide side, const Packet& packet, Bytes dcid,
                                                   std::uint64_t next_number, QuicKeys& keys) noexcept {
  return keys.open(side, *packet.version, dcid, packet.whole, packet.number_offset, next_number);
}

[[nodiscard]] QuicResult left_aside(const QuicConnection& connection) noexcept {
  return connection.dcid_known && !connection.accepted ? QuicResult::unopened : QuicResult::not_quic;
}

// not_quic, unopened: it does not open. The keys of the connection are tried first, since they stay those of the first
// DCID when the server has chosen another, or another version that goes with the first (RFC 9368, RFC 9369
// section 4.1).
[[nodiscard]] QuicResult read_initial(const Packet& packet, bool may_begin, QuicConnection& connection,
                                      CryptoStream& stream, QuicKeys& keys) noexcept {
  const bool anew = connection.may_restart && connection.version != packet.version_number;
  std::optional<QuicKeys::Opened> opened;
  if (connection.dcid_known && !anew)
    opened = open(QuicSide::client, packet, known_dcid(connection), connection.next_number, keys);
  if (!opened) {
    opened = open(QuicSide::client, packet, packet.dcid, 0, keys);
    if (!opened) return left_aside(connection);
    if (connection.dcid_known && !connection.may_restart) return QuicResult::conflict;
    if (!may_begin) return QuicResult::malformed;
    if (connection.dcid_known) stream.clear();
    begin(connection, packet);
  }
  connection.next_number = std::max(connection.next_number, opened->number + 1);
  if ((opened->first_byte & reserved_bits) != 0) return QuicResult::malformed;
  bool closes = false;  // the client's word for it: the server may not have heard it
  return read_frames(opened->frames, *packet.version, closes,
                     [&](std::uint64_t offset, Bytes bytes) { return add_to_stream(stream, offset, bytes); });
}

// The bytes of the message that begins there; nothing while its header is not whole.
[[nodiscard]] std::optional<std::size_t> message_bytes(Bytes message) noexcept {
  Reader header(message);
  header.skip(1);
  const std::size_t bytes = message_header_bytes + header.u24();
  return header.failed() ? std::nullopt : std::optional(bytes);
}

[[nodiscard]] QuicResult read_hello(const CryptoStream& stream, QuicConnection& connection, ClientHello& hello,
                                    std::size_t bytes_max) noexcept {
  Bytes message = stream.contiguous();
  std::size_t behind = stream.end();  // of the message's first byte
  std::optional<std::size_t> bytes = message_bytes(message);
  connection.second_hello = connection.asked_again && bytes && behind > *bytes;
  if (connection.second_hello) {
    message = message.subspan(std::min(*bytes, message.size()));
    behind -= *bytes;
    bytes = message_bytes(message);
  }
  if (bytes && *bytes > bytes_max) return QuicResult::too_large;
  switch (parse_handshake(message, hello)) {
    case Parse::done:
      if (behind == *bytes) return QuicResult::done;
      hello = {};
      return QuicResult::conflict;
    case Parse::need_more:
      return QuicResult::need_more;
    default:
      return QuicResult::malformed;
  }
}

// The message in which the server answers the hello, once enough of it is there in one frame.
void read_server_crypto(std::uint64_t offset, Bytes bytes, QuicConnection& connection) noexcept {
  constexpr std::uint8_t server_hello = 2;
  constexpr std::size_t random_at = message_header_bytes + sizeof(std::uint16_t);
  if (offset > connection.answer_at || connection.answer_at - offset > bytes.size()) return;
  const Bytes message = bytes.subspan(connection.answer_at - offset);
  if (message.size() < random_at + hello_retry_random.size() || message[0] != server_hello) return;
  if (!std::equal(hello_retry_random.begin(), hello_retry_random.end(), &message[random_at])) {
    connection.accepted = true;
  } else if (!connection.asked_again) {
    connection.asked_again = true;
    connection.answer_at = static_cast<std::uint32_t>(*message_bytes(message));
  }
}

}  // namespace

void QuicKeysDeleter::operator()(QuicKeys* keys) const noexcept { delete keys; }

std::unique_ptr<QuicKeys, QuicKeysDeleter> make_quic_keys() {
  return std::unique_ptr<QuicKeys, QuicKeysDeleter>(new QuicKeys);
}

QuicResult read_client_datagram(Bytes datagram, QuicConnection& connection, CryptoStream& stream, QuicKeys& keys,
                                ClientHello& hello, std::size_t hello_bytes_max) noexcept {
  hello = {};
  QuicResult result = connection.dcid_known ? QuicResult::need_more : QuicResult::not_quic;
  Reader reader(datagram);
  unsigned initials = 0;
  while (const std::optional<Packet> packet = read_packet(reader)) {
    if (packet->type == QuicPacketType::zero_rtt) result = QuicResult::need_more;
    if (packet->type != QuicPacketType::initial) continue;
    if (++initials > initials_max) return QuicResult::malformed;
    const bool may_begin = datagram.size() >= initial_datagram_bytes_min;
    const QuicResult initial = read_initial(*packet, may_begin, connection, stream, keys);
    if (initial == QuicResult::not_quic) continue;
    if (initial != QuicResult::need_more) return initial;
    result = QuicResult::need_more;
  }
  if (!connection.dcid_known) return result;
  return read_hello(stream, connection, hello, std::min(hello_bytes_max, CryptoStream::capacity));
}

void read_server_datagram(Bytes datagram, QuicConnection& connection, QuicKeys& keys) noexcept {
  constexpr std::uint32_t version_negotiation = 0;
  Reader reader(datagram);
  const std::optional<LongHeader> header = read_long_header(reader);
  if (!header || !connection.dcid_known) return;
  const QuicVersion* version = find_quic_version(header->version);
  if (header->version == version_negotiation ||
      (version != nullptr && packet_type(*version, header->first_byte) == QuicPacketType::retry)) {
    connection.may_restart = true;
    return;
  }
  Reader packets(datagram);
  while (const std::optional<Packet> packet = read_packet(packets)) {
    if (packet->type != QuicPacketType::initial) continue;
    const auto opened = open(QuicSide::server, *packet, known_dcid(connection), 0, keys);
    if (!opened) continue;
    bool closes = false;
    (void)read_frames(opened->frames, *packet->version, closes, [&](std::uint64_t offset, Bytes bytes) {
      read_server_crypto(offset, bytes, connection);
      return QuicResult::need_more;
    });
    // It has refused the connection, and keeps nothing of it.
    connection.may_restart = connection.may_restart || closes;
  }
}

bool has_initial_packet(Bytes datagram) noexcept {
  Reader reader(datagram);
  while (const std::optional<Packet> packet = read_packet(reader)) {
    if (packet->type == QuicPacketType::initial) return true;
  }
  return false;
}

bool is_early_data(Bytes datagram, QuicConnection& connection) noexcept {
  bool early = false;
  Reader reader(datagram);
  while (const std::optional<Packet> packet = read_packet(reader)) {
    if (packet->type == QuicPacketType::initial) return false;
    if (packet->type != QuicPacketType::zero_rtt || early) continue;
    begin(connection, *packet);
    early = true;
  }
  return early;
}

bool is_unreadable(Bytes datagram) noexcept {
  if (datagram.size() < initial_datagram_bytes_min || (datagram[0] & long_header_bit) == 0) return false;
  Reader version(datagram.subspan(1));
  return find_quic_version(version.u32()) == nullptr;
}

}  // namespace sallyport::classifier::names
