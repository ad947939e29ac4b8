// sallyport.toml into a model.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "config/appliance/endpoint.h"
#include "config/appliance/readers.h"
#include "config/bounds.h"
#include "config/document/values.h"
#include "config/load.h"
#include "config/root_keys.h"
#include "config/source_file.h"

namespace sallyport::config {
namespace {

void read_gateway(const Item& item, ApplianceModel& into, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  table.optional("policy", into.policy, filled_text);
  table.optional("name", into.name, object_name);
  table.optional("shadow_policy", into.shadow_policy, filled_text);
  table.optional("state_period", into.state_period, duration(std::chrono::milliseconds(0), std::chrono::hours(24)));
}

// "127.0.0.1:9464", "[::1]:9464"
std::optional<std::string> listen_address(const Item& item, Diagnostics& diagnostics) {
  auto written = filled_text(item, diagnostics);
  if (!written || parse_endpoint(*written)) return written;
  report(item, diagnostics, "expected an address and a port, such as \"127.0.0.1:9464\" or \"[::1]:9464\"");
  return std::nullopt;
}

bool is_loopback(std::string_view listen) { return listen.starts_with("127.") || listen.starts_with("[::1]:"); }

void read_metrics(const Item& item, MetricsConfig& into, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  table.optional("listen", into.listen, listen_address);
  table.optional("token_file", into.token_file, filled_text);
  const auto listen = table.find("listen");
  if (!listen || into.listen.empty() || is_loopback(into.listen) || !into.token_file.empty()) return;
  report(*listen, diagnostics,
         "whoever reaches this address could read who talks to whom: listen on 127.0.0.1 or [::1], or name a "
         "token_file");
}

// DPDK would print its help and end with status 0, or look for a primary process until it is killed.
std::optional<std::string> eal_argument(const Item& item, Diagnostics& diagnostics) {
  auto argument = filled_text(item, diagnostics);
  const bool is_other = argument && argument->starts_with("--proc-type") && argument != "--proc-type=primary";
  if (argument == "-h" || argument == "--help" || is_other) {
    report(item, diagnostics, fmt::format("\"{}\" is not for a gateway: leave it out", *argument));
    return std::nullopt;
  }
  return argument;
}

void read_dpdk(const Item& item, std::vector<std::string>& into, Diagnostics& diagnostics) {
  TableReader(item, diagnostics).each("eal_args", into, eal_argument);
}

void read_control(const Item& item, std::string& into, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  const auto socket = table.find("socket");
  if (!socket) return;
  auto path = filled_text(*socket, diagnostics);
  if (!path) return;
  if (path->size() > bounds::socket_path_bytes) {
    report(*socket, diagnostics, "the path of a socket has at most 107 bytes");
  } else {
    into = std::move(*path);
  }
}

void read_appliance(const Item& root, ApplianceModel& model, Diagnostics& diagnostics) {
  TableReader table(root, diagnostics);
  table.tell_where(policy_tables, "the policy (--policy, [gateway] policy), not into the configuration");
  const auto within = [&](std::string_view key, auto read, auto& into) {
    if (const auto item = table.find(key)) read(*item, into, diagnostics);
  };
  within("gateway", read_gateway, model);
  within("workers", read_workers, model.workers);
  within("limits", read_limits, model.limits);
  within("timeouts", read_timeouts, model.timeouts);
  within("nat", read_nat, model.nat);
  within("ha", read_ha, model.ha);
  within("flow_log", read_flow_log, model.flow_log);
  within("ipfix", read_ipfix, model.ipfix);
  within("metrics", read_metrics, model.metrics);
  within("control", read_control, model.control_socket);
  within("dpdk", read_dpdk, model.eal_args);
  const std::size_t errors = diagnostics.errors();
  const auto array = table.find("port");
  const std::vector<Item> ports = array ? elements(*array, bounds::ports, diagnostics) : std::vector<Item>();
  const bool ports_known = diagnostics.errors() == errors;
  for (const Item& port : ports) model.ports.push_back(read_port(port, diagnostics));
  if (ports_known) check_ports(ports, root, diagnostics);
  const auto tunnels = table.find("tunnel");
  for (const Item& item : tunnels ? elements(*tunnels, bounds::tunnels, diagnostics) : std::vector<Item>()) {
    if (auto tunnel = read_tunnel(item, model.ports, diagnostics)) model.tunnels.push_back(std::move(*tunnel));
  }
  check_tunnels(model.tunnels, diagnostics);
  check_ha(model.ports, model.ha, root, diagnostics);
  if (!diagnostics.has_errors()) warn_of_ports(model.ports, diagnostics);
}

}  // namespace

Loaded<ApplianceModel> load_appliance(const SourceText& source) {
  Loaded<ApplianceModel> result;
  result.files.push_back(source.name);
  const auto root = parse_toml(source.text, 0, result.diagnostics);
  if (!root) return result;
  ApplianceModel model;
  read_appliance({&*root, ""}, model, result.diagnostics);
  result.diagnostics.sort();
  if (result.diagnostics.has_errors()) return result;
  model.files = result.files;
  model.policy_path = beside(source.name, model.policy);
  if (!model.metrics.token_file.empty()) model.metrics.token_file = beside(source.name, model.metrics.token_file);
  if (!model.shadow_policy.empty()) model.shadow_policy_path = beside(source.name, model.shadow_policy);
  result.model = std::move(model);
  return result;
}

Loaded<ApplianceModel> load_appliance_file(const std::string& path, Pipes pipes) {
  auto text =
      pipes == Pipes::read ? read_whole_file(path, bounds::toml_bytes) : read_regular_file(path, bounds::toml_bytes);
  if (text) return load_appliance({path, std::move(*text.value)});
  Loaded<ApplianceModel> unreadable;
  unreadable.files.push_back(path);
  unreadable.diagnostics.error({0, 0, 0}, "", text.error);
  return unreadable;
}

}  // namespace sallyport::config
