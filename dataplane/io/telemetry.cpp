#include "dataplane/io/telemetry.h"

#include <array>
#include <cerrno>
#include <mutex>
#include <string>

#include "dataplane/io/dpdk.h"
#include "dataplane/io/gateway.h"

namespace sallyport::dataplane {
namespace {

// DPDK hands its callbacks nothing of ours, and calls them on a thread of its own.
struct Served {
  std::mutex mutex;
  const Gateway* gateway = nullptr;
};
Served& served() {
  static Served served;
  return served;
}

void put(rte_tel_data* to, const std::string& name, std::uint64_t value) {
  put_telemetry_number(to, name.c_str(), value);
}
void put(rte_tel_data* to, const std::string& name, const std::string& value) {
  (void)rte_tel_data_add_dict_string(to, name.c_str(), value.c_str());
}

// Names may be letters, digits, '_' and '/' only.
std::string key_of(std::string name) {
  const auto is_plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  for (char& c : name) c = is_plain(c) ? c : '_';
  return name;
}

// A dictionary inside the answer.
template <typename Fill>
void put_inner(rte_tel_data* to, const std::string& name, Fill fill) {
  rte_tel_data* inner = rte_tel_data_alloc();
  if (inner == nullptr) return;
  (void)rte_tel_data_start_dict(inner);
  fill(inner);
  if (rte_tel_data_add_dict_container(to, key_of(name).c_str(), inner, 0) != 0) rte_tel_data_free(inner);
}

void reasons(const Gateway& gateway, rte_tel_data* to) {
  const CounterSums sums = gateway.counters();
  put(to, "received", sums.received);
  put(to, "transmitted", sums.transmitted);
  put(to, "held", sums.held);
  put(to, "originated", sums.originated);
  for (std::size_t i = 0; i < sums.drops.size(); ++i) {
    put(to, std::string(to_string(static_cast<Drop>(i))), sums.drops[i]);
  }
}

void flows(const Gateway& gateway, rte_tel_data* to) {
  const CounterSums sums = gateway.counters();
  put(to, "opened", sums.flows_opened);
  put(to, "allowed", sums.flows_allowed);
  put(to, "denied", sums.flows_denied);
  put(to, "ended", sums.flows_ended);
  put(to, "live", sums.flows_live);
  put(to, "names_seen", sums.names_seen);
  put(to, "shadow_decided", sums.shadow_decided);
  put(to, "shadow_would_allow", sums.shadow_allows);
  put(to, "shadow_would_deny", sums.shadow_denies);
  put(to, "shadow_would_need_name", sums.shadow_needs_name);
  for (std::size_t i = 0; i < sums.denied_by_reason.size(); ++i) {
    const auto reason = static_cast<classifier::Reason>(i);
    put(to, "denied_" + std::string(classifier::to_string(reason)), sums.denied_by_reason[i]);
  }
}

void workers(const Gateway& gateway, rte_tel_data* to) {
  for (unsigned i = 0; i < gateway.workers(); ++i) {
    put_inner(to, std::to_string(i), [&](rte_tel_data* inner) {
      const WorkerStatus worker = gateway.worker(i);
      const CounterSums sums = gateway.counters(i);
      put(inner, "processor", worker.processor);
      put(inner, "heartbeat", worker.heartbeat);
      put(inner, "busy_cycles", worker.busy_cycles);
      put(inner, "idle_cycles", worker.idle_cycles);
      put(inner, "received", sums.received);
      put(inner, "transmitted", sums.transmitted);
      put(inner, "held", sums.held);
      put(inner, "held_bytes", sums.held_bytes);
      put(inner, "flows_live", sums.flows_live);
      put(inner, "handed_over", worker.handed_over);
      put(inner, "records_lost", worker.records_lost);
    });
  }
}

void ports(const Gateway& gateway, rte_tel_data* to) {
  const CounterSums sums = gateway.counters();
  const std::vector<PortStatus> all = gateway.ports();
  for (std::size_t i = 0; i < all.size(); ++i) {
    put_inner(to, all[i].name, [&](rte_tel_data* inner) {
      put(inner, "received_packets", sums.ports.at(i).received_packets);
      put(inner, "received_bytes", sums.ports.at(i).received_bytes);
      put(inner, "transmitted_packets", sums.ports.at(i).transmitted_packets);
      put(inner, "transmitted_bytes", sums.ports.at(i).transmitted_bytes);
      put(inner, "missed", all[i].missed);
      put(inner, "no_buffer", all[i].no_buffer);
      put(inner, "receive_errors", all[i].receive_errors);
      put(inner, "transmit_errors", all[i].transmit_errors);
      put(inner, "other_host", all[i].other_host);
      put(inner, "to_kernel", all[i].to_kernel);
      put(inner, "from_kernel", all[i].from_kernel);
      put(inner, "link_up", all[i].link_up ? 1 : 0);
    });
  }
}

void policy(const Gateway& gateway, rte_tel_data* to) {
  const PolicyStatus status = gateway.policy();
  put(to, "loaded", status.loaded ? 1 : 0);
  put(to, "generation", status.generation);
  put(to, "hash", status.hash);
  put(to, "shadow_hash", status.shadow_hash);
}

void put_load(rte_tel_data* to, const std::string& name, const PortLoad& load) {
  put_inner(to, name, [&](rte_tel_data* inner) {
    put(inner, "address", to_string(load.address));
    if (load.towards_server) put(inner, "server", to_string(load.server));
    if (load.towards_server) put(inner, "server_port", __builtin_bswap16(load.server_port));
    put(inner, "protocol", static_cast<std::uint64_t>(load.protocol));
    put(inner, "ports_used", load.used);
    put(inner, "ports", load.of);
  });
}

void egress(const Gateway& gateway, rte_tel_data* to) {
  const FullestPorts fullest = gateway.fullest_ports();
  put_load(to, "fullest_server", fullest.server);
  put_load(to, "fullest_address", fullest.address);
}

using Fill = void (*)(const Gateway&, rte_tel_data*);
template <Fill fill>
int answer(const char*, const char*, rte_tel_data* to) {
  const std::lock_guard lock(served().mutex);
  if (served().gateway == nullptr) return -ENOENT;
  if (const int result = rte_tel_data_start_dict(to); result != 0) return result;
  fill(*served().gateway, to);
  return 0;
}

struct Command {
  const char* path;
  telemetry_cb callback;
  const char* help;
};
constexpr std::array<Command, 6> commands = {{
    {"/sallyport/reasons", answer<reasons>, "How packets ended, by reason. Takes no parameters."},
    {"/sallyport/flows", answer<flows>, "How flows were decided. Takes no parameters."},
    {"/sallyport/workers", answer<workers>, "Packets, flows and load of each worker. Takes no parameters."},
    {"/sallyport/ports", answer<ports>, "Packets and losses of each port. Takes no parameters."},
    {"/sallyport/egress", answer<egress>, "Which ports are nearest to their end. Takes no parameters."},
    {"/sallyport/policy", answer<policy>, "Which policy runs. Takes no parameters."},
}};

}  // namespace

void serve_telemetry(const Gateway* gateway) {
  const std::lock_guard lock(served().mutex);
  const bool first = served().gateway == nullptr && gateway != nullptr;
  served().gateway = gateway;
  static bool registered = false;
  if (!first || registered) return;
  registered = true;
  // An environment without telemetry ([dpdk] eal_args = ["--no-telemetry"]) takes them and never asks.
  for (const Command& command : commands) {
    (void)rte_telemetry_register_cmd(command.path, command.callback, command.help);
  }
}

}  // namespace sallyport::dataplane
