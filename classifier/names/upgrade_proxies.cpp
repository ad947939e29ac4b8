// The dialogues that ask a proxy for a tunnel: SOCKS 4a and 5, HTTP CONNECT.
#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "classifier/names/http_request.h"
#include "classifier/names/http_text.h"
#include "classifier/names/upgrade_protocols.h"

namespace sallyport::classifier::names {
namespace {

constexpr std::uint8_t command_connect = 1;
constexpr std::size_t head_bytes_max = 8192;

[[nodiscard]] UpgradeUnit more_or_not(bool more) noexcept { return {more ? Parse::need_more : Parse::not_this, 0, {}}; }

// A text and the NUL behind it.
struct Terminated {
  bool complete = false;
  std::string_view text;
};
[[nodiscard]] Terminated read_terminated(Reader& reader) noexcept {
  const std::string_view rest = text_of(reader.rest());
  const std::size_t length = rest.find('\0');
  if (length == std::string_view::npos) return {};
  reader.skip(length + 1);
  return {true, rest.substr(0, length)};
}

}  // namespace

// ---- SOCKS 4 and 4a ------------------------------------------------------------------------------------------------

UpgradeUnit read_socks4_request(Bytes stream, Upgrade& upgrade) noexcept {
  constexpr std::size_t fixed_bytes = 8, bytes_max = fixed_bytes + 512;
  const Bytes bytes = stream.first(std::min(stream.size(), bytes_max));
  if (bytes.size() > 1 && bytes[1] != command_connect) return {};
  if (bytes.size() < fixed_bytes) return {Parse::need_more, 0, {}};
  Reader reader(bytes);
  reader.skip(4);
  const std::uint32_t address = reader.u32();
  const bool named = (address >> 8U) == 0 && address != 0;  // 0.0.0.x: a name follows (SOCKS 4a)
  const Terminated user = read_terminated(reader);
  if (!user.complete) return more_or_not(bytes.size() < bytes_max);
  const Terminated name = named ? read_terminated(reader) : Terminated{true, {}};
  if (!name.complete) return more_or_not(bytes.size() < bytes_max);
  ask(upgrade);
  return {Parse::done, bytes.size() - reader.left(), name.text};
}

void take_socks4_byte(std::uint8_t byte, Upgrade& upgrade) noexcept {
  constexpr std::uint16_t reply_bytes = 8;
  constexpr char granted = 0x5a;
  if (upgrade.step != Step::asked) return;
  note_said(upgrade, byte);
  if (upgrade.said < reply_bytes) return;
  if (upgrade.text[0] == 0 && upgrade.text[1] == granted) {
    enter_tunnel(upgrade);
  } else {
    answer(upgrade, Step::refused);
  }
}

// ---- SOCKS 5 -------------------------------------------------------------------------------------------------------

namespace {

enum Socks5 : std::uint8_t { greeting, authentication, request };
enum AddressType : std::uint8_t { ipv4 = 1, domain = 3, ipv6 = 4 };
constexpr std::uint8_t socks5_version = 5, authentication_version = 1;

// Bytes of an address and port behind its type; the first byte of a name says how long it is.
[[nodiscard]] std::size_t address_bytes(std::uint8_t type, std::uint8_t first) noexcept {
  switch (type) {
    case ipv4:
      return 4 + 2;
    case domain:
      return std::size_t{1} + first + 2;
    case ipv6:
      return 16 + 2;
    default:
      return 0;
  }
}

[[nodiscard]] UpgradeUnit read_greeting(Bytes bytes) noexcept {
  if (bytes.size() < 2) return {Parse::need_more, 0, {}};
  const std::size_t length = std::size_t{2} + bytes[1];
  return bytes.size() < length ? UpgradeUnit{Parse::need_more, 0, {}} : UpgradeUnit{Parse::done, length, {}};
}

// RFC 1929 section 2: user name and password.
[[nodiscard]] UpgradeUnit read_authentication(Bytes bytes) noexcept {
  if (bytes[0] != authentication_version) return {};
  Reader reader(bytes);
  reader.skip(1);
  (void)reader.vector8();
  (void)reader.vector8();
  if (reader.failed()) return {Parse::need_more, 0, {}};
  return {Parse::done, bytes.size() - reader.left(), {}};
}

[[nodiscard]] UpgradeUnit read_request(Bytes bytes) noexcept {
  if (bytes.size() > 1 && bytes[1] != command_connect) return {};
  if (bytes.size() < 5) return {Parse::need_more, 0, {}};
  const std::size_t length = address_bytes(bytes[3], bytes[4]);
  if (length == 0) return {};
  if (bytes.size() < 4 + length) return {Parse::need_more, 0, {}};
  const std::string_view name = bytes[3] == domain ? text_of(bytes.subspan(5, bytes[4])) : std::string_view{};
  return {Parse::done, 4 + length, name};
}

void take_method(Upgrade& upgrade) noexcept {
  constexpr char none = 0, password = 2;
  const char method = upgrade.text[1];
  answer(upgrade, method == none || method == password ? Step::commands : Step::refused);
  upgrade.kind = method == password ? authentication : request;
}

void take_socks5_reply(Upgrade& upgrade) noexcept {
  constexpr std::size_t head = 5;
  if (upgrade.said < head) return;
  const std::size_t length =
      address_bytes(static_cast<std::uint8_t>(upgrade.text[3]), static_cast<std::uint8_t>(upgrade.text[4]));
  if (upgrade.said < 4 + length) return;
  if (upgrade.text[1] == 0 && length != 0) {
    enter_tunnel(upgrade);
  } else {
    answer(upgrade, Step::refused);
  }
}

}  // namespace

UpgradeUnit read_socks5_message(Bytes bytes, Upgrade& upgrade) noexcept {
  const std::uint8_t kind = upgrade.kind;
  if (kind != authentication && bytes[0] != socks5_version) return {};
  const UpgradeUnit unit = kind == greeting         ? read_greeting(bytes)
                           : kind == authentication ? read_authentication(bytes)
                                                    : read_request(bytes);
  if (unit.parse == Parse::done) ask(upgrade, kind);
  return unit;
}

void take_socks5_byte(std::uint8_t byte, Upgrade& upgrade) noexcept {
  if (upgrade.step != Step::asked) return;
  note_said(upgrade, byte);
  if (upgrade.kind == request) {
    take_socks5_reply(upgrade);
  } else if (upgrade.said == 2) {
    const std::uint8_t asked = upgrade.kind;
    if (asked == greeting) {
      take_method(upgrade);
    } else {
      answer(upgrade, upgrade.text[1] == 0 ? Step::commands : Step::refused);
      upgrade.kind = request;
    }
  }
}

// ---- HTTP CONNECT --------------------------------------------------------------------------------------------------

namespace {

constexpr std::string_view connect = "CONNECT ";

// RFC 9110 section 9.3.6: CONNECT has no content; a proxy that reads some begins the next request elsewhere. Some
// clients say that they send none.
[[nodiscard]] bool has_content(std::string_view head) noexcept {
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find('\n'));
    head.remove_prefix(std::min(line.size() + 1, head.size()));
    const std::size_t colon = std::min(line.find(':'), line.size());
    const std::string_view name = line.substr(0, colon);
    std::string_view value = line.substr(std::min(colon + 1, line.size()));
    if (value.ends_with('\r')) value.remove_suffix(1);
    if (resembles(name, "content-length") || resembles(name, "transfer-encoding")) return true;
    if (same(name, "transfer-encoding") || (same(name, "content-length") && trimmed(value) != "0")) return true;
  }
  return false;
}

}  // namespace

