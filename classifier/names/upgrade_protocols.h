// One pair of functions a protocol; upgrade.cpp chooses among them. For that file alone.
#pragma once

#include <cstdint>
#include <string_view>

#include "classifier/names/reader.h"
#include "classifier/names/upgrade.h"

namespace sallyport::classifier::names {

using Step = Upgrade::Step;

[[nodiscard]] inline std::string_view text_of(Bytes bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
// What the server has said of its line or message, as far as it is kept.
[[nodiscard]] inline std::string_view said(const Upgrade& upgrade) noexcept {
  return {upgrade.text.data(), upgrade.said < upgrade.text.size() ? upgrade.said : upgrade.text.size()};
}
inline void note_said(Upgrade& upgrade, std::uint8_t byte) noexcept {
  if (upgrade.said < upgrade.text.size()) upgrade.text[upgrade.said] = static_cast<char>(byte);
  if (upgrade.said != UINT16_MAX) ++upgrade.said;
}
inline void ask(Upgrade& upgrade, std::uint8_t kind = 0) noexcept {
  upgrade.step = Step::asked;
  upgrade.kind = kind;
  upgrade.said = 0;
}
inline void answer(Upgrade& upgrade, Step step) noexcept {
  upgrade.step = step;
  upgrade.said = 0;
}
// The proxy has granted it: what follows is another connection's beginning.
inline void enter_tunnel(Upgrade& upgrade) noexcept {
  const auto tunnels = static_cast<std::uint8_t>(upgrade.tunnels + 1);
  const std::uint8_t units = upgrade.units;
  const std::uint16_t passed = upgrade.passed;
  upgrade = {};
  upgrade.tunnels = tunnels;
  upgrade.passed = passed;
  upgrade.units = units;
  if (tunnels > Upgrade::tunnels_max) upgrade.step = Step::refused;
}

// The client's next unit. Only in step `commands`; `bytes` is not empty.
[[nodiscard]] UpgradeUnit read_reply_codes_command(Bytes bytes, Upgrade& upgrade) noexcept;
[[nodiscard]] UpgradeUnit read_imap_command(Bytes bytes, Upgrade& upgrade) noexcept;
[[nodiscard]] UpgradeUnit read_pop3_command(Bytes bytes, Upgrade& upgrade) noexcept;
[[nodiscard]] UpgradeUnit read_xmpp_tag(Bytes bytes, Upgrade& upgrade) noexcept;
[[nodiscard]] UpgradeUnit read_ldap_request(Bytes bytes, Upgrade& upgrade) noexcept;
[[nodiscard]] UpgradeUnit read_postgresql_request(Bytes bytes, Upgrade& upgrade) noexcept;
[[nodiscard]] UpgradeUnit read_mysql_request(Bytes bytes, Upgrade& upgrade) noexcept;
[[nodiscard]] UpgradeUnit read_socks4_request(Bytes bytes, Upgrade& upgrade) noexcept;
[[nodiscard]] UpgradeUnit read_socks5_message(Bytes bytes, Upgrade& upgrade) noexcept;
[[nodiscard]] UpgradeUnit read_connect_request(Bytes bytes, Upgrade& upgrade) noexcept;

// The server's next byte.
void take_reply_codes_byte(std::uint8_t byte, Upgrade& upgrade) noexcept;
void take_imap_byte(std::uint8_t byte, Upgrade& upgrade) noexcept;
void take_pop3_byte(std::uint8_t byte, Upgrade& upgrade) noexcept;
void take_xmpp_byte(std::uint8_t byte, Upgrade& upgrade) noexcept;
void take_ldap_byte(std::uint8_t byte, Upgrade& upgrade) noexcept;
void take_postgresql_byte(std::uint8_t byte, Upgrade& upgrade) noexcept;
void take_socks4_byte(std::uint8_t byte, Upgrade& upgrade) noexcept;
void take_socks5_byte(std::uint8_t byte, Upgrade& upgrade) noexcept;
void take_connect_byte(std::uint8_t byte, Upgrade& upgrade) noexcept;

}  // namespace sallyport::classifier::names
