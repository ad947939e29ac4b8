// The dialogues in lines (SMTP, FTP, IMAP, POP3) and in tags (XMPP).
#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "classifier/names/upgrade_protocols.h"

namespace sallyport::classifier::names {
namespace {

constexpr std::size_t line_bytes_max = 512;  // RFC 5321 section 4.5.3.1.4
constexpr std::size_t tag_bytes_max = 2048;  // a stream header with its name spaces
constexpr std::uint8_t smtp = 0, ftp = 1;

[[nodiscard]] char upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
[[nodiscard]] bool equal(std::string_view text, std::string_view upper_case) noexcept {
  return std::equal(text.begin(), text.end(), upper_case.begin(), upper_case.end(),
                    [](char a, char b) { return upper(a) == b; });
}
[[nodiscard]] bool is_printable(char c) noexcept { return c >= 0x20 && c < 0x7f; }

// One line with its CR LF. A bare LF or CR, or any other control: some servers would see the end of a command there.
struct Line {
  Parse parse = Parse::not_this;
  std::string_view text;
};
[[nodiscard]] Line read_line(Bytes bytes) noexcept {
  const std::string_view text = text_of(bytes).substr(0, line_bytes_max);
  const auto end = std::find_if_not(text.begin(), text.end(), is_printable);
  const auto length = static_cast<std::size_t>(end - text.begin());
  const std::string_view rest = text.substr(length);
  if (rest.starts_with("\r\n")) return {Parse::done, text.substr(0, length)};
  if ((rest.empty() && text.size() < line_bytes_max) || rest == "\r") return {Parse::need_more, {}};
  return {};
}
[[nodiscard]] UpgradeUnit whole(const Line& line) noexcept { return {Parse::done, line.text.size() + 2, {}}; }

struct Command {
  std::string_view verb, arguments;
};
[[nodiscard]] Command split(std::string_view line) noexcept {
  const std::size_t blank = std::min(line.find(' '), line.size());
  return {line.substr(0, blank), line.substr(std::min(blank + 1, line.size()))};
}

template <std::size_t count>
[[nodiscard]] bool is_one_of(std::string_view verb, const std::array<std::string_view, count>& verbs) noexcept {
  return std::any_of(verbs.begin(), verbs.end(), [&](std::string_view known) { return equal(verb, known); });
}

// Takes the server's bytes up to the end of a line, which is answered without CR and LF, as far as it is kept.
[[nodiscard]] std::optional<std::string_view> take_line(std::uint8_t byte, Upgrade& upgrade) noexcept {
  if (byte != '\n') {
    note_said(upgrade, byte);
    return std::nullopt;
  }
  std::string_view line = said(upgrade);
  if (line.ends_with('\r')) line.remove_suffix(1);
  upgrade.said = 0;
  return line;
}

}  // namespace

// ---- SMTP, FTP -----------------------------------------------------------------------------------------------------

UpgradeUnit read_reply_codes_command(Bytes bytes, Upgrade& upgrade) noexcept {
  constexpr std::array<std::string_view, 3> greetings{"EHLO", "HELO", "LHLO"};
  constexpr std::array<std::string_view, 8> harmless{"NOOP", "RSET", "QUIT",      "HELP",
                                                     "FEAT", "SYST", "OPTS UTF8", "OPTS UTF8 ON"};
  constexpr std::array<std::string_view, 4> mechanisms{"TLS", "SSL", "TLS-C", "TLS-P"};
  const Line line = read_line(bytes);
  if (line.parse != Parse::done) return {line.parse, 0, {}};
  const Command command = split(line.text);
  if (equal(command.verb, "STARTTLS") && command.arguments.empty()) {
    upgrade.step = Step::asked;
    upgrade.kind = smtp;
  } else if (equal(command.verb, "AUTH") && is_one_of(command.arguments, mechanisms)) {
    upgrade.step = Step::asked;
    upgrade.kind = ftp;
  } else if (!is_one_of(command.verb, greetings) && !is_one_of(line.text, harmless)) {
    return {};
  }
  ++upgrade.pending;
  return whole(line);
}

void take_reply_codes_byte(std::uint8_t byte, Upgrade& upgrade) noexcept {
  const std::optional<std::string_view> line = take_line(byte, upgrade);
  // RFC 5321 section 4.2.1, RFC 959 section 4.2: the last line of a reply is the one with a blank behind its code.
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!line || line->size() < 3 || !std::all_of(line->begin(), line->begin() + 3, is_digit)) return;
  if (line->size() > 3 && (*line)[3] != ' ') return;
  if (upgrade.pending != 0) --upgrade.pending;
  if (upgrade.pending != 0 || upgrade.step != Step::asked) return;
  answer(upgrade, line->starts_with(upgrade.kind == smtp ? "220" : "234") ? Step::tls : Step::commands);
}

// ---- IMAP ----------------------------------------------------------------------------------------------------------

namespace {
enum Imap : std::uint8_t { greets, answers };  // the server

}

