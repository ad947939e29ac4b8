// The dialogues in binary messages: LDAP, PostgreSQL, MySQL.
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "classifier/names/upgrade_protocols.h"

namespace sallyport::classifier::names {
namespace {

// The length of a BER element (X.690 section 8.1.3), definite, up to four bytes.
[[nodiscard]] std::size_t ber_length(Reader& reader) noexcept {
  const std::uint8_t first = reader.u8();
  if (first < 0x80) return first;
  const unsigned count = first & 0x7fU;
  if (count == 0 || count > 4) {
    reader.skip(reader.left() + 1);  // fails
    return 0;
  }
  std::size_t length = 0;
  for (unsigned i = 0; i < count; ++i) length = length << 8U | reader.u8();
  return length;
}

constexpr std::uint8_t ber_sequence = 0x30, ber_integer = 0x02, ber_enumerated = 0x0a;
constexpr std::uint8_t ldap_extended_request = 0x77, ldap_extended_response = 0x78, ldap_request_name = 0x80;
constexpr std::string_view ldap_start_tls = "1.3.6.1.4.1.1466.20037";
constexpr std::size_t ldap_request_bytes_max = 64;

// The message without its sequence header, after which its id and operation stand.
[[nodiscard]] bool is_start_tls(Bytes message) noexcept {
  Reader reader(message);
  if (reader.u8() != ber_integer) return false;
  reader.skip(ber_length(reader));
  if (reader.u8() != ldap_extended_request) return false;
  if (ber_length(reader) != reader.left() || reader.u8() != ldap_request_name) return false;
  const Bytes name = reader.bytes(ber_length(reader));
  return !reader.failed() && reader.empty() && text_of(name) == ldap_start_tls;
}

// An ExtendedResponse, once its result code is there.
struct LdapResponse {
  std::uint8_t code;
  std::size_t bytes;  // of the whole message
};
[[nodiscard]] std::optional<LdapResponse> ldap_response(std::string_view message) noexcept {
  Reader reader(Bytes(reinterpret_cast<const std::uint8_t*>(message.data()), message.size()));
  const bool sequence = reader.u8() == ber_sequence;
  const std::size_t content_bytes = ber_length(reader);
  const std::size_t bytes = message.size() - reader.left() + content_bytes;
  const bool integer = reader.u8() == ber_integer;
  reader.skip(ber_length(reader));
  const bool response = reader.u8() == ldap_extended_response;
  (void)ber_length(reader);
  const bool enumerated = reader.u8() == ber_enumerated;
  const std::size_t length = ber_length(reader);
  const std::uint8_t code = reader.u8();
  if (reader.failed()) return std::nullopt;
  constexpr std::uint8_t no_answer = 0xff;
  const bool answers = sequence && integer && response && enumerated && length == 1;
  return LdapResponse{answers ? code : no_answer, bytes};
}

}  // namespace

UpgradeUnit read_ldap_request(Bytes bytes, Upgrade& upgrade) noexcept {
  Reader reader(bytes);
  if (reader.u8() != ber_sequence) return {};
  const std::size_t length = ber_length(reader);
  if (reader.failed()) return {bytes.size() < 6 ? Parse::need_more : Parse::not_this, 0, {}};
  if (length > ldap_request_bytes_max) return {};
  const Bytes message = reader.bytes(length);
  if (reader.failed()) return {Parse::need_more, 0, {}};
  if (!is_start_tls(message)) return {};
  ask(upgrade);
  return {Parse::done, bytes.size() - reader.left(), {}};
}

void take_ldap_byte(std::uint8_t byte, Upgrade& upgrade) noexcept {
  if (upgrade.step != Step::asked) return;
  note_said(upgrade, byte);
  const std::optional<LdapResponse> response = ldap_response(said(upgrade));
  if (response) {
    if (upgrade.said >= response->bytes) answer(upgrade, response->code == 0 ? Step::tls : Step::commands);
  } else if (upgrade.said >= upgrade.text.size()) {
    answer(upgrade, Step::refused);
  }
}

// https://www.postgresql.org/docs/current/protocol-message-formats.html: a length of 8 and a number for a version.
UpgradeUnit read_postgresql_request(Bytes bytes, Upgrade& upgrade) noexcept {
  constexpr std::uint8_t ssl = 0x2f, gss = 0x30;
  constexpr std::array<std::uint8_t, 7> start{0, 0, 0, 8, 4, 0xd2, 0x16};
  for (std::size_t i = 0; i < start.size() && i < bytes.size(); ++i) {
    if (bytes[i] != start[i]) return {};
  }
  if (bytes.size() <= start.size()) return {Parse::need_more, 0, {}};
  const std::uint8_t last = bytes[start.size()];
  if (last != ssl && last != gss) return {};
  ask(upgrade, last);
  return {Parse::done, start.size() + 1, {}};
}

void take_postgresql_byte(std::uint8_t byte, Upgrade& upgrade) noexcept {
  constexpr std::uint8_t ssl = 0x2f;
  if (upgrade.step != Step::asked) return;
  if (byte == 'S' && upgrade.kind == ssl) {
    answer(upgrade, Step::tls);
  } else {
    answer(upgrade, byte == 'N' ? Step::commands : Step::refused);
  }
}

// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_ssl_request.html:
// packet number 1 of 32 bytes, the beginning of the login packet; TLS follows without an answer.
UpgradeUnit read_mysql_request(Bytes bytes, Upgrade& upgrade) noexcept {
  constexpr std::size_t packet_bytes = 4 + 32;
  constexpr std::array<std::uint8_t, 4> header{32, 0, 0, 1};
  constexpr std::uint8_t capability_ssl = 0x08;  // of the second byte
  for (std::size_t i = 0; i < header.size() && i < bytes.size(); ++i) {
    if (bytes[i] != header[i]) return {};
  }
  if (bytes.size() < packet_bytes) return {Parse::need_more, 0, {}};
  if ((bytes[5] & capability_ssl) == 0) return {};
  // But for the lowest of MariaDB's own capabilities (https://mariadb.com/kb/en/connection/#sslrequest-packet).
  constexpr std::size_t filler_at = 4 + 4 + 4 + 1, mariadb_at = packet_bytes - 4;
  for (std::size_t i = filler_at; i < packet_bytes; ++i) {
    if (bytes[i] != 0 && i != mariadb_at) return {};
  }
  answer(upgrade, Step::tls);
  return {Parse::done, packet_bytes, {}};
}

}  // namespace sallyport::classifier::names
