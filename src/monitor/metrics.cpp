#include "src/monitor/metrics.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <numeric>
#include <sstream>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace sallyport {
namespace {

using prometheus::MetricType;

struct Label {
  const char* name;
  std::string value;
};

class Families {
 public:
  // Values are added to the family that was begun last.
  void counter(const char* name, const char* help) { begin(MetricType::Counter, name, help); }
  void gauge(const char* name, const char* help) { begin(MetricType::Gauge, name, help); }
  // With the one value that it has.
  template <typename Value>
  void counter(const char* name, const char* help, Value value) {
    counter(name, help);
    add(value);
  }
  template <typename Value>
  void gauge(const char* name, const char* help, Value value) {
    gauge(name, help);
    add(value);
  }

  void add(double value, std::initializer_list<Label> labels = {}) {
    prometheus::MetricFamily& family = families_.back();
    prometheus::ClientMetric& metric = family.metric.emplace_back();
    for (const Label& label : labels) metric.label.push_back({label.name, label.value});
    (family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  }
  void add(std::uint64_t value, std::initializer_list<Label> labels = {}) { add(static_cast<double>(value), labels); }

  [[nodiscard]] std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families_);
    return std::move(out).str();
  }

 private:
  void begin(MetricType type, const char* name, const char* help) {
    prometheus::MetricFamily& family = families_.emplace_back();
    family.name = name;
    family.help = help;
    family.type = type;
  }

  std::vector<prometheus::MetricFamily> families_;
};

double seconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

double ratio(const dataplane::PortLoad& load) {
  return load.of == 0 ? 0.0 : static_cast<double>(load.used) / static_cast<double>(load.of);
}

void add_packets(Families& out, const dataplane::CounterSums& sums) {
  out.counter("sallyport_received_packets_total", "Packets taken from the ports.", sums.received);
  out.counter("sallyport_transmitted_packets_total", "Received packets that were forwarded.", sums.transmitted);
  out.gauge("sallyport_held_packets", "Received packets that wait: for a name, for fragments, for a neighbour.",
            sums.held);
  out.counter("sallyport_originated_packets_total", "Packets made by the gateway: resets, ICMP errors, pages.",
              sums.originated);
  out.counter("sallyport_ended_packets_total", "Received packets that ended here, by reason.");
  for (std::size_t i = 0; i < sums.drops.size(); ++i) {
    out.add(sums.drops[i], {{"reason", std::string(to_string(static_cast<dataplane::Drop>(i)))}});
  }
}

// The reasons that say so: nothing came, or nothing that could be read to its end.
std::uint64_t missed(const dataplane::CounterSums& sums) {
  using classifier::Reason;
  std::uint64_t missed = 0;
  for (const Reason reason : {Reason::no_name, Reason::hello_timeout, Reason::hello_too_large, Reason::hello_malformed})
    missed += sums.denied_by_reason[static_cast<std::size_t>(reason)];
  return missed;
}

void add_flows(Families& out, const Figures& figures) {
  const dataplane::CounterSums& sums = figures.sums;
  out.gauge("sallyport_flows", "Living flows.", sums.flows_live);
  out.gauge("sallyport_flows_max", "Flows that there is room for.", figures.flows_max);
  out.counter("sallyport_flows_opened_total", "Flows that were opened.", sums.flows_opened);
  out.counter("sallyport_flows_allowed_total", "Flows that were allowed.", sums.flows_allowed);
  out.counter("sallyport_flows_denied_total", "Flows that were denied, by verdict reason.");
  for (std::size_t i = 0; i < sums.denied_by_reason.size(); ++i) {
    out.add(sums.denied_by_reason[i], {{"reason", std::string(to_string(static_cast<classifier::Reason>(i)))}});
  }
  out.counter("sallyport_flows_ended_total", "Flows that are over.", sums.flows_ended);
  out.gauge("sallyport_held_bytes", "Payload that waits for its flow's verdict.", sums.held_bytes);
  out.gauge("sallyport_held_bytes_max", "Payload that may wait.", figures.held_bytes_max);
  out.counter("sallyport_names_seen_total", "Flows and requests that showed a server name.", sums.names_seen);
  out.counter("sallyport_names_missed_total", "Flows that had to show a server name and showed none.", missed(sums));
  out.counter("sallyport_names_not_stored_total", "Names that were decided by, and found no room for the record.",
              sums.names_not_stored);
}

