#include "src/flow_record_json.h"

#include <array>
#include <bit>
#include <cctype>
#include <chrono>
#include <iterator>

#include <fmt/compile.h>

#include "src/port_record_json.h"

namespace sallyport {
namespace {

using dataplane::AppProtocol;
using dataplane::FlowEnd;
using dataplane::FlowPhase;
using dataplane::FlowRecord;
using dataplane::IpProtocol;

void append(JsonBuffer& out, std::string_view text) { out.append(text.data(), text.data() + text.size()); }

void append_number(JsonBuffer& out, std::uint64_t value) {
  const fmt::format_int digits(value);
  out.append(digits.data(), digits.data() + digits.size());
}

void append_member(JsonBuffer& out, std::string_view quoted_key_and_colon, std::string_view value) {
  append(out, quoted_key_and_colon);
  append_json_string(out, value);
}

constexpr std::uint16_t host_order(std::uint16_t network_order) noexcept {
  static_assert(std::endian::native == std::endian::little);
  return static_cast<std::uint16_t>((network_order << 8U) | (network_order >> 8U));
}

std::string_view text_of(AppProtocol app) noexcept {
  constexpr std::array<std::string_view, 7> texts = {"", "tls", "quic", "http", "http2", "dns", "socks"};
  return texts[static_cast<std::size_t>(app)];
}

// "new", "established" and "closed" are EVE's words.
std::string_view text_of(FlowPhase phase) noexcept {
  constexpr std::array<std::string_view, 4> texts = {"new", "established", "closing", "closed"};
  return texts[static_cast<std::size_t>(phase)];
}

std::string_view text_of(FlowEnd end) noexcept {
  constexpr std::array<std::string_view, 7> texts = {"", "denied", "fin", "rst", "timeout", "shutdown", "replaced"};
  return texts[static_cast<std::size_t>(end)];
}

// How many bytes from `at` on are one well-formed UTF-8 character (Unicode 15, table 3-7); 0: they are not.
std::size_t utf8_length(std::string_view bytes, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) {
    return i < bytes.size() ? static_cast<std::uint8_t>(bytes[i]) : std::uint8_t{0};
  };
  const std::uint8_t lead = byte(at);
  const std::size_t length = lead >= 0xc2 && lead <= 0xdf   ? 2
                             : lead >= 0xe0 && lead <= 0xef ? 3
                             : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                            : 0;
  if (length == 0) return 0;
  const std::uint8_t second = byte(at + 1);
  const std::uint8_t lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const std::uint8_t highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(at + i) & 0xc0U) != 0x80) return 0;
  }
  return length;
}

bool is_plain(std::uint8_t byte) noexcept { return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\'; }

// Of well-formed characters, those that end a line or steer a terminal: C1 controls (U+0080 to U+009F), U+2028, U+2029.
bool is_harmless(std::string_view character) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(character[i]); };
  if (byte(0) == 0xc2) return byte(1) >= 0xa0;
  return !(byte(0) == 0xe2 && byte(1) == 0x80 && (byte(2) == 0xa8 || byte(2) == 0xa9));
}

void append_escaped(JsonBuffer& out, std::uint8_t byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  append(out, "\\u00");
  out.push_back(digits[byte >> 4U]);
  out.push_back(digits[byte & 15U]);
}

// A well-formed one; what is escaped lies below U+FFFF.
void append_character(JsonBuffer& out, std::string_view character) {
  if (is_harmless(character)) {
    append(out, character);
  } else if (character.size() == 2) {
    append_escaped(out, static_cast<std::uint8_t>(character[1]));
  } else {
    append(out, static_cast<std::uint8_t>(character[2]) == 0xa8 ? "\\u2028" : "\\u2029");
  }
}

// Suricata's spelling: the four letters of Google's versions ("Q046"), else the number in hexadecimal ("1",
// "6b3343cf").
void append_quic_version(JsonBuffer& out, std::uint32_t version) {
  std::array<char, 4> letters{};
  bool printable = true;
  for (unsigned i = 0; i < letters.size(); ++i) {
    letters[i] = static_cast<char>(version >> (24U - 8U * i));
    printable = printable && std::isalnum(static_cast<unsigned char>(letters[i])) != 0;
  }
  if (printable) {
    append_json_string(out, {letters.data(), letters.size()});
  } else {
    fmt::format_to(std::back_inserter(out), FMT_COMPILE("\"{:x}\""), version);
  }
}

