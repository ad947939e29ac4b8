#include "src/answers.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "src/egress_usage.h"
#include "src/flow_record_json.h"
#include "src/tap_answer.h"

namespace sallyport {
namespace {

using Json = nlohmann::ordered_json;

// As one line; the client counts on it.
void send(AnswerLines& lines, const Json& object) {
  lines.send(object.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string time_text(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string_view text_of(config::PortRole role) {
  constexpr std::array<std::string_view, 3> texts = {"inside", "outside", "both"};
  return texts[static_cast<std::size_t>(role)];
}

std::string text_of(const dataplane::MacAddress& mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

std::string text_of(const AddressRange& range) {
  const std::string first = to_string(range.first);
  return range.first == range.last ? first : fmt::format("{}-{}", first, to_string(range.last));
}

std::string_view text_of(dataplane::Steering by) {
  constexpr std::array<std::string_view, 4> texts = {"none", "rings", "device", "device_ipv4"};
  return texts[static_cast<std::size_t>(by)];
}

Json port_json(const dataplane::PortStatus& port, const dataplane::PortSums& sums) {
  return {{"name", port.name},
          {"role", text_of(port.role)},
          {"device", port.device},
          {"driver", port.driver},
          {"twin", port.twin},
          {"mac", text_of(port.mac)},
          {"mtu", port.mtu},
          {"vlan", port.vlan},
          {"service_vlan", port.service_vlan},
          {"receive_queues", port.receive_queues},
          {"transmit_queues", port.transmit_queues},
          {"steering", text_of(port.steering)},
          {"steering_refused", port.steering_refused},
          {"steered", port.steered},
          {"missteered", port.missteered},
          {"link", port.link_up ? "up" : "down"},
          {"link_mbps", port.link_mbps},
          {"received_packets", sums.received_packets},
          {"received_bytes", sums.received_bytes},
          {"transmitted_packets", sums.transmitted_packets},
          {"transmitted_bytes", sums.transmitted_bytes},
          {"missed", port.missed},
          {"no_buffer", port.no_buffer},
          {"receive_errors", port.receive_errors},
          {"transmit_errors", port.transmit_errors},
          {"other_host", port.other_host},
          {"checksums_completed", port.checksums_completed},
          {"to_kernel", port.to_kernel},
          {"to_kernel_lost", port.to_kernel_lost},
          {"from_kernel", port.from_kernel},
          {"from_kernel_lost", port.from_kernel_lost}};
}

Json worker_json(unsigned number, const dataplane::WorkerStatus& worker, const dataplane::CounterSums& sums) {
  const std::uint64_t cycles = worker.busy_cycles + worker.idle_cycles;
  const double busy = cycles == 0 ? 0.0 : static_cast<double>(worker.busy_cycles) / static_cast<double>(cycles);
  Json cycles_a_packet = Json::object();
  for (std::size_t stage = 0; sums.received != 0 && stage < worker.stage_cycles.size(); ++stage) {
    cycles_a_packet[std::string(dataplane::stage_names[stage])] =
        static_cast<double>(worker.stage_cycles[stage]) / static_cast<double>(sums.received);
  }
  return {{"worker", number},
          {"processor", worker.processor},
          {"heartbeat", worker.heartbeat},
          {"busy_ratio", busy},
          {"cycles_a_packet", std::move(cycles_a_packet)},
          {"busy_cycles", worker.busy_cycles},
          {"idle_cycles", worker.idle_cycles},
          {"received", sums.received},
          {"transmitted", sums.transmitted},
          {"held", sums.held},
          {"handed_over", worker.handed_over},
          {"flows_live", sums.flows_live},
          {"held_bytes", sums.held_bytes},
          {"records_lost", worker.records_lost},
          {"memory_bytes", worker.memory_bytes}};
}

Json addresses_json(const std::vector<IpAddress>& addresses) {
  Json list = Json::array();
  for (const IpAddress& address : addresses) list.push_back(to_string(address));
  return list;
}

// An egress as it was written; which flows it holds now is a matter of `show flows`.
Json egress_json(const config::Egress& egress, const config::PolicyModel& model) {
  Json addresses = addresses_json(egress.egress_ips);
  for (const config::EgressPool& pool : model.egress_pools) {
    if (pool.name != egress.egress_pool) continue;
    for (const AddressRange& range : pool.ranges) addresses.push_back(text_of(range));
  }
  if (egress.egress_prefix) addresses.push_back(to_string(*egress.egress_prefix));
  Json destinations = Json::array();
  for (const Prefix& prefix : egress.destinations) destinations.push_back(to_string(prefix));
  Json bandwidth;
  if (egress.bandwidth) {
    bandwidth = {{"rate_bits_per_second", egress.bandwidth->rate_bits_per_second},
                 {"burst_bits", egress.bandwidth->burst_bits}};
  }
  Json dscp;
  if (egress.dscp) dscp = *egress.dscp;
  return {{"name", egress.name},         {"addresses", std::move(addresses)},
          {"pool", egress.egress_pool},  {"destinations", std::move(destinations)},
          {"priority", egress.priority}, {"bandwidth", std::move(bandwidth)},
          {"dscp", std::move(dscp)}};
}

// By direction; null for an egress that has no bandwidth.
Json dropped_json(const std::vector<dataplane::EgressMeters::Dropped>& dropped, std::string_view egress,
                  const classifier::Identities& identities) {
  for (const dataplane::EgressMeters::Dropped& each : dropped) {
    if (identities.name(each.egress) != egress) continue;
    return {{"pkts_toserver", each.packets[dataplane::to_server]},
            {"pkts_toclient", each.packets[dataplane::to_client]},
            {"bytes_toserver", each.bytes[dataplane::to_server]},
            {"bytes_toclient", each.bytes[dataplane::to_client]}};
  }
  return nullptr;
}

// The ports that are nearest to their end; all of it null where none is in use.
Json load_json(const dataplane::PortLoad& load) {
  if (load.used == 0) return nullptr;
  Json json = {{"egress_address", to_string(load.address)}};
  if (load.towards_server) {
    json["server"] = to_string(load.server);
    json["port"] = __builtin_bswap16(load.server_port);
  }
  json["proto"] = protocol_text(load.protocol);
  json["ports_used"] = load.used;
  json["ports"] = load.of;
  json["ratio"] = static_cast<double>(load.used) / static_cast<double>(load.of);
  return json;
}

Json usage_json(const EgressUsage& usage, const classifier::Identities& identities) {
  constexpr std::size_t sources_shown = 10;
  Json in_use = Json::array();
  for (const EgressUsage::Address& one : usage.addresses()) {
    const EgressUsage::Server& server = one.fullest;
    in_use.push_back({{"address", to_string(one.address)},
                      {"flows", one.flows},
                      {"ports_used", {{"tcp", one.tcp_ports}, {"udp", one.udp_ports}, {"other", one.other_ports}}},
                      {"fullest_server",
                       {{"address", to_string(server.address)},
                        {"port", server.port},
                        {"proto", protocol_text(server.protocol)},
                        {"flows", server.flows}}}});
  }
  Json sources = Json::array();
  for (const EgressUsage::Source& source : usage.top_sources(sources_shown)) {
    sources.push_back({{"address", to_string(source.address)},
                       {"namespace", identities.name(source.namespace_name)},
                       {"workload", identities.name(source.workload)},
                       {"flows", source.flows}});
  }
  return {{"in_use", std::move(in_use)},
          {"top_sources", std::move(sources)},
          {"flows_translated", usage.translated()},
          {"flows_untranslated", usage.untranslated()},
          {"incomplete", usage.incomplete()}};
}

Json flow_log_json(const FlowLog& flow_log) {
  Json outputs = Json::array();
  for (const FlowLog::OutputCounts& output : flow_log.outputs())
    outputs.push_back({{"output", output.name}, {"written", output.written}, {"lost", output.lost}});
  return {{"lost_in_rings", flow_log.lost_in_rings()}, {"outputs", std::move(outputs)}};
}

Json shadow_json(const dataplane::CounterSums& sums) {
  return {{"decided", sums.shadow_decided},
          {"would_allow", sums.shadow_allows},
          {"would_deny", sums.shadow_denies},
          {"would_need_name", sums.shadow_needs_name}};
}

Json rules_json(const std::vector<dataplane::RuleSum>& sums, const classifier::Identities& identities) {
  Json rules = Json::array();
  for (const dataplane::RuleSum& sum : sums) {
    if (sum.decided == 0 && sum.audited == 0) continue;
    const std::string name = sum.rule == 0 ? std::string("(others)") : identities.name(sum.rule);
    rules.push_back({{"rule", name}, {"flows", sum.decided}, {"audited", sum.audited}});
  }
  return rules;
}

}  // namespace

End Answers::answer(const Request& request, AnswerLines& lines) {
  using Member = End (Answers::*)(AnswerLines&);
  constexpr std::array<std::pair<std::string_view, Member>, 11> known = {{{"flows", &Answers::flows},
                                                                          {"ports", &Answers::ports},
                                                                          {"policy", &Answers::policy},
                                                                          {"egress", &Answers::egress},
                                                                          {"reasons", &Answers::reasons},
                                                                          {"workers", &Answers::workers},
                                                                          {"reload", &Answers::reload},
                                                                          {"ha active", &Answers::ha_active},
                                                                          {"ha standby", &Answers::ha_standby},
                                                                          {"ha drain", &Answers::ha_drain},
                                                                          {"ha status", &Answers::ha_status}}};
  for (const auto& [name, member] : known) {
    if (name == request.ask) return (this->*member)(lines);
  }
  if (request.ask == "tap") return answer_tap(gateway_, reloader_, appliance_, request.tap, lines);
  return {ExitCode::usage, "not in this version of the gateway that runs"};
}

End Answers::flows(AnswerLines& lines) {
  JsonBuffer line;
  bool wanted = true;
  gateway_.list_flows([&](std::span<const dataplane::FlowRecord> records) {
    // Asked for after the records were taken, so these names cover them.
    const std::shared_ptr<const LivePolicy> live = reloader_.live();
    for (const dataplane::FlowRecord& record : records) {
      line.clear();
      append_json(line, record, *live->identities);
      wanted = wanted && lines.send({line.data(), line.size()});
    }
    return wanted;
  });
  return {};
}

End Answers::ports(AnswerLines& lines) {
  const std::vector<dataplane::PortStatus> ports = gateway_.ports();
  const dataplane::CounterSums sums = gateway_.counters();
  Json list = Json::array();
  for (std::size_t i = 0; i < ports.size(); ++i) list.push_back(port_json(ports[i], sums.ports.at(i)));
  const dataplane::RoutingStatus routing = gateway_.routing();
  send(lines, {{"ports", std::move(list)},
               {"routing",
                {{"generation", routing.generation},
                 {"routes", routing.routes},
                 {"neighbours", routing.neighbours},
                 {"local_addresses", routing.local_addresses}}}});
  return {};
}

End Answers::policy(AnswerLines& lines) {
  const std::shared_ptr<const LivePolicy> live = reloader_.live();
  const ReloadCounts counts = reloader_.counts();
  const dataplane::StandingStatus standing = gateway_.standing();
  Json answer = {{"loaded", live->policy != nullptr},
                 {"generation", live->generation},
                 {"active", standing.active},
                 {"fenced", standing.fenced}};
  if (live->policy) {
    const config::PolicyModel& model = live->policy->model();
    answer["since"] = time_text(live->since);
    answer["hash"] = live->policy->hash();
    answer["files"] = live->files;
    answer["contents"] = {{"namespaces", model.namespaces.size()},
                          {"workloads", model.workloads.size()},
                          {"network_policies", model.network_policies.size()},
                          {"network_sets", model.network_sets.size()},
                          {"egress_networks", model.egress_networks.size()},
                          {"routes", model.routes.size()},
                          {"domain_sets", model.domain_sets.size()},
                          {"egresses", model.egresses.size()}};
  }
  if (!counts.last_shadow.empty()) {
    answer["shadow"] = {{"loaded", live->shadow != nullptr},
                        {"hash", live->shadow ? live->shadow->hash() : ""},
                        {"last", counts.last_shadow},
                        {"last_refused", counts.last_shadow_refused},
                        {"flows", shadow_json(gateway_.counters())}};
  }
  const std::vector<dataplane::RuleSum> rules = gateway_.rules();
  // Asked for after the rules, so these names cover them.
  answer["rules"] = rules_json(rules, *reloader_.live()->identities);
  answer["reloads"] = {{"published", counts.published},
                       {"unchanged", counts.unchanged},
                       {"refused", counts.refused},
                       {"last_refused", counts.last.kind == ReloadResult::Kind::refused},
                       {"last", counts.last.text}};
  send(lines, answer);
  return {};
}

End Answers::egress(AnswerLines& lines) {
  const auto dropped = gateway_.dropped_by_bandwidth();
  const std::shared_ptr<const LivePolicy> live = reloader_.live();
  Json egresses = Json::array();
  Json all = Json::array();
  Json snat = Json::array();
  if (live->policy) {
    const config::PolicyModel& model = live->policy->model();
    for (const config::Egress& egress : model.egresses) {
      Json json = egress_json(egress, model);
      json["dropped_by_bandwidth"] = dropped_json(dropped, egress.name, *live->identities);
      egresses.push_back(std::move(json));
    }
    for (const AddressRange& range : live->policy->egress_addresses()) all.push_back(text_of(range));
    snat = addresses_json(model.snat.addresses);
  }
  EgressUsage usage;
  gateway_.list_flows([&](std::span<const dataplane::FlowRecord> records) {
    for (const dataplane::FlowRecord& record : records) usage.add(record);
    return true;
  });
  // Asked for after the flows were listed, so these names cover them.
  Json answer = usage_json(usage, *reloader_.live()->identities);
  const dataplane::FullestPorts fullest = gateway_.fullest_ports();
  answer["fullest_server"] = load_json(fullest.server);
  answer["fullest_address"] = load_json(fullest.address);
  answer["egresses"] = std::move(egresses);
  answer["snat"] = std::move(snat);
  answer["addresses"] = std::move(all);
  send(lines, answer);
  return {};
}

End Answers::reasons(AnswerLines& lines) {
  const dataplane::CounterSums sums = gateway_.counters();
  Json drops;
  for (std::size_t i = 0; i < sums.drops.size(); ++i) {
    drops[std::string(to_string(static_cast<dataplane::Drop>(i)))] = sums.drops[i];
  }
  Json denied;
  for (std::size_t i = 0; i < sums.denied_by_reason.size(); ++i) {
    denied[std::string(to_string(static_cast<classifier::Reason>(i)))] = sums.denied_by_reason[i];
  }
  Json dns;
  for (std::size_t i = 0; i < sums.dns.size(); ++i) {
    dns[std::string(to_string(static_cast<dataplane::DnsEvent>(i)))] = sums.dns[i];
  }
  dns["bindings"] = gateway_.bound_names();
  send(lines, {{"received", sums.received},
               {"transmitted", sums.transmitted},
               {"held", sums.held},
               {"originated", sums.originated},
               {"reasons", std::move(drops)},
               {"flows",
                {{"opened", sums.flows_opened},
                 {"allowed", sums.flows_allowed},
                 {"denied", sums.flows_denied},
                 {"ended", sums.flows_ended},
                 {"live", sums.flows_live},
                 {"names_seen", sums.names_seen},
                 {"shadow", shadow_json(sums)},
                 {"denied_by", std::move(denied)}}},
               {"dns", std::move(dns)},
               {"flow_log", flow_log_json(flow_log_)}});
  return {};
}

End Answers::workers(AnswerLines& lines) {
  Json list = Json::array();
  for (unsigned i = 0; i < gateway_.workers(); ++i) {
    list.push_back(worker_json(i, gateway_.worker(i), gateway_.counters(i)));
  }
  send(lines, {{"workers", std::move(list)},
               {"memory_bytes", gateway_.memory().sum()},
               {"huge_pages", gateway_.huge_pages()},
               {"flow_log", flow_log_json(flow_log_)}});
  return {};
}

End Answers::reload(AnswerLines& lines) {
  const std::optional<ReloadResult> result = reloader_.request_and_wait();
  if (!result) return {ExitCode::environment, "the gateway is stopping: nothing was reloaded"};
  for (const ReloadResult::Note& note : result->notes) send(lines, {{"problem", note.problem}, {"text", note.text}});
  return {result->kind == ReloadResult::Kind::refused ? ExitCode::no : ExitCode::done, result->text};
}

}  // namespace sallyport