UpgradeUnit read_imap_command(Bytes bytes, Upgrade& upgrade) noexcept {
  constexpr std::array<std::string_view, 3> harmless{"CAPABILITY", "NOOP", "LOGOUT"};
  const Line line = read_line(bytes);
  if (line.parse != Parse::done) return {line.parse, 0, {}};
  const auto [tag, rest] = split(line.text);
  const Command command = split(rest);
  if (tag.empty() || tag == "*" || tag == "+" || tag.size() > upgrade.tag.size()) return {};
  if (equal(command.verb, "STARTTLS") && command.arguments.empty()) {
    upgrade.step = Step::asked;
    upgrade.tag_bytes = static_cast<std::uint8_t>(tag.size());
    std::copy(tag.begin(), tag.end(), upgrade.tag.begin());
    ++upgrade.pending;
    return whole(line);
  }
  // ID (RFC 2971) has arguments, but no literal: that would put any bytes behind the line.
  const bool id = equal(command.verb, "ID") && !line.text.ends_with('}');
  const bool known = is_one_of(command.verb, harmless) && command.arguments.empty();
  if (!id && !known) return {};
  ++upgrade.pending;
  return whole(line);
}

void take_imap_byte(std::uint8_t byte, Upgrade& upgrade) noexcept {
  const std::optional<std::string_view> line = take_line(byte, upgrade);
  if (!line) return;
  const auto [tag, rest] = split(*line);
  const bool ends = upgrade.kind == greets || (tag != "*" && tag != "+");
  upgrade.kind = answers;
  if (ends && upgrade.pending != 0) --upgrade.pending;
  // A client may give the tag of the command that asks to one before it as well.
  if (upgrade.pending != 0 || upgrade.step != Step::asked) return;
  if (tag != std::string_view(upgrade.tag.data(), upgrade.tag_bytes)) return;
  answer(upgrade, equal(rest.substr(0, 2), "OK") ? Step::tls : Step::commands);
}

// ---- POP3 ----------------------------------------------------------------------------------------------------------

namespace {
enum Pop3 : std::uint8_t { one_line, list, list_goes_on };
}

UpgradeUnit read_pop3_command(Bytes bytes, Upgrade& upgrade) noexcept {
  if (upgrade.pending != 0) return {};
  const Line line = read_line(bytes);
  if (line.parse != Parse::done) return {line.parse, 0, {}};
  if (equal(line.text, "STLS")) {
    upgrade.step = Step::asked;
  } else if (!is_one_of(line.text, std::array<std::string_view, 4>{"CAPA", "AUTH", "NOOP", "QUIT"})) {
    return {};
  }
  upgrade.pending = 1;
  // AUTH without a mechanism asks which ones there are, as older clients do first.
  upgrade.kind = equal(line.text, "CAPA") || equal(line.text, "AUTH") ? list : one_line;
  return whole(line);
}

void take_pop3_byte(std::uint8_t byte, Upgrade& upgrade) noexcept {
  const std::optional<std::string_view> line = take_line(byte, upgrade);
  if (!line || upgrade.pending == 0) return;
  if (upgrade.kind == list && line->starts_with('+')) {
    upgrade.kind = list_goes_on;
    return;
  }
  if (upgrade.kind == list_goes_on && *line != ".") return;
  upgrade.pending = 0;
  upgrade.kind = one_line;
  if (upgrade.step == Step::asked) answer(upgrade, line->starts_with("+OK") ? Step::tls : Step::commands);
}

// ---- XMPP ----------------------------------------------------------------------------------------------------------

// A tag, or white space in front of one. '>' may stand in the quotes of an attribute. The server answers a stream's
// header by its own (RFC 6120 section 4.2); until then there is no other.
UpgradeUnit read_xmpp_tag(Bytes bytes, Upgrade& upgrade) noexcept {
  const std::string_view text = text_of(bytes).substr(0, tag_bytes_max);
  if (const std::size_t blanks = std::min(text.find_first_not_of(" \t\r\n"), text.size()); blanks != 0)
    return {Parse::done, blanks, {}};
  if (text.front() != '<') return {};
  char quote = 0;
  std::size_t end = 1;
  for (; end < text.size() && (quote != 0 || text[end] != '>'); ++end) {
    if (quote != 0 ? text[end] == quote : text[end] == '"' || text[end] == '\'') quote = quote != 0 ? '\0' : text[end];
  }
  if (end == text.size()) return {text.size() < tag_bytes_max ? Parse::need_more : Parse::not_this, 0, {}};
  const std::string_view tag = text.substr(1, end - 1);
  const std::string_view name = tag.substr(0, tag.find_first_of(" \t\r\n/"));
  if (name == "starttls") {
    const bool closed = tag.ends_with('/') || text.substr(end + 1).starts_with("</starttls>");
    if (!closed) return {text.size() < end + 12 ? Parse::need_more : Parse::not_this, 0, {}};
    ask(upgrade);
    return {Parse::done, end + (tag.ends_with('/') ? 1 : 12), {}};
  }
  const bool header = name == "stream:stream";
  if (header && upgrade.pending != 0) return {};
  if (header) upgrade.pending = 1;
  const bool known = header || name == "?xml" || tag == "/stream:stream";
  return known ? UpgradeUnit{Parse::done, end + 1, {}} : UpgradeUnit{};
}

void take_xmpp_byte(std::uint8_t byte, Upgrade& upgrade) noexcept {
  if (byte == '<') upgrade.said = 0;
  note_said(upgrade, byte);
  const bool empty = upgrade.kind == '/';  // the tag that ends now is an element's only one
  upgrade.kind = byte;
  if (byte != '>') return;
  if (said(upgrade).starts_with("<stream:stream")) upgrade.pending = 0;
  if (upgrade.step != Step::asked) return;
  if (said(upgrade).starts_with(empty ? "<proceed" : "</proceed")) answer(upgrade, Step::tls);
  if (said(upgrade).starts_with("<failure")) answer(upgrade, Step::refused);
}

}  // namespace sallyport::classifier::names