void add_rules(Families& out, const Figures& figures) {
  const auto name_of = [&](const dataplane::RuleSum& sum) {
    return sum.rule == 0 ? std::string("(others)") : figures.live->identities->name(sum.rule);
  };
  out.counter("sallyport_rule_flows_total", "Flows by the rule that decided them.");
  for (const dataplane::RuleSum& sum : figures.rules) {
    if (sum.decided != 0) out.add(sum.decided, {{"rule", name_of(sum)}});
  }
  out.counter("sallyport_rule_audited_flows_total", "Flows that an audit route noted.");
  for (const dataplane::RuleSum& sum : figures.rules) {
    if (sum.audited != 0) out.add(sum.audited, {{"rule", name_of(sum)}});
  }
}

void add_shadow(Families& out, const dataplane::CounterSums& sums) {
  out.counter("sallyport_shadow_decided_flows_total", "Flows that the shadow policy was asked about.",
              sums.shadow_decided);
  out.counter("sallyport_shadow_differing_flows_total", "Of these, flows that it would have ended otherwise.");
  out.add(sums.shadow_allows, {{"verdict", "allow"}});
  out.add(sums.shadow_denies, {{"verdict", "deny"}});
  out.add(sums.shadow_needs_name, {{"verdict", "needs_name"}});
}

void add_dns(Families& out, const Figures& figures) {
  out.counter("sallyport_dns_answers_total", "DNS messages that were read, by what came of them.");
  for (std::size_t i = 0; i < figures.sums.dns.size(); ++i) {
    out.add(figures.sums.dns[i], {{"event", std::string(to_string(static_cast<dataplane::DnsEvent>(i)))}});
  }
  out.gauge("sallyport_dns_bindings", "Bindings of a name to an address that DNS answers made.", figures.bound_names);
}

void add_ports(Families& out, const Figures& figures) {
  const auto each = [&](auto&& value) {
    for (std::size_t i = 0; i < figures.ports.size(); ++i) value(figures.ports[i], figures.sums.ports.at(i));
  };
  using Status = dataplane::PortStatus;
  using Sums = dataplane::PortSums;
  out.gauge("sallyport_port_up", "Whether the port's link is up.");
  each([&](const Status& port, const Sums&) { out.add(std::uint64_t{port.link_up}, {{"port", port.name}}); });
  out.counter("sallyport_port_received_packets_total", "Frames taken from the port.");
  each([&](const Status& port, const Sums& sums) { out.add(sums.received_packets, {{"port", port.name}}); });
  out.counter("sallyport_port_received_bytes_total", "Bytes of these.");
  each([&](const Status& port, const Sums& sums) { out.add(sums.received_bytes, {{"port", port.name}}); });
  out.counter("sallyport_port_transmitted_packets_total", "Frames given to the port.");
  each([&](const Status& port, const Sums& sums) { out.add(sums.transmitted_packets, {{"port", port.name}}); });
  out.counter("sallyport_port_transmitted_bytes_total", "Bytes of these.");
  each([&](const Status& port, const Sums& sums) { out.add(sums.transmitted_bytes, {{"port", port.name}}); });
  out.counter("sallyport_port_lost_packets_total", "Frames that never reached a worker, or never left, by where.");
  each([&](const Status& port, const Sums&) {
    const auto lost = [&](const char* where, std::uint64_t value) {
      out.add(value, {{"port", port.name}, {"where", where}});
    };
    lost("receive_queue", port.missed);
    lost("receive_buffers", port.no_buffer);
    lost("receive_errors", port.receive_errors);
    lost("transmit_errors", port.transmit_errors);
    lost("to_kernel", port.to_kernel_lost);
    lost("from_kernel", port.from_kernel_lost);
  });
}

void add_egress(Families& out, const Figures& figures) {
  out.gauge("sallyport_egress_ports_used_ratio",
            "The fullest egress address: of its ports towards one server, and of its ports at all, what is in use.");
  out.add(ratio(figures.fullest.server), {{"of", "server"}});
  out.add(ratio(figures.fullest.address), {{"of", "address"}});
}

