#include "src/show_text.h"

#include <cstdint>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "dataplane/drop.h"
#include "src/json_values.h"
#include "src/list_text.h"

namespace sallyport {
namespace {

std::string count(const Json& object, const char* key) { return grouped(number_at(object, key)); }

std::string list_at(const Json& object, const char* key) {
  std::vector<std::string> texts;
  for (const Json& item : at(object, key)) texts.push_back(item.is_string() ? item.get<std::string>() : item.dump());
  return list_text(texts);
}

std::string percent(const Json& object, const char* key) {
  const Json& ratio = at(object, key);
  return ratio.is_number() ? fmt::format("{:.1f}%", 100.0 * ratio.get<double>()) : std::string{};
}

// Nothing of a gateway of one worker.
std::string steering_text(const Json& port) {
  const std::string by = text_at(port, "steering"), name = text_at(port, "name");
  if (by == "rings")
    return fmt::format("{}: packets change workers by ring: {}\n", name, text_at(port, "steering_refused"));
  if (!by.starts_with("device")) return {};
  return fmt::format("{}: the device brings packets{} to their workers; of the first {}, {} came to others\n", name,
                     by == "device" ? "" : " of IPv4",
                     grouped(number_at(port, "steered") + number_at(port, "missteered")), count(port, "missteered"));
}

std::string ports_text(const Json& answer, const Style&) {
  Table table({"PORT", "ROLE", "DRIVER", "LINK", "MTU", "RECEIVED", "SENT", "MISSED", "ERRORS", "TWIN", "DEVICE"});
  for (const Json& port : at(answer, "ports")) {
    table.add({text_at(port, "name"), text_at(port, "role"), text_at(port, "driver"), text_at(port, "link"),
               text_at(port, "mtu"), count(port, "received_packets"), count(port, "transmitted_packets"),
               grouped(number_at(port, "missed") + number_at(port, "no_buffer")),
               grouped(number_at(port, "receive_errors") + number_at(port, "transmit_errors")), text_at(port, "twin"),
               text_at(port, "device")});
  }
  std::string text = table.text() + '\n';
  for (const Json& port : at(answer, "ports")) text += steering_text(port);
  const Json& routing = at(answer, "routing");
  return text + fmt::format("{} routes, {} neighbours, {} addresses of the gateway's own\n", count(routing, "routes"),
                            count(routing, "neighbours"), count(routing, "local_addresses"));
}

std::string policy_text(const Json& answer, const Style& style) {
  std::string text;
  if (at(answer, "loaded").is_boolean() && at(answer, "loaded").get<bool>()) {
    text = fmt::format("generation {}, since {}\nfiles:    {}\nhash:     {}\ncontents: ", text_at(answer, "generation"),
                       text_at(answer, "since"), list_at(answer, "files"), text_at(answer, "hash"));
    std::vector<std::string> parts;
    for (const auto& [name, number] : at(answer, "contents").items()) {
      std::string spoken = name;
      for (char& letter : spoken) letter = letter == '_' ? ' ' : letter;
      parts.push_back(fmt::format("{} {}", number.dump(), spoken));
    }
    text += list_text(parts) + '\n';
  } else {
    text = style.paint(Colour::red, "no valid policy was ever loaded: nothing is forwarded") + '\n';
  }
  if (at(answer, "active").is_boolean() && !at(answer, "active").get<bool>()) {
    text += style.paint(Colour::yellow, "standby: another gateway forwards in place of this one") + '\n';
  }
  Table rules({"FLOWS", "AUDITED", "RULE"});
  for (const Json& rule : at(answer, "rules")) {
    rules.add({count(rule, "flows"), count(rule, "audited"), text_at(rule, "rule")});
  }
  if (!at(answer, "rules").empty()) text += '\n' + rules.text() + '\n';
  const Json& shadow = at(answer, "shadow");
  if (!shadow.empty()) {
    const Json& flows = at(shadow, "flows");
    text += fmt::format(
        "shadow:   {}\n          {} flows: it would allow {} that were denied, deny {} that were allowed, "
        "and wait for a name at {}\n",
        text_at(shadow, "last"), count(flows, "decided"), count(flows, "would_allow"), count(flows, "would_deny"),
        count(flows, "would_need_name"));
  }
  const Json& reloads = at(answer, "reloads");
  text += fmt::format("loads:    {} published, {} without a change, {} refused\nlast:     {}\n",
                      count(reloads, "published"), count(reloads, "unchanged"), count(reloads, "refused"),
                      text_at(reloads, "last"));
  return text;
}

// "203.0.113.1 towards 198.51.100.7:443 TCP: 51,610 of 64,512 ports (80.0%)"
std::string load_text(const char* what, const Json& load) {
  if (!load.is_object() || load.empty()) return {};
  const std::string server = text_at(load, "server");
  return fmt::format("{}: {}{} {}: {} of {} ports ({})\n", what, text_at(load, "egress_address"),
                     server.empty() ? "" : " towards " + endpoint(load, "server", "port"), text_at(load, "proto"),
                     count(load, "ports_used"), count(load, "ports"), percent(load, "ratio"));
}

// Which addresses are in use, by whom.
std::string usage_text(const Json& answer) {
  std::string text;
  Table used({"IN USE", "FLOWS", "TCP PORTS", "UDP PORTS", "FULLEST SERVER", "FLOWS THERE"});
  for (const Json& one : at(answer, "in_use")) {
    const Json& ports = at(one, "ports_used");
    const Json& server = at(one, "fullest_server");
    used.add({text_at(one, "address"), count(one, "flows"), count(ports, "tcp"), count(ports, "udp"),
              fmt::format("{} {}", endpoint(server, "address", "port"), text_at(server, "proto")),
              count(server, "flows")});
  }
  if (!at(answer, "in_use").empty()) text += '\n' + used.text();
  Table sources({"TOP SOURCE", "FLOWS", "WORKLOAD"});
  for (const Json& source : at(answer, "top_sources")) {
    const std::string space = text_at(source, "namespace");
    const std::string workload = text_at(source, "workload");
    sources.add({text_at(source, "address"), count(source, "flows"),
                 workload.empty() ? space : fmt::format("{}/{}", space, workload)});
  }
  if (!at(answer, "top_sources").empty()) text += '\n' + sources.text();
  const std::string fullest = load_text("fullest server", at(answer, "fullest_server")) +
                              load_text("fullest address", at(answer, "fullest_address"));
  if (!fullest.empty()) text += '\n' + fullest;
  return text + fmt::format("\n{} flows translated, {} not\n", count(answer, "flows_translated"),
                            count(answer, "flows_untranslated"));
}

// Bits a second, as a policy writes them: "100M".
std::string bandwidth_text(const Json& bandwidth) {
  std::uint64_t rate = number_at(bandwidth, "rate_bits_per_second");
  if (rate == 0) return {};
  constexpr std::string_view units = "KMGT";
  std::string unit;
  for (std::size_t i = 0; i < units.size() && rate % 1000 == 0; ++i, rate /= 1000) unit = units[i];
  return fmt::format("{}{}", rate, unit);
}

// "1,200 to servers, 0 to clients"; empty: the egress has no bandwidth.
std::string dropped_text(const Json& dropped) {
  if (!dropped.is_object() || dropped.empty()) return {};
  return fmt::format("{} to servers, {} to clients", count(dropped, "pkts_toserver"), count(dropped, "pkts_toclient"));
}

std::string egress_text(const Json& answer, const Style&) {
  Table table({"EGRESS", "PRIORITY", "BANDWIDTH", "OVER IT", "DSCP", "ADDRESSES", "DESTINATIONS"});
  for (const Json& egress : at(answer, "egresses")) {
    table.add({text_at(egress, "name"), text_at(egress, "priority"), bandwidth_text(at(egress, "bandwidth")),
               dropped_text(at(egress, "dropped_by_bandwidth")), text_at(egress, "dscp"), list_at(egress, "addresses"),
               list_at(egress, "destinations")});
  }
  table.add({"[snat]", "", "", "", "", list_at(answer, "snat"), "what no egress selects"});
  return table.text() + fmt::format("\nflows may leave under: {}\n", list_at(answer, "addresses")) + usage_text(answer);
}

std::string description_of(std::string_view name) {
  for (std::size_t i = 0; i < dataplane::drop_count; ++i) {
    const auto drop = static_cast<dataplane::Drop>(i);
    if (to_string(drop) == name) return std::string(description(drop));
  }
  return {};
}

// Of the flow log: lost ones are told with the packets, as both are what one looks for here.
std::string records_text(const Json& flow_log) {
  std::string text;
  if (const std::uint64_t lost = number_at(flow_log, "lost_in_rings"); lost != 0)
    text += fmt::format("  {:>12} records lost: before they could be taken\n", grouped(lost));
  for (const Json& output : at(flow_log, "outputs")) {
    if (number_at(output, "lost") != 0)
      text += fmt::format("  {:>12} records lost: {}\n", count(output, "lost"), text_at(output, "output"));
  }
  return text.empty() ? text : "\nflow log:\n" + text;
}

std::string reasons_text(const Json& answer, const Style& style) {
  Table sums({"PACKETS", "WHAT BECAME OF THEM"});
  for (const char* key : {"received", "transmitted", "held", "originated"}) sums.add({count(answer, key), key});
  Table drops({"PACKETS", "REASON", "MEANING"});
  std::uint64_t dropped = 0;
  for (const auto& [name, number] : at(answer, "reasons").items()) {
    const std::uint64_t packets = number.is_number_unsigned() ? number.get<std::uint64_t>() : 0;
    dropped += packets;
    if (packets != 0) drops.add({grouped(packets), name, description_of(name)});
  }
  sums.add({grouped(dropped), "ended under a reason"});
  std::string text = sums.text();
  if (dropped != 0) text += '\n' + drops.text();
  const Json& flows = at(answer, "flows");
  text += fmt::format("\n{}: {} opened, {} allowed, {} denied, {} live\n", style.paint(Colour::bold, "flows"),
                      count(flows, "opened"), count(flows, "allowed"), count(flows, "denied"), count(flows, "live"));
  for (const auto& [name, number] : at(flows, "denied_by").items()) {
    if (number != 0) text += fmt::format("  {:>12} denied: {}\n", number.dump(), name);
  }
  text += records_text(at(answer, "flow_log"));
  const Json& dns = at(answer, "dns");
  if (number_at(dns, "answers_learned") == 0) return text;
  text += fmt::format("\n{}: {} names bound to addresses\n", style.paint(Colour::bold, "dns"), count(dns, "bindings"));
  for (const auto& [name, number] : dns.items()) {
    if (number != 0 && name != "bindings") text += fmt::format("  {:>12} {}\n", number.dump(), name);
  }
  return text;
}

// Where a worker's time goes, in cycles for each packet that it received.
std::string cycles_text(const Json& answer) {
  Table table({"WORKER", "CYCLES A PACKET", "RECEIVE", "PARSE", "LOOK UP", "HANDLE", "TRANSMIT"});
  for (const Json& worker : at(answer, "workers")) {
    const Json& stages = at(worker, "cycles_a_packet");
    double sum = 0;
    for (const Json& number : stages) sum += number.is_number() ? number.get<double>() : 0.0;
    const auto of = [&](const char* stage) {
      const Json& number = at(stages, stage);
      return number.is_number() ? fmt::format("{:.0f}", number.get<double>()) : std::string{};
    };
    table.add({text_at(worker, "worker"), stages.empty() ? std::string{} : fmt::format("{:.0f}", sum), of("receive"),
               of("parse"), of("look_up"), of("handle"), of("transmit")});
  }
  return table.text();
}

std::string workers_text(const Json& answer, const Style&) {
  Table table({"WORKER", "CORE", "BUSY", "RECEIVED", "SENT", "HELD", "HANDED OVER", "FLOWS", "RECORDS LOST", "MEMORY"});
  for (const Json& worker : at(answer, "workers")) {
    table.add({text_at(worker, "worker"), text_at(worker, "processor"), percent(worker, "busy_ratio"),
               count(worker, "received"), count(worker, "transmitted"), count(worker, "held"),
               count(worker, "handed_over"), count(worker, "flows_live"), count(worker, "records_lost"),
               fmt::format("{} MiB", number_at(worker, "memory_bytes") >> 20U)});
  }
  const bool huge = at(answer, "huge_pages").is_boolean() && at(answer, "huge_pages").get<bool>();
  return table.text() + "\n" + cycles_text(answer) +
         fmt::format("\n{} MiB in all, on {} pages\n", number_at(answer, "memory_bytes") >> 20U,
                     huge ? "huge" : "ordinary");
}

std::string name_in(const Json& record) {
  for (const char* protocol : {"tls", "quic"}) {
    std::string name = text_at(at(record, protocol), "sni");
    if (!name.empty()) return name;
  }
  return text_at(at(record, "http"), "hostname");
}

constexpr auto flow_columns = "{:<5} {:<21} {:<21} {:<21} {:<11} {:<7} {:>8} {:>10}  {}\n";

// Name and rule; the reason where no rule decided, and of every denial; "waits for its name" while nothing is decided.
std::string why_text(const Json& record) {
  const Json& verdict = at(record, "verdict");
  const std::string action = text_at(verdict, "action");
  if (action == "waiting") return "waits for its name";
  const std::string rule = text_at(verdict, "rule");
  const bool denied = action == "deny";
  std::string text;
  for (const std::string& part : {name_in(record), rule, denied || rule.empty() ? text_at(verdict, "reason") : ""}) {
    if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
  }
  return text;
}

}  // namespace

std::string show_text(ShowTopic topic, std::string_view answer_line, const Style& style) {
  const Json answer = Json::parse(answer_line, nullptr, false);
  switch (topic) {
    case ShowTopic::flows:
      break;
    case ShowTopic::ports:
      return ports_text(answer, style);
    case ShowTopic::policy:
      return policy_text(answer, style);
    case ShowTopic::egress:
      return egress_text(answer, style);
    case ShowTopic::reasons:
      return reasons_text(answer, style);
    case ShowTopic::workers:
      return workers_text(answer, style);
  }
  return {};
}

std::string flow_headings(const Style& style) {
  return style.paint(Colour::bold, fmt::format(fmt::runtime(flow_columns), "PROTO", "SOURCE", "SERVER", "LEAVES AS",
                                               "STATE", "", "PACKETS", "BYTES", "NAME, RULE, REASON"));
}

std::string flow_text(std::string_view record_line) {
  const Json record = Json::parse(record_line, nullptr, false);
  const Json& flow = at(record, "flow");
  const Json& verdict = at(record, "verdict");
  return fmt::format(fmt::runtime(flow_columns), text_at(record, "proto"), endpoint(record, "src_ip", "src_port"),
                     endpoint(record, "dest_ip", "dest_port"), endpoint(at(record, "nat"), "src_ip", "src_port"),
                     text_at(flow, "state"), text_at(verdict, "action"),
                     number_at(flow, "pkts_toserver") + number_at(flow, "pkts_toclient"),
                     number_at(flow, "bytes_toserver") + number_at(flow, "bytes_toclient"), why_text(record));
}

}  // namespace sallyport