void append_endpoints(JsonBuffer& out, const FlowRecord& record) {
  const dataplane::FlowKey& key = record.inside;
  append(out, ",\"src_ip\":\"");
  append(out, to_string(key.source_address()));
  append(out, "\",\"src_port\":");
  append_number(out, host_order(key.source_port));
  append(out, ",\"dest_ip\":\"");
  append(out, to_string(key.destination_address()));
  append(out, "\",\"dest_port\":");
  append_number(out, host_order(key.destination_port));
  append(out, ",\"proto\":\"");
  if (const std::string_view name = protocol_text(key.protocol); !name.empty()) {
    append(out, name);
  } else {
    append_number(out, static_cast<std::uint64_t>(key.protocol));
  }
  append(out, "\"");
  if (key.protocol == IpProtocol::icmp) append(out, ",\"icmp_type\":8,\"icmp_code\":0");
  if (key.protocol == IpProtocol::icmp6) append(out, ",\"icmp_type\":128,\"icmp_code\":0");
}

// The object of the application protocol: `"tls":{"sni":..,"ech":true}`.
void append_application(JsonBuffer& out, const FlowRecord& record) {
  if (record.app == AppProtocol::unknown) return;
  const std::string_view name = record.server_name();
  const bool http = record.app == AppProtocol::http || record.app == AppProtocol::http2;
  append_member(out, ",\"app_proto\":", text_of(record.app));
  const bool version = record.app == AppProtocol::quic && record.quic_version != 0;
  if (name.empty() && record.http_url().empty() && !record.ech && !version) return;
  append(out, ",\"");
  append(out, http ? "http" : text_of(record.app));
  append(out, "\":{");
  std::string_view separator;
  const auto next = [&] {
    append(out, separator);
    separator = ",";
  };
  if (!name.empty()) {
    next();
    append_member(out, http || record.app == AppProtocol::socks ? "\"hostname\":" : "\"sni\":", name);
  }
  if (!record.http_method().empty()) {
    next();
    append_member(out, "\"http_method\":", record.http_method());
  }
  if (!record.http_url().empty()) {
    next();
    append_member(out, "\"url\":", record.http_url());
  }
  if (version) {
    next();
    append(out, "\"version\":");
    append_quic_version(out, record.quic_version);
  }
  if (record.ech) {
    next();
    append(out, "\"ech\":true");
  }
  append(out, "}");
}

void append_flow(JsonBuffer& out, const FlowRecord& record) {
  fmt::format_to(
      std::back_inserter(out),
      FMT_COMPILE(",\"flow\":{{\"pkts_toserver\":{},\"pkts_toclient\":{},\"bytes_toserver\":{},\"bytes_toclient\":{}"),
      record.packets[0], record.packets[1], record.bytes[0], record.bytes[1]);
  append(out, ",\"start\":");
  append_json_time(out, record.start_ns);
  append(out, ",\"end\":");
  append_json_time(out, record.end_ns);
  append_member(out, ",\"state\":", text_of(record.phase));
  if (record.end != FlowEnd::none) append_member(out, ",\"reason\":", text_of(record.end));
  append(out, "}");
}

std::string_view action_of(const FlowRecord& record) noexcept {
  return record.waiting ? "waiting" : record.allowed ? "allow" : "deny";
}

// What the shadow policy would have said, where that is otherwise.
void append_shadow(JsonBuffer& out, const FlowRecord& record, const classifier::Identities& identities) {
  if (!record.shadow_differs) return;
  constexpr std::array<std::string_view, 3> actions = {"deny", "allow", "needs_name"};
  append_member(out, ",\"shadow\":{\"action\":", actions[static_cast<std::size_t>(record.shadow_action)]);
  if (record.shadow_action != classifier::Action::needs_name) {
    append_member(out, ",\"reason\":", classifier::to_string(record.shadow_reason));
  }
  if (record.shadow_layer != classifier::Layer::none) {
    append_member(out, ",\"layer\":", classifier::to_string(record.shadow_layer));
  }
  if (record.shadow_rule != 0) append_member(out, ",\"rule\":", identities.name(record.shadow_rule));
  if (record.shadow_network != 0) append_member(out, ",\"network\":", identities.name(record.shadow_network));
  append(out, "}");
}