// The addresses that are used most; the others as one, so that a pool of thousands is no thousand series.
struct AddressSeries {
  std::vector<std::pair<std::string, dataplane::AddressLoad>> shown;

  explicit AddressSeries(std::vector<dataplane::AddressLoad> loads) {
    constexpr std::size_t shown_max = 64;
    const auto ports = [](const dataplane::AddressLoad& load) {
      return std::accumulate(load.ports.begin(), load.ports.end(), std::uint64_t{0});
    };
    std::stable_sort(loads.begin(), loads.end(), [&](const auto& a, const auto& b) { return ports(a) > ports(b); });
    const auto end = loads.begin() + static_cast<std::ptrdiff_t>(std::min(loads.size(), shown_max));
    for (auto load = loads.begin(); load != end; ++load) shown.emplace_back(to_string(load->address), *load);
    if (end != loads.end())
      shown.emplace_back("(others)", std::accumulate(end, loads.end(), dataplane::AddressLoad{},
                                                     [](auto sum, auto& load) { return sum += load; }));
  }
};

void add_egress_addresses(Families& out, const Figures& figures) {
  using Load = dataplane::AddressLoad;
  const AddressSeries series(figures.addresses);
  out.gauge("sallyport_egress_addresses_used", "Egress addresses that ports are in use of.", figures.addresses.size());
  out.gauge("sallyport_egress_address_ports_used", "Ports of an egress address that are in use, by protocol.");
  for (const auto& [address, load] : series.shown) {
    out.add(std::uint64_t{load.ports[Load::tcp]}, {{"address", address}, {"protocol", "tcp"}});
    out.add(std::uint64_t{load.ports[Load::udp]}, {{"address", address}, {"protocol", "udp"}});
    out.add(std::uint64_t{load.ports[Load::other]}, {{"address", address}, {"protocol", "other"}});
  }
  out.gauge("sallyport_egress_address_fullest_server_ratio",
            "Of a worker's ports of an egress address, those in use towards its fullest server.");
  for (const auto& [address, load] : series.shown) out.add(ratio(load.fullest), {{"address", address}});
}

void add_policy(Families& out, const Figures& figures) {
  const LivePolicy& live = *figures.live;
  out.gauge("sallyport_active", "Whether it forwards and answers for the egress addresses; else it stands by.",
            std::uint64_t{figures.standing.active});
  out.gauge("sallyport_fenced", "Whether it stands by because it was stopped, and has been told nothing since.",
            std::uint64_t{figures.standing.fenced});
  out.gauge("sallyport_draining", "Whether its flows go on, and new ones are to be another gateway's.",
            std::uint64_t{figures.standing.draining});
  out.gauge("sallyport_policy_loaded", "Whether there is a policy; without one nothing is forwarded.",
            std::uint64_t{live.policy != nullptr});
  out.gauge("sallyport_policy_generation", "Policies that were published since the start.",
            std::uint64_t{live.generation});
  if (live.policy) {
    out.gauge("sallyport_policy_info", "The hash over the meaning of the policy in force.");
    out.add(std::uint64_t{1}, {{"hash", live.policy->hash()}});
    out.gauge("sallyport_policy_published_timestamp_seconds", "When it came into force.", seconds(live.since));
  }
  const ReloadCounts& reloads = figures.reloads;
  out.counter("sallyport_reloads_total", "Loads of the policy, by result.");
  out.add(reloads.published, {{"result", "published"}});
  out.add(reloads.unchanged, {{"result", "unchanged"}});
  out.add(reloads.refused, {{"result", "refused"}});
  out.gauge("sallyport_reload_last_successful", "Whether the last load was taken.");
  out.add(std::uint64_t{reloads.last.kind != ReloadResult::Kind::refused});
  out.gauge("sallyport_reload_last_duration_seconds", "How long the last load took, from the file to the workers.",
            std::chrono::duration<double>(reloads.last_took).count());
  out.gauge("sallyport_reload_last_timestamp_seconds", "When it was over.", seconds(reloads.last_at));
}