// RFC 9112 section 3.2.3: the target is the authority; a Host that says otherwise makes two names of one (3.2).
UpgradeUnit read_connect_request(Bytes bytes, Upgrade& upgrade) noexcept {
  const std::string_view text = text_of(bytes.first(std::min(bytes.size(), head_bytes_max)));
  if (text.substr(0, connect.size()) != connect.substr(0, text.size())) return {};
  HttpRequest head;
  const Parse parse = parse_http_request(bytes.first(text.size()), head);
  if (parse == Parse::need_more) return more_or_not(text.size() < head_bytes_max);
  if (parse != Parse::done) return {parse, 0, {}};
  const std::string_view host = host_of(head.target);
  if (head.has_host && !head.host.empty() && !same(host_of(head.host), host)) return {Parse::malformed, 0, {}};
  const std::size_t end = std::min(text.find("\n\r\n"), text.find("\n\n"));
  if (has_content(text.substr(0, end))) return {Parse::malformed, 0, {}};
  ask(upgrade);
  upgrade.kind = 0;
  upgrade.pending = 0;
  return {Parse::done, end + (text[end + 1] == '\r' ? 3 : 2), host};
}

// The status line, then lines up to an empty one.
void take_connect_byte(std::uint8_t byte, Upgrade& upgrade) noexcept {
  constexpr std::size_t status_at = 9;  // behind "HTTP/1.1 "
  if (upgrade.step != Step::asked) return;
  if (byte != '\n') {
    note_said(upgrade, byte);
    return;
  }
  const std::string_view line = said(upgrade);
  const bool empty = line.empty() || line == "\r";
  if (upgrade.pending == 0) {
    upgrade.kind =
        line.starts_with("HTTP/1.") && line.size() > status_at ? static_cast<std::uint8_t>(line[status_at]) : 0;
    upgrade.pending = 1;
  } else if (empty) {
    const std::uint8_t hundreds = upgrade.kind;
    answer(upgrade, hundreds == '1' ? Step::asked : Step::commands);
    upgrade.pending = 0;
    if (hundreds == '2') enter_tunnel(upgrade);
    return;
  }
  upgrade.said = 0;
}

}  // namespace sallyport::classifier::names
