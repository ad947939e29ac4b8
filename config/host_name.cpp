#include "config/host_name.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <idn2.h>

#include "config/address.h"
#include "config/document/in_quotes.h"
#include "config/document/utf8.h"

namespace sallyport::config {
namespace {

constexpr std::size_t longest_name = 253;
constexpr std::size_t longest_label = 63;
// A U-label is never shorter than this share of its A-label; longer texts need no conversion to be refused.
constexpr std::size_t longest_unicode = 4 * longest_name;

using Name = Parsed<std::string>;

bool is_ascii(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool is_name_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

char lowered(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

Name to_a_labels(std::string_view text) {
  const std::string terminated(text);
  char* converted = nullptr;
  const int status = idn2_to_ascii_8z(terminated.c_str(), &converted, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const std::unique_ptr<char, void (*)(void*)> owner(converted, idn2_free);
  if (status != IDN2_OK) return Name::failure(idn2_strerror(status));
  return std::string(converted);
}

// What is wrong with a lower-case ASCII name; null: nothing.
const char* fault_of(std::string_view name) {
  if (name.empty()) return "the name is empty";
  if (name.size() > longest_name) return "longer than 253 bytes";
  std::size_t label = 0;
  for (const char c : name) {
    if (c == '.') {
      if (label == 0) return "a label is empty";
      label = 0;
      continue;
    }
    if (c == '*') return "\"*\" stands only as the whole first label, as in \"*.example.com\"";
    if (!is_name_letter(c)) return "a host name holds letters, digits, \"-\", \"_\" and \".\" only";
    if (++label > longest_label) return "a label is longer than 63 bytes";
  }
  if (label == 0) return "a label is empty";
  // All names that are addresses end in a digit; the test is dear.
  if (name.back() >= '0' && name.back() <= '9' && parse_address(name)) return "an address is no host name";
  return nullptr;
}

}  // namespace

Name normalize_host_name(std::string_view text) {
  const auto wrong = [&](std::string_view why) { return Name::failure(fmt::format("{}: {}", in_quotes(text), why)); };
  std::string name(text);
  if (!is_ascii(text)) {
    if (text.size() > longest_unicode) return wrong("longer than 253 bytes");
    if (!is_utf8(text)) return wrong("not UTF-8");
    if (text.find('\0') != std::string_view::npos) return wrong("a NUL byte in a host name");
    auto converted = to_a_labels(text);
    if (!converted) return wrong(converted.error);
    name = std::move(*converted.value);
  }
  std::transform(name.begin(), name.end(), name.begin(), lowered);
  if (!name.empty() && name.back() == '.') name.pop_back();
  if (const char* fault = fault_of(name); fault != nullptr) {
    return wrong(parse_address(text) ? "an address is no host name" : fault);
  }
  return name;
}

Parsed<HostPattern> parse_host_pattern(std::string_view text) {
  HostPattern pattern;
  std::string_view name = text;
  if (text.starts_with("*.")) {
    pattern.kind = HostPattern::Kind::wildcard;
    name.remove_prefix(2);
  } else if (text.starts_with('.')) {
    pattern.kind = HostPattern::Kind::apex;
    name.remove_prefix(1);
  }
  auto normalized = normalize_host_name(name);
  if (!normalized) return Parsed<HostPattern>::failure(normalized.error);
  pattern.text = std::move(*normalized.value);
  return pattern;
}

}  // namespace sallyport::config