void add_replication(Families& out, const ReplicationStatus& status) {
  if (status.role == ReplicationStatus::Role::off) return;
  const bool follows = status.role == ReplicationStatus::Role::following;
  out.gauge("sallyport_replication_connected", "Whether the server that carries flows to the other gateway answers.",
            std::uint64_t{status.connected});
  out.gauge("sallyport_replication_lag_seconds", "On standby: how old the latest is that was heard of the other one.",
            follows ? static_cast<double>(status.lag_ms) / 1000 : 0.0);
  out.gauge("sallyport_replication_whole_seconds", "How long it took to tell of all open flows, the last time.",
            static_cast<double>(status.whole_ms) / 1000);
  out.counter("sallyport_replication_connects_total", "Connections to that server.");
  out.add(status.connects);
  out.counter("sallyport_replication_flows_total", "Flows that were told or heard of, each time.");
  out.add(status.flows_sent, {{"direction", "sent"}});
  out.add(status.flows_received, {{"direction", "received"}});
  out.counter("sallyport_replication_ends_total", "Ends of flows that were told or heard of.");
  out.add(status.ends_sent, {{"direction", "sent"}});
  out.add(status.ends_received, {{"direction", "received"}});
  out.counter("sallyport_replication_lost_total", "Flows and ends that did not get through at once, by where.");
  out.add(status.lost_queued, {{"where", "queue"}});
  out.add(status.lost_away, {{"where", "server"}});
  out.add(status.refused, {{"where", "table"}});
}

void add_workers(Families& out, const Figures& figures) {
  const auto each = [&](auto&& value) {
    for (std::size_t i = 0; i < figures.workers.size(); ++i) {
      out.add(std::uint64_t{value(figures.workers[i])}, {{"worker", std::to_string(i)}});
    }
  };
  using Worker = Figures::Worker;
  out.counter("sallyport_worker_busy_cycles_total", "Clock cycles of a worker's turns that found something to do.");
  each([](const Worker& worker) { return worker.status.busy_cycles; });
  out.counter("sallyport_worker_idle_cycles_total", "Clock cycles of its other turns, asleep or not.");
  each([](const Worker& worker) { return worker.status.idle_cycles; });
  out.counter("sallyport_worker_packets_total", "Packets that it took.");
  each([](const Worker& worker) { return worker.sums.received; });
  out.counter("sallyport_worker_handed_over_packets_total", "Of these, packets that belong to another worker.");
  each([](const Worker& worker) { return worker.status.handed_over; });
  out.counter("sallyport_worker_turns_total", "Turns of its loop: standing still, it is stuck.");
  each([](const Worker& worker) { return worker.status.heartbeat; });
}

void add_records(Families& out, const Figures& figures) {
  std::uint64_t lost = 0;
  for (const Figures::Worker& worker : figures.workers) lost += worker.status.records_lost;
  out.counter("sallyport_flow_records_written_total", "Flow records that an output of the flow log took.");
  for (const FlowLog::OutputCounts& output : figures.outputs) out.add(output.written, {{"output", output.name}});
  out.counter("sallyport_flow_records_lost_total", "Flow records that were lost, by where.");
  out.add(lost, {{"where", "ring"}});
  for (const FlowLog::OutputCounts& output : figures.outputs) out.add(output.lost, {{"where", output.name}});
}

void add_memory(Families& out, const Figures& figures) {
  out.gauge("sallyport_memory_bytes", "Memory taken at start, by what for.");
  out.add(std::uint64_t{figures.memory.pipelines.flows}, {{"for", "flows"}});
  out.add(std::uint64_t{figures.memory.pipelines.held}, {{"for", "held"}});
  out.add(std::uint64_t{figures.memory.buffers}, {{"for", "buffers"}});
  out.add(std::uint64_t{figures.memory.pipelines.other + figures.memory.rings}, {{"for", "other"}});
}

}  // namespace

std::string metrics_text(const Figures& figures, std::string_view version) {
  Families out;
  out.gauge("sallyport_build_info", "The version that runs.");
  out.add(std::uint64_t{1}, {{"version", std::string(version)}, {"name", figures.name}});
  add_packets(out, figures.sums);
  add_flows(out, figures);
  add_rules(out, figures);
  add_shadow(out, figures.sums);
  add_dns(out, figures);
  add_ports(out, figures);
  add_egress(out, figures);
  add_egress_addresses(out, figures);
  add_policy(out, figures);
  add_replication(out, figures.replication);
  add_workers(out, figures);
  add_records(out, figures);
  add_memory(out, figures);
  return out.text();
}

}  // namespace sallyport
