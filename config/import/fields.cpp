#include "config/import/fields.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "config/bounds.h"
#include "config/document/in_quotes.h"
#include "config/martian.h"

namespace sallyport::config {
namespace {

void report_kind(const YamlNode& node, std::string_view expected, const ObjectReport& report) {
  report.lost(node.at, fmt::format("expected {}, this is {}; left out", expected,
                                   node.kind == YamlNode::Kind::scalar ? in_quotes(node.text) : kind_of(node)));
}

// "080" and "010" are other numbers to some readers of YAML.
bool is_octal(std::string_view text) noexcept { return text.size() > 1 && text.front() == '0'; }

Prefix host_prefix(const IpAddress& address) noexcept {
  return {address, static_cast<std::uint8_t>(address_bits(address.family))};
}

// "::ffff:192.0.2.0/120" (RFC 4291 section 2.5.5.2) means IPv4 to Kubernetes, and no packet here has such an address.
Prefix without_mapping(const Prefix& prefix, Location at, const ObjectReport& report) {
  static const Prefix mapped = parse_prefix("::ffff:0:0/96")->prefix;
  if (!mapped.contains(prefix)) return prefix;
  const std::uint8_t* const v4 = prefix.address.bytes.data() + mapped.length / 8;
  const Prefix meant{IpAddress::from_bytes(Family::v4, v4), static_cast<std::uint8_t>(prefix.length - mapped.length)};
  report.note(at, fmt::format("an IPv4 address in IPv6 writing; taken for {}", to_string(meant)));
  return meant;
}

bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

std::optional<std::string> read_text(const YamlNode& node, const ObjectReport& report) {
  if (node.kind != YamlNode::Kind::scalar) {
    report_kind(node, "a text", report);
    return std::nullopt;
  }
  const bool too_long = node.text.size() > bounds::text_bytes;
  if (too_long || std::any_of(node.text.begin(), node.text.end(), is_control)) {
    report.lost(node.at, fmt::format("{}: {}; left out", in_quotes(node.text),
                                     too_long ? "the text is too long" : "the text holds control characters"));
    return std::nullopt;
  }
  return node.text;
}

std::optional<std::int64_t> read_number(const YamlNode& node, std::int64_t least, std::int64_t most,
                                        const ObjectReport& report) {
  std::int64_t number = 0;
  const char* end = node.text.data() + node.text.size();
  const auto [stop, error] = std::from_chars(node.text.data(), end, number);
  const bool whole = node.kind == YamlNode::Kind::scalar && error == std::errc{} && stop == end && !is_octal(node.text);
  if (!whole || number < least || number > most) {
    report.lost(node.at, fmt::format("expected a number from {} to {}, this is {}; left out", least, most,
                                     node.kind == YamlNode::Kind::scalar ? in_quotes(node.text) : kind_of(node)));
    return std::nullopt;
  }
  return number;
}

std::optional<bool> read_boolean(const YamlNode& node, const ObjectReport& report) {
  if (node.kind == YamlNode::Kind::scalar && node.text == "true") return true;
  if (node.kind == YamlNode::Kind::scalar && node.text == "false") return false;
  report_kind(node, "true or false", report);
  return std::nullopt;
}

std::optional<IpAddress> read_address(const YamlNode& node, const ObjectReport& report) {
  const auto text = read_text(node, report);
  if (!text) return std::nullopt;
  const auto address = parse_address(*text);
  if (!address) {
    report.lost(node.at, fmt::format("{} is no address; left out", in_quotes(*text)));
    return std::nullopt;
  }
  return without_mapping(host_prefix(*address), node.at, report).address;
}

bool can_be_left_under(const AddressRange& range, const Location& at, const ObjectReport& report) {
  const std::string_view martian = martian_in(range);
  if (!martian.empty()) report.lost(at, fmt::format("no flow can leave under an address of {}; left out", martian));
  return martian.empty();
}

std::optional<IpAddress> read_egress_address(const YamlNode& node, const ObjectReport& report) {
  const auto address = read_address(node, report);
  return address && can_be_left_under({*address, *address}, node.at, report) ? address : std::nullopt;
}

std::optional<Prefix> read_prefix(const YamlNode& node, const ObjectReport& report) {
  const auto text = read_text(node, report);
  if (!text) return std::nullopt;
  if (const auto prefix = parse_prefix(*text)) return without_mapping(prefix->prefix, node.at, report);
  if (const auto address = parse_address(*text)) return without_mapping(host_prefix(*address), node.at, report);
  report.lost(node.at, fmt::format("{} is no CIDR; left out", in_quotes(*text)));
  return std::nullopt;
}

Fields::Fields(const YamlNode* node, const ObjectReport& report) : node_(node), report_(report) {
  if (node_ == nullptr || node_->kind == YamlNode::Kind::mapping) return;
  report_kind(*node_, "a mapping", report_);
  node_ = nullptr;
  whole_ = false;
}

Fields::~Fields() {
  if (node_ == nullptr) return;
  for (const YamlEntry& entry : node_->entries) {
    if (std::find(asked_.begin(), asked_.end(), entry.key) != asked_.end()) continue;
    report_.lost(entry.at, fmt::format("{}: import does not know this field; left out", in_quotes(entry.key)));
  }
}

const YamlNode* Fields::find(std::string_view key) {
  asked_.push_back(key);
  const YamlNode* value = node_ == nullptr ? nullptr : node_->find(key);
  return value == nullptr || value->kind == YamlNode::Kind::null ? nullptr : value;
}

std::optional<std::string> Fields::text(std::string_view key) {
  const YamlNode* value = find(key);
  return value == nullptr ? std::nullopt : read(read_text(*value, report_));
}

std::optional<std::int64_t> Fields::number(std::string_view key, std::int64_t least, std::int64_t most) {
  const YamlNode* value = find(key);
  return value == nullptr ? std::nullopt : read(read_number(*value, least, most, report_));
}

std::optional<bool> Fields::boolean(std::string_view key) {
  const YamlNode* value = find(key);
  return value == nullptr ? std::nullopt : read(read_boolean(*value, report_));
}

const std::vector<YamlNode>& Fields::list(std::string_view key) {
  static const std::vector<YamlNode> empty;
  const YamlNode* value = find(key);
  if (value == nullptr) return empty;
  if (value->kind == YamlNode::Kind::sequence) return value->items;
  report_kind(*value, "a list", report_);
  whole_ = false;
  return empty;
}

std::vector<std::string> Fields::texts(std::string_view key) {
  std::vector<std::string> found;
  for (const YamlNode& item : list(key)) {
    if (auto value = read(read_text(item, report_))) found.push_back(std::move(*value));
  }
  return found;
}

std::vector<Prefix> Fields::prefixes(std::string_view key) {
  std::vector<Prefix> found;
  for (const YamlNode& item : list(key)) {
    if (const auto value = read(read_prefix(item, report_))) found.push_back(*value);
  }
  return found;
}

bool Fields::lost(std::string_view key, std::string_view message) {
  const YamlNode* value = find(key);
  if (value == nullptr) return false;
  report_.lost(value->at, fmt::format("{}: {}", key, message));
  return true;
}

void Fields::without_meaning(std::initializer_list<std::string_view> keys) {
  asked_.insert(asked_.end(), keys.begin(), keys.end());
}

}  // namespace sallyport::config
