#include "classifier/names/upgrade.h"

#include "classifier/names/upgrade_protocols.h"

namespace sallyport::classifier::names {
namespace {

constexpr std::size_t mysql_header_bytes = 4, mysql_greeting_bytes = 5;

// Who speaks first as a client is known by the first byte.
[[nodiscard]] UpgradeProtocol client_protocol(std::uint8_t first) noexcept {
  switch (first) {
    case 0x00:
      return UpgradeProtocol::postgresql;
    case 0x04:
      return UpgradeProtocol::socks4;
    case 0x05:
      return UpgradeProtocol::socks5;
    case 0x30:  // BER: a sequence
      return UpgradeProtocol::ldap;
    case '<':
      return UpgradeProtocol::xmpp;
    case 'C':
      return UpgradeProtocol::http_connect;
    default:
      return UpgradeProtocol::none;
  }
}

// What a server that speaks first begins with.
[[nodiscard]] Parse recognise(Upgrade& upgrade) noexcept {
  struct Greeting {
    std::string_view start;
    UpgradeProtocol protocol;
  };
  constexpr std::array<Greeting, 4> greetings{{{"220 ", UpgradeProtocol::reply_codes},
                                               {"220-", UpgradeProtocol::reply_codes},
                                               {"* OK", UpgradeProtocol::imap},
                                               {"+OK", UpgradeProtocol::pop3}}};
  const std::string_view text = said(upgrade);
  for (const Greeting& greeting : greetings) {
    if (text == greeting.start) {
      upgrade.protocol = greeting.protocol;
      upgrade.pending = 1;
      return Parse::done;
    }
    if (greeting.start.starts_with(text)) return Parse::need_more;
  }
  // A packet of less than 2^16 bytes, number 0, of protocol version 10.
  if (text.size() < 3) return Parse::need_more;
  if (text[2] != 0 || (text.size() > 3 && text[3] != 0)) return Parse::not_this;
  if (text.size() < mysql_greeting_bytes) return Parse::need_more;
  if (text[4] != 10) return Parse::not_this;
  // Its last byte is the last in the clear.
  const std::size_t bytes = static_cast<std::uint8_t>(text[0]) | std::size_t{static_cast<std::uint8_t>(text[1])} << 8U;
  if (upgrade.said < mysql_header_bytes + bytes) return Parse::need_more;
  upgrade.protocol = UpgradeProtocol::mysql;
  return Parse::done;
}

[[nodiscard]] bool take_byte(std::uint8_t byte, Upgrade& upgrade) noexcept {
  switch (upgrade.protocol) {
    case UpgradeProtocol::none:
      note_said(upgrade, byte);
      return recognise(upgrade) != Parse::not_this;
    case UpgradeProtocol::reply_codes:
      take_reply_codes_byte(byte, upgrade);
      break;
    case UpgradeProtocol::imap:
      take_imap_byte(byte, upgrade);
      break;
    case UpgradeProtocol::pop3:
      take_pop3_byte(byte, upgrade);
      break;
    case UpgradeProtocol::xmpp:
      take_xmpp_byte(byte, upgrade);
      break;
    case UpgradeProtocol::ldap:
      take_ldap_byte(byte, upgrade);
      break;
    case UpgradeProtocol::postgresql:
      take_postgresql_byte(byte, upgrade);
      break;
    case UpgradeProtocol::mysql:
      break;  // it has greeted
    case UpgradeProtocol::socks4:
      take_socks4_byte(byte, upgrade);
      break;
    case UpgradeProtocol::socks5:
      take_socks5_byte(byte, upgrade);
      break;
    case UpgradeProtocol::http_connect:
      take_connect_byte(byte, upgrade);
      break;
  }
  return true;
}

[[nodiscard]] UpgradeUnit read_unit(Bytes stream, Upgrade& upgrade) noexcept {
  switch (upgrade.protocol) {
    case UpgradeProtocol::none:
      return {};
    case UpgradeProtocol::reply_codes:
      return read_reply_codes_command(stream, upgrade);
    case UpgradeProtocol::imap:
      return read_imap_command(stream, upgrade);
    case UpgradeProtocol::pop3:
      return read_pop3_command(stream, upgrade);
    case UpgradeProtocol::xmpp:
      return read_xmpp_tag(stream, upgrade);
    case UpgradeProtocol::ldap:
      return read_ldap_request(stream, upgrade);
    case UpgradeProtocol::postgresql:
      return read_postgresql_request(stream, upgrade);
    case UpgradeProtocol::mysql:
      return read_mysql_request(stream, upgrade);
    case UpgradeProtocol::socks4:
      return read_socks4_request(stream, upgrade);
    case UpgradeProtocol::socks5:
      return read_socks5_message(stream, upgrade);
    case UpgradeProtocol::http_connect:
      return read_connect_request(stream, upgrade);
  }
  return {};
}

}  // namespace

UpgradeUnit read_upgrade_unit(Bytes stream, Upgrade& upgrade) noexcept {
  if (upgrade.step != Step::commands) return {};
  Upgrade next = upgrade;
  if (next.protocol == UpgradeProtocol::none) {
    if (next.said != 0) return {};  // the server has begun something that is not known yet
    next.protocol = client_protocol(stream.front());
  }
  const UpgradeUnit unit = read_unit(stream, next);
  if (unit.parse != Parse::done) return unit;
  if (next.units == Upgrade::units_max || unit.bytes > std::size_t{Upgrade::bytes_max} - next.passed) return {};
  next.passed = static_cast<std::uint16_t>(next.passed + unit.bytes);
  ++next.units;
  upgrade = next;
  return unit;
}

bool read_upgrade_answer(Bytes bytes, Upgrade& upgrade) noexcept {
  for (const std::uint8_t byte : bytes) {
    if (!take_byte(byte, upgrade)) return false;
  }
  return true;
}

bool is_servers_turn(const Upgrade& upgrade) noexcept {
  const bool greets = upgrade.protocol == UpgradeProtocol::none && upgrade.said != 0;
  const bool owes = upgrade.step == Upgrade::Step::commands && (upgrade.pending != 0 || greets);
  return owes || upgrade.step == Upgrade::Step::asked;
}

}  // namespace sallyport::classifier::names
