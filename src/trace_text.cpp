#include "src/trace_text.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "dataplane/drop.h"
#include "src/list_text.h"

namespace sallyport {
namespace {

// "TCP 10.1.2.3:41000 > 198.51.100.7:443 [S] 74 bytes"
std::string packet_text(const Json& packet) {
  const std::string proto = text_at(packet, "proto");
  std::string text = proto;
  if (packet.contains("src_port")) {
    text += fmt::format(" {} > {}", endpoint(packet, "src_ip", "src_port"), endpoint(packet, "dest_ip", "dest_port"));
  } else if (packet.contains("src_ip")) {
    text += fmt::format(" {} > {}", text_at(packet, "src_ip"), text_at(packet, "dest_ip"));
  }
  if (packet.contains("icmp")) text += ' ' + text_at(packet, "icmp");
  if (packet.contains("icmp_id")) text += fmt::format(" id {}", text_at(packet, "icmp_id"));
  if (packet.contains("tcp_flags")) text += fmt::format(" [{}]", text_at(packet, "tcp_flags"));
  if (packet.contains("fragment")) text += " fragment";
  return text + fmt::format(" {} bytes", text_at(packet, "length"));
}

// "policy.toml:12"; empty: it stands nowhere.
std::string place_text(const Json& place) {
  const std::string file = text_at(place, "file");
  return file.empty() ? file : fmt::format("{}:{}", file, text_at(place, "line"));
}

std::string after_comma(const std::string& text) { return text.empty() ? text : ", " + text; }

// "deny (name_not_allowed) in linkerd-egress/all, policy.toml:12"
std::string verdict_text(const Json& sighting) {
  const Json& record = at(sighting, "record");
  if (record.empty()) return {};
  if (text_at(at(sighting, "flow"), "after") == "waiting") return "waits for the name";
  const Json& verdict = at(record, "verdict");
  std::string text = fmt::format("{} ({})", text_at(verdict, "action"), text_at(verdict, "reason"));
  const std::string rule = text_at(verdict, "rule");
  const std::string network = text_at(verdict, "network");
  if (!rule.empty()) text += " by " + rule;
  if (!network.empty()) text += " in " + network;
  return text + after_comma(place_text(at(sighting, "decided_at")));
}

std::string name_text(const Json& record) {
  const std::string protocol = text_at(record, "app_proto");
  std::string name;
  for (const char* where : {"tls", "quic"}) name += text_at(at(record, where), "sni");
  for (const char* where : {"http", "socks"}) name += text_at(at(record, where), "hostname");
  if (protocol.empty()) return {};
  return name.empty() ? fmt::format("none shown ({})", protocol) : fmt::format("{} ({})", name, protocol);
}

std::string translation_text(const Json& record) {
  const Json& nat = at(record, "nat");
  if (nat.empty()) return {};
  const std::string egress = text_at(nat, "egress");
  return endpoint(nat, "src_ip", "src_port") + (egress.empty() ? "" : fmt::format(" (egress {})", egress));
}

std::string source_text(const Json& record) {
  const Json& source = at(record, "source");
  const std::string workload = text_at(source, "workload");
  return text_at(source, "namespace") + (workload.empty() ? "" : '/' + workload);
}

std::string flow_text(const Json& sighting) {
  const Json& flow = at(sighting, "flow");
  const std::string before = text_at(flow, "before");
  const std::string after = text_at(flow, "after");
  const std::string id = text_at(at(sighting, "record"), "flow_id");
  if (before == "none") return after == "none" ? "none" : fmt::format("new, {}", id);
  return fmt::format("known and {}, {}", before, id);
}

std::string meaning_of(std::string_view name) {
  for (std::size_t i = 0; i < dataplane::drop_count; ++i) {
    const auto drop = static_cast<dataplane::Drop>(i);
    if (to_string(drop) == name) return std::string(description(drop));
  }
  return {};
}

std::vector<std::string> reasons_of(const Json& sighting) {
  std::vector<std::string> names;
  for (const auto& [name, packets] : at(sighting, "reasons").items()) {
    names.push_back(packets == 1 ? name : fmt::format("{} ({} packets)", name, packets.dump()));
  }
  return names;
}

std::string outcome_text(const Json& sighting) {
  std::string outcome = text_at(sighting, "outcome");
  if (outcome == "ended" || outcome == "to_kernel") {
    return (outcome == "ended" ? "ended: " : "to the kernel: ") + list_text(reasons_of(sighting));
  }
  if (outcome == "handed_over") return fmt::format("handed over to worker {}", text_at(sighting, "handed_to"));
  if (outcome == "sent_later") return "forwarded, after it had waited";
  if (outcome == "sent_by_gateway") return "made by the gateway";
  return outcome;
}

class Block {
 public:
  explicit Block(std::string heading) : text_(std::move(heading) + '\n') {}
  void line(std::string_view what, const std::string& value) {
    if (!value.empty()) text_ += fmt::format("    {:<12} {}\n", what, value);
  }
  [[nodiscard]] std::string take() && { return std::move(text_); }

 private:
  std::string text_;
};

std::string heading(const Json& sighting, const Style& style) {
  const std::string timestamp = text_at(sighting, "timestamp");
  const std::size_t day = std::min<std::size_t>(timestamp.size(), 11);  // "2026-01-02T"
  const std::string time = timestamp.substr(day, 15);
  const Json& received = at(sighting, "received");
  if (received.empty()) return fmt::format("{} {}", time, style.paint(Colour::bold, "on time"));
  return fmt::format("{} {}, in by {}", time, style.paint(Colour::bold, packet_text(received)),
                     text_at(received, "port"));
}

void add_steps(Block& block, const Json& sighting) {
  for (const Json& step : at(sighting, "steps")) {
    const std::string place = place_text(step);
    block.line(text_at(step, "what"), text_at(step, "result") + (place.empty() ? "" : fmt::format("  ({})", place)));
  }
}

void add_sent(Block& block, const Json& sighting) {
  for (const Json& frame : at(sighting, "sent")) {
    const bool own = frame.contains("by_gateway");
    block.line(own ? "answer" : "out", fmt::format("{}, by {}", packet_text(frame), text_at(frame, "port")));
  }
  const std::string besides = text_at(sighting, "sent_besides");
  if (!besides.empty()) block.line("out", fmt::format("{} more", besides));
}

Colour colour_of(const std::string& outcome) {
  return outcome == "ended" ? Colour::red : outcome == "held" ? Colour::yellow : Colour::green;
}

}  // namespace

std::string trace_text(const Json& sighting, const Style& style) {
  const Json& record = at(sighting, "record");
  Block block(heading(sighting, style));
  block.line("flow", flow_text(sighting));
  if (at(sighting, "steps").empty()) block.line("source", source_text(record));
  add_steps(block, sighting);
  block.line("name", name_text(record));
  block.line("policy", verdict_text(sighting));
  block.line("translation", translation_text(record));
  add_sent(block, sighting);
  block.line("outcome", style.paint(colour_of(text_at(sighting, "outcome")), outcome_text(sighting)));
  for (const auto& [name, packets] : at(sighting, "reasons").items()) block.line("", meaning_of(name));
  return std::move(block).take();
}

std::string trace_comment(const Json& sighting) {
  std::vector<std::string> parts = {outcome_text(sighting)};
  for (std::string part : {verdict_text(sighting), name_text(at(sighting, "record"))}) {
    if (!part.empty()) parts.push_back(std::move(part));
  }
  if (std::string as = translation_text(at(sighting, "record")); !as.empty()) parts.push_back("as " + as);
  return list_text(parts, "; ");
}

}  // namespace sallyport