void append_nat(JsonBuffer& out, const FlowRecord& record, const classifier::Identities& identities) {
  if (!record.translated) return;
  append(out, ",\"nat\":{");
  if (record.egress != 0) {
    append_member(out, "\"egress\":", identities.name(record.egress));
    append(out, ",");
  }
  append(out, "\"src_ip\":\"");
  append(out, to_string(record.nat_address));
  append(out, "\",\"src_port\":");
  append_number(out, host_order(record.nat_port));
  append(out, "}");
}

}  // namespace

std::string_view protocol_text(IpProtocol protocol) noexcept {
  switch (protocol) {
    case IpProtocol::icmp:
      return "ICMP";
    case IpProtocol::tcp:
      return "TCP";
    case IpProtocol::udp:
      return "UDP";
    case IpProtocol::icmp6:
      return "IPv6-ICMP";
    case IpProtocol::sctp:
      return "SCTP";
  }
  return protocol == dataplane::gre ? "GRE" : protocol == dataplane::esp ? "ESP" : "";
}

void append_json(JsonBuffer& out, const FlowRecord& record, const classifier::Identities& identities) {
  if (record.kind != dataplane::RecordKind::flow) {
    append_ports(out, record, identities);
    return;
  }
  append(out, "{\"timestamp\":");
  append_json_time(out, record.written_ns);
  append(out, ",\"flow_id\":");
  append_number(out, record.id);
  append(out, ",\"event_type\":\"flow\"");
  append_endpoints(out, record);
  append_application(out, record);
  append_flow(out, record);
  append(out, ",");
  append_verdict_member(out, {.action = action_of(record),
                              .reason = record.waiting ? std::nullopt : std::optional(record.reason),
                              .layer = record.layer,
                              .rule = identities.name(record.rule),
                              .network = identities.name(record.network),
                              .audited = record.audited});
  append_source_member(out, identities.name(record.namespace_name), identities.name(record.workload));
  append_nat(out, record, identities);
  append_shadow(out, record, identities);
  append(out, "}");
}

void append_verdict_member(JsonBuffer& out, const VerdictText& verdict) {
  append_member(out, "\"verdict\":{\"action\":", verdict.action);
  if (verdict.reason) append_member(out, ",\"reason\":", classifier::to_string(*verdict.reason));
  if (verdict.layer != classifier::Layer::none) append_member(out, ",\"layer\":", classifier::to_string(verdict.layer));
  if (!verdict.rule.empty()) append_member(out, ",\"rule\":", verdict.rule);
  if (!verdict.network.empty()) append_member(out, ",\"network\":", verdict.network);
  if (verdict.audited) append(out, ",\"audited\":true");
  append(out, "}");
}

void append_source_member(JsonBuffer& out, std::string_view namespace_name, std::string_view workload) {
  if (namespace_name.empty() && workload.empty()) return;
  append_member(out, ",\"source\":{\"namespace\":", namespace_name);
  if (!workload.empty()) append_member(out, ",\"workload\":", workload);
  append(out, "}");
}

void append_json_string(JsonBuffer& out, std::string_view bytes) {
  out.push_back('"');
  for (std::size_t at = 0; at < bytes.size();) {
    const auto byte = static_cast<std::uint8_t>(bytes[at]);
    if (is_plain(byte)) {
      out.push_back(bytes[at++]);
    } else if (byte == '"' || byte == '\\') {
      out.push_back('\\');
      out.push_back(bytes[at++]);
    } else if (const std::size_t length = utf8_length(bytes, at); length != 0) {
      append_character(out, bytes.substr(at, length));
      at += length;
    } else {
      append_escaped(out, byte);
      ++at;
    }
  }
  out.push_back('"');
}

void append_json_time(JsonBuffer& out, std::uint64_t since_epoch_ns) {
  using namespace std::chrono;
  const sys_time<microseconds> time{microseconds{since_epoch_ns / 1000}};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  fmt::format_to(std::back_inserter(out), FMT_COMPILE("\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}+0000\""),
                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                 clock.hours().count(), clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

}  // namespace sallyport
