#include "src/setup/first_gateway.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "config/load.h"
#include "config/source_file.h"
#include "src/list_text.h"
#include "src/output_file.h"
#include "src/policy_source.h"
#include "src/setup/vfio_binding.h"

namespace sallyport::setup {
namespace {

// RFC 1918 and RFC 5737: what nobody has outside, where no address was given.
constexpr const char* example_inside = "10.0.0.1/24";
constexpr const char* example_outside = "203.0.113.2/24";
constexpr const char* example_gateway = "203.0.113.254";

std::vector<std::string> names_of(const std::vector<Port>& ports) {
  std::vector<std::string> names;
  names.reserve(ports.size());
  for (const Port& port : ports) names.push_back(port.name);
  return names;
}

// The operator named the device and not its interface: DPDK is to have it.
bool is_named_by_pci(const Port& port, const std::string& name) {
  return name == port.pci || "0000:" + name == port.pci;
}

bool exists(const std::string& path) {
  std::error_code none;
  return std::filesystem::exists(path, none);
}

}  // namespace

FirstGateway::FirstGateway(const SetupOptions& options, const Sysfs& sysfs, const std::vector<Port>& ports,
                           Questions& questions, Outcome& outcome)
    : options_(options), sysfs_(sysfs), ports_(ports), questions_(questions), outcome_(outcome) {}

void FirstGateway::choose_ports() {
  // Before anything is changed.
  if (exists(options_.output) && !options_.force) {
    throw Refused{ExitCode::no,
                  fmt::format("setup: {} is there already: --force keeps it as {}.old and writes it anew, "
                              "--output names another file",
                              options_.output, options_.output)};
  }
  const std::string inside = chosen_name(Role::inside, options_.inside);
  const std::string outside = chosen_name(Role::outside, options_.outside);
  if (inside == outside) {
    throw Refused{ExitCode::usage, fmt::format("setup: {} is to be inside and outside: name two ports", inside)};
  }
  inside_ = made(Role::inside, inside);
  outside_ = made(Role::outside, outside);
}

std::string FirstGateway::chosen_name(Role role, const std::string& given) {
  const char* option = role == Role::inside ? "inside" : "outside";
  if (!given.empty()) return given;
  if (questions_.mode() == Questions::Mode::ask) {
    const char* what = role == Role::inside ? "Which port is inside, towards the senders?"
                                            : "Which port is outside, towards the servers?";
    if (const auto answer = questions_.text(what, "")) return *answer;
  }
  throw Refused{ExitCode::usage,
                fmt::format("setup: --{} PORT is missing: one of {}", option, list_text(names_of(ports_)))};
}

FirstPort FirstGateway::made(Role role, const std::string& name) {
  const bool inside = role == Role::inside;
  const Port* port = find_port(ports_, name);
  const bool virtual_device = port == nullptr && name.starts_with("net_");
  if (port == nullptr && !virtual_device) {
    throw Refused{ExitCode::environment,
                  fmt::format("setup: there is no port {}: one of {}", name, list_text(names_of(ports_)))};
  }
  if (port != nullptr && state_of(*port) == PortState::default_route) {
    throw Refused{ExitCode::no, fmt::format("setup: {} carries this machine's default route and would be cut off: give "
                                            "the gateway a port of its own, or move the route first",
                                            name)};
  }
  FirstPort made;
  made.addresses = addresses_for(role, port, inside ? options_.inside_addresses : options_.outside_addresses);
  if (!inside) {
    made.gateways = options_.gateways;
    const bool example = made.addresses == std::vector<std::string>{example_outside};
    const auto answer =
        made.gateways.empty() ? questions_.text("The next hop outside", example ? example_gateway : "") : std::nullopt;
    if (answer) made.gateways.push_back(*answer);
  }
  if (virtual_device) {
    made.device = name;
    return made;
  }
  made.mtu = port->mtu;
  made.device = device_text(*port);
  if (port->interface.empty() || is_named_by_pci(*port, name)) {
    hand_over(*port);
    made.device = port->pci;
    made.remark = port->interface.empty() ? "" : "was " + port->interface;
  } else if (!port->network.addresses.empty()) {
    outcome_.next.push_back(
        fmt::format("ip address flush dev {0}, and take {0} out of the machine's network configuration: "
                    "its addresses are the gateway's now",
                    port->interface));
  }
  return made;
}

std::vector<std::string> FirstGateway::addresses_for(Role role, const Port* port,
                                                     const std::vector<std::string>& given) {
  if (!given.empty()) return given;
  if (port != nullptr && !port->network.addresses.empty()) return port->network.addresses;
  const std::string example = role == Role::inside ? example_inside : example_outside;
  const std::string answer = *questions_.text(fmt::format("Address of the {} port, with the length of its network",
                                                          role == Role::inside ? "inside" : "outside"),
                                              example);
  if (answer == example) {
    outcome_.next.push_back(fmt::format("put your own address in the place of {} in {}", example, options_.output));
  }
  return {answer};
}

void FirstGateway::bind(const std::string& name) {
  const Port* port = find_port(ports_, name);
  if (port == nullptr) {
    throw Refused{ExitCode::environment,
                  fmt::format("setup: --bind: there is no port {}: one of {}", name, list_text(names_of(ports_)))};
  }
  hand_over(*port);
}

void FirstGateway::hand_over(const Port& port) {
  const bool stays_with_kernel = port.driver.starts_with("mlx");  // DPDK drives it beside the kernel
  if (state_of(port) == PortState::ready || stays_with_kernel) return;
  if (const std::string obstacle = binding_obstacle(sysfs_, port); !obstacle.empty()) {
    throw Refused{ExitCode::environment, "setup: " + obstacle};
  }
  const std::string loss = port.interface.empty() ? "" : fmt::format("; its interface {} goes away", port.interface);
  if (!questions_.agrees(fmt::format("Bind {} to vfio-pci, for DPDK{}?", port.pci, loss))) {
    throw Refused{ExitCode::no, fmt::format("setup: {} stays as it is: --yes agrees to bind it to vfio-pci", port.pci)};
  }
  bind_to_vfio(sysfs_, port.pci);
  outcome_.bound.push_back(port.pci);
  outcome_.next.push_back(
      fmt::format("systemctl enable sallyport-vfio@{}: binds it at every start of the machine", port.pci));
}

void FirstGateway::tell_group_mates() {
  for (const std::string& pci : outcome_.bound) {
    const std::vector<std::string> mates = group_mates(sysfs_, pci);
    if (mates.empty()) continue;
    outcome_.next.push_back(fmt::format("bind {}, too: {} shares an IOMMU group with it, and VFIO gives that out whole",
                                        list_text(mates), pci));
  }
}

void FirstGateway::write_file(const std::string& path, const std::string& text) {
  const std::string unfinished = path + ".new";
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  OutputFile file;
  const bool opened = file.open(unfinished);
  if (opened) file.append(text);
  if (!opened || !file.close()) {
    throw Refused{ExitCode::environment,
                  fmt::format("setup: {} cannot be written: {}; run setup as root, or name another "
                              "file by --output",
                              unfinished, std::strerror(errno))};
  }
  if (exists(path)) std::rename(path.c_str(), (path + ".old").c_str());
  std::rename(unfinished.c_str(), path.c_str());
  outcome_.written.push_back(path);
}

void FirstGateway::write() {
  const std::string text = first_configuration(inside_, outside_);
  // What the operator gave goes in as it is: judged before it takes a place.
  const auto loaded = config::load_appliance({options_.output, text});
  if (!loaded.model) {
    throw Refused{ExitCode::no,
                  fmt::format("setup: nothing is written: {}", lines(loaded.diagnostics, loaded.files).front())};
  }
  write_file(options_.output, text);
  const std::string policy = config::beside(options_.output, "policy.toml");
  if (!exists(policy)) write_file(policy, first_policy(inside_));
}

}  // namespace sallyport::setup
