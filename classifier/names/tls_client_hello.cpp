// Two walks: over the records, which ends when the message is complete and well framed, and over the message. Each
// answer depends on the bytes in their order alone, never on where the stream was cut.
#include "classifier/names/tls_client_hello.h"

#include <algorithm>
#include <cstddef>

#include "classifier/names/reader.h"

namespace sallyport::classifier::names {
namespace {

constexpr std::uint8_t content_type_alert = 21;
constexpr std::uint8_t content_type_handshake = 22;
constexpr std::uint8_t protocol_major = 3;
constexpr std::size_t record_header_bytes = 5;
constexpr std::size_t record_bytes_max = 16'384;
constexpr std::size_t record_bytes_beyond =
    2'048;  // an encrypted record may be so much longer (RFC 5246 section 6.2.3)

constexpr std::uint8_t handshake_client_hello = 1;
constexpr std::uint32_t message_header_bytes = 4;
constexpr std::size_t random_bytes = 32;
constexpr std::size_t session_id_bytes_max = 32;

constexpr std::uint16_t extension_server_name = 0;
constexpr std::uint16_t extension_encrypted_client_hello = 0xfe0d;
constexpr std::uint8_t name_type_host_name = 0;

// RFC 6066 section 3. A list of one entry, a host name, is all that is in use and all that is unambiguous.
[[nodiscard]] Parse read_server_name(Bytes extension, ClientHello& hello) noexcept {
  if (hello.has_server_name) return Parse::malformed;
  Reader outer(extension);
  Reader list(outer.vector16());
  const std::uint8_t name_type = list.u8();
  const Bytes host_name = list.vector16();
  if (outer.failed() || !outer.empty() || list.failed() || !list.empty()) return Parse::malformed;
  if (name_type != name_type_host_name || host_name.empty()) return Parse::malformed;
  hello.server_name = {reinterpret_cast<const char*>(host_name.data()), host_name.size()};
  hello.has_server_name = true;
  return Parse::done;
}

[[nodiscard]] Parse read_extensions(Reader extensions, ClientHello& hello) noexcept {
  while (!extensions.empty()) {
    const std::uint32_t header = extensions.u32();  // type and length in one read: 5 % of the whole walk
    const std::uint32_t type = header >> 16;
    const Bytes content = extensions.bytes(header & 0xffff);
    if (extensions.failed()) return Parse::malformed;
    if (type == extension_server_name) {
      if (read_server_name(content, hello) != Parse::done) return Parse::malformed;
    } else if (type == extension_encrypted_client_hello) {
      hello.ech = true;
    }
  }
  return Parse::done;
}

// RFC 8446 section 4.1.2. A hello that ends before the extensions is one of TLS 1.2 or older (RFC 5246
// section 7.4.1.2).
[[nodiscard]] Parse read_body(Reader body, ClientHello& hello) noexcept {
  body.skip(sizeof(std::uint16_t) + random_bytes);  // legacy_version, which says nothing any more
  const Bytes session_id = body.vector8();
  const Bytes cipher_suites = body.vector16();
  const Bytes compression_methods = body.vector8();
  if (body.failed() || session_id.size() > session_id_bytes_max) return Parse::malformed;
  if (cipher_suites.empty() || cipher_suites.size() % 2 != 0 || compression_methods.empty()) return Parse::malformed;
  if (body.empty()) return Parse::done;

  const Reader extensions(body.vector16());
  if (body.failed() || !body.empty()) return Parse::malformed;
  return read_extensions(extensions, hello);
}

struct Record {
  std::size_t length = 0;
  Bytes present;  // of its content, what has arrived
};

// No client begins with another record of TLS than its hello's, nor with another version's. But there are servers that
// skip some of them, warnings and empty records, and read a hello behind them; and in a first record of a hello or of a
// warning there are servers that take any version below 0x1000.
[[nodiscard]] Parse read_foreign_record(Bytes stream) noexcept {
  constexpr std::uint8_t minor_max = 4, lenient_major_max = 0x0f;
  if (!begins_tls_record(stream[0])) return Parse::not_this;
  const bool any_version = stream[0] == content_type_handshake || stream[0] == content_type_alert;
  if (stream.size() > 1 && (any_version ? stream[1] > lenient_major_max : stream[1] != protocol_major)) {
    return Parse::not_this;
  }
  if (stream.size() > 2 && !any_version && stream[2] > minor_max) return Parse::not_this;
  if (stream.size() < record_header_bytes) return Parse::need_more;
  const std::size_t length = std::size_t{stream[3]} << 8U | stream[4];
  constexpr std::size_t alert_bytes = 2;  // RFC 8446 section 6
  const bool known_version = stream[1] == protocol_major && stream[2] <= minor_max;
  if (stream[0] == content_type_alert && !known_version && length != alert_bytes) return Parse::not_this;
  return length <= record_bytes_max + record_bytes_beyond ? Parse::malformed : Parse::not_this;
}

// Each byte of the header is judged as soon as it is there. Only the first record can show another protocol.
[[nodiscard]] Parse read_record(Bytes stream, bool first, Record& record) noexcept {
  const bool foreign =
      (!stream.empty() && stream[0] != content_type_handshake) || (stream.size() > 1 && stream[1] != protocol_major);
  if (foreign) return first ? read_foreign_record(stream) : Parse::malformed;
  if (stream.size() < record_header_bytes) return Parse::need_more;

  Reader reader(stream);
  reader.skip(3);
  record.length = reader.u16();
  if (record.length == 0 || record.length > record_bytes_max) return Parse::malformed;
  record.present = reader.rest().first(std::min(record.length, reader.left()));
  return Parse::done;
}

[[nodiscard]] std::uint32_t message_bytes(const TlsProgress& progress) noexcept {
  return message_header_bytes + (progress.message_header & 0xffffff);
}

[[nodiscard]] bool header_known(const TlsProgress& progress) noexcept {
  return progress.handshake_bytes >= message_header_bytes;
}

[[nodiscard]] bool complete(const TlsProgress& progress) noexcept {
  return header_known(progress) && progress.handshake_bytes == message_bytes(progress);
}

// The progress as it is once these bytes of the message are read.
[[nodiscard]] TlsProgress advance(TlsProgress progress, Bytes content) noexcept {
  for (const std::uint8_t byte : content) {
    if (header_known(progress)) break;
    progress.message_header = progress.message_header << 8 | byte;
    ++progress.handshake_bytes;
  }
  return progress;
}

[[nodiscard]] Parse check_message(const TlsProgress& seen, std::size_t bytes_framed, std::size_t bytes_max) noexcept {
  if (seen.handshake_bytes == 0) return Parse::need_more;
  const std::uint32_t bytes_missing = message_header_bytes - std::min(seen.handshake_bytes, message_header_bytes);
  if (seen.message_header >> (8 * (3 - bytes_missing)) != handshake_client_hello) return Parse::malformed;
  if (bytes_missing != 0) return Parse::need_more;
  if (message_bytes(seen) > bytes_max) return Parse::too_large;
  // Nothing may stand behind the hello in its last record (RFC 8446 section 5.1): a second hello would hide there.
  return bytes_framed > message_bytes(seen) ? Parse::malformed : Parse::done;
}

// Walks one record if all of it is there.
[[nodiscard]] Parse walk_record(Bytes stream, TlsProgress& progress, std::size_t bytes_max) noexcept {
  if (progress.next_record > stream.size()) return Parse::need_more;
  Record record;
  const Parse framed = read_record(stream.subspan(progress.next_record), progress.next_record == 0, record);
  if (framed != Parse::done) return framed;

  TlsProgress seen = advance(progress, record.present);
  const Parse checked = check_message(seen, progress.handshake_bytes + record.length, bytes_max);
  if (checked != Parse::done && checked != Parse::need_more) return checked;
  if (record.present.size() < record.length) return Parse::need_more;

  seen.handshake_bytes = progress.handshake_bytes + static_cast<std::uint32_t>(record.length);
  seen.next_record = progress.next_record + static_cast<std::uint32_t>(record_header_bytes + record.length);
  progress = seen;
  return Parse::done;
}

// The message out of its records, which were all walked before.
[[nodiscard]] Bytes gather(Bytes stream, const TlsProgress& progress, std::span<std::uint8_t> scratch) noexcept {
  Reader records(stream.first(std::min<std::size_t>(progress.next_record, stream.size())));
  if (records.left() == record_header_bytes + progress.handshake_bytes) {
    return records.rest().subspan(record_header_bytes);  // one record: no copy
  }
  std::size_t gathered = 0;
  while (!records.empty()) {
    records.skip(3);
    const Bytes content = records.vector16();
    const std::span<std::uint8_t> room = scratch.subspan(gathered);
    const Bytes fitting = content.first(std::min(content.size(), room.size()));
    std::copy(fitting.begin(), fitting.end(), room.begin());
    gathered += fitting.size();
  }
  return scratch.first(gathered);
}

}  // namespace

Parse parse_handshake(Bytes message, ClientHello& hello) noexcept {
  hello = {};
  if (message.empty()) return Parse::need_more;
  if (message.front() != handshake_client_hello) return Parse::malformed;
  if (message.size() < message_header_bytes) return Parse::need_more;
  Reader reader(message);
  reader.skip(1);
  const Bytes body = reader.bytes(reader.u24());
  if (reader.failed()) return Parse::need_more;
  const Parse parsed = read_body(Reader(body), hello);
  if (parsed != Parse::done) hello = {};
  return parsed;
}

Parse parse_client_hello(Bytes stream, TlsProgress& progress, std::span<std::uint8_t> scratch,
                         ClientHello& hello) noexcept {
  hello = {};
  while (!complete(progress)) {
    const Parse walked = walk_record(stream, progress, scratch.size());
    if (walked != Parse::done) return walked;
  }
  return parse_handshake(gather(stream, progress, scratch), hello);
}

}  // namespace sallyport::classifier::names
