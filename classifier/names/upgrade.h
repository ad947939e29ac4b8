// What may be said before TLS begins: the dialogues that ask for it on a connection that began in the clear, and those
// that ask a proxy for a tunnel.
//
//   SMTP (RFC 3207), FTP (RFC 4217)          EHLO .. / 250 .., STARTTLS / 220; AUTH TLS / 234
//   IMAP (RFC 3501), POP3 (RFC 2595)         a STARTTLS / a OK; STLS / +OK
//   XMPP (RFC 6120)                          <starttls/> / <proceed/>
//   LDAP (RFC 4511 section 4.14)             the StartTLS request / success
//   PostgreSQL, MySQL                        SSLRequest / 'S'; SSLRequest, answered by nothing
//   SOCKS 4a, SOCKS 5 (RFC 1928, 1929)       CONNECT to an address or a name / granted
//   HTTP CONNECT (RFC 9110 section 9.3.6)    CONNECT name:port / 2xx
//
// Both sides are followed in the order of their bytes. Of the client's side only whole units of the preamble are taken,
// a command, a message, a request head; whatever else it says is not_this, and so is anything said between asking and
// being answered, which would be read by whoever does not agree as more commands. Behind a tunnel everything begins
// anew, up to tunnels_max deep. The server is followed loosely: nothing it says is kept from the client.
//
// Commands have arguments, and a server that only pretends to greet would take any number of them for a conversation in
// the clear. So of all that comes before TLS no more than bytes_max in units_max units passes, which a
// real client never needs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "classifier/names/parse.h"

namespace sallyport::classifier::names {

enum class UpgradeProtocol : std::uint8_t {
  none,         // nothing recognised yet
  reply_codes,  // SMTP and FTP, alike until the client asks
  imap,
  pop3,
  xmpp,
  ldap,
  postgresql,
  mysql,
  socks4,
  socks5,
  http_connect,
};

// One connection's dialogue. Starts zeroed.
struct Upgrade {
  enum class Step : std::uint8_t {
    commands,  // the client may speak
    asked,     // the server is to answer first
    tls,       // agreed: what the client says next is TLS
    refused,   // nothing more that could be recognised
  };
  static constexpr std::uint8_t tunnels_max = 4;
  static constexpr std::uint16_t bytes_max = 12 * 1024;  // of the client's side: a request head with its tickets, twice
  static constexpr std::uint8_t units_max = 24;

  UpgradeProtocol protocol = UpgradeProtocol::none;
  Step step = Step::commands;
  std::uint8_t kind = 0;        // what was asked, in the protocol's own numbers
  std::uint8_t tunnels = 0;     // this one is inside of so many
  std::uint8_t units = 0;       // that the client has said, outside of this tunnel too
  std::uint8_t tag_bytes = 0;   // IMAP: of the command that asks
  std::uint16_t passed = 0;     // bytes of the client's side, those in front of this tunnel as well
  std::uint16_t pending = 0;    // commands that are not answered yet
  std::uint16_t said = 0;       // bytes of the server's unfinished line or message
  std::array<char, 24> text{};  // the first of them
  std::array<char, 16> tag{};
};

struct UpgradeUnit {
  Parse parse = Parse::not_this;  // done, need_more, not_this, malformed
  std::size_t bytes = 0;          // of the unit, with done
  std::string_view target;        // the host that a tunnel is asked for, name or address; points into the stream
};
// The next unit of the client's side, at the beginning of `stream`, which is not empty. Changes `upgrade` with done
// alone.
[[nodiscard]] UpgradeUnit read_upgrade_unit(std::span<const std::uint8_t> stream, Upgrade& upgrade) noexcept;

// The next bytes of the server's side. False: it speaks first, and nothing that is known here.
[[nodiscard]] bool read_upgrade_answer(std::span<const std::uint8_t> bytes, Upgrade& upgrade) noexcept;

// Is it the server that is waited for: does it owe an answer, or the rest of a greeting?
[[nodiscard]] bool is_servers_turn(const Upgrade& upgrade) noexcept;

}  // namespace sallyport::classifier::names
