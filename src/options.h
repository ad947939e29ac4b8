// The command line as values.
//
// Every command has its own struct; what a command gets has been checked as far as the words alone can tell (addresses
// are addresses, ports are ports), so it never has to speak of usage again.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "config/address.h"
#include "config/policy_model.h"
#include "src/replay.h"

namespace sallyport {

inline constexpr const char* default_config_path = "/etc/sallyport/sallyport.toml";
inline constexpr const char* default_control_socket = "/run/sallyport/control.sock";
inline constexpr const char* default_state_folder = "/var/lib/sallyport";

struct CheckOptions {
  std::string config;  // empty: only the policy is checked
  std::string policy;  // empty: the one that the configuration names
  bool json = false;
  bool strict = false;  // warnings count as errors
  // Another gateway, whose policy has to mean the same (policy_elsewhere.h); empty: none.
  std::string against;
  std::string token_file;
};

struct RequestLine {
  std::string method;
  std::string target;
  bool http2 = false;
  std::vector<std::pair<std::string, std::string>> fields;  // name and value
};

struct ExplainOptions {
  std::string config;  // empty: none
  std::string policy;  // empty: the one that the configuration names
  // Whose pool key counts where `config` has none; empty: the default one's where `config` is given.
  std::string state_folder;
  IpAddress from;
  IpAddress to;  // of the same family
  config::Protocol protocol = config::Protocol::tcp;
  std::uint16_t port = 0;     // 0 for ICMP
  bool port_assumed = false;  // none was given
  std::optional<std::string> host;
  std::optional<RequestLine> http;
  struct Resolved {
    std::string name;  // in normal form
    IpAddress address;
  };
  std::vector<Resolved> resolved;  // what DNS is to have said
  bool json = false;
};

struct ImportOptions {
  std::vector<std::string> files;  // at least one; "-" is the standard input
  std::vector<IpAddress> snat;
  bool strict = false;  // what is not kept exactly counts as an error
};

// explain --diff: two policies and a flow log.
struct DiffOptions {
  std::string config;  // empty: none
  std::string before;
  std::string after;
  std::string flows;         // "-": standard input
  std::string state_folder;  // as in ExplainOptions
  bool json = false;
};

struct RunOptions {
  std::string config = default_config_path;
  std::string state_folder = default_state_folder;
  std::string control_socket;  // empty: the one of the configuration
};

enum class ShowTopic : std::uint8_t { flows, ports, policy, egress, reasons, workers };

struct ShowOptions {
  ShowTopic topic = ShowTopic::flows;
  bool json = false;
  std::string config;          // its control socket is asked; empty: none
  std::string control_socket;  // before that of `config`; empty, and no `config`: the default one
};

struct ReloadOptions {
  std::string config;  // as in ShowOptions
  std::string control_socket;
};

struct SetupOptions {
  bool list = false;  // shows ports and huge pages, changes nothing
  bool json = false;
  bool yes = false;    // agrees to whatever would be asked
  bool force = false;  // writes over a configuration, which is kept beside it
  std::string inside;  // a port's name or PCI address, or a DPDK device; empty: asked for
  std::string outside;
  std::vector<std::string> inside_addresses;  // empty: those of the interface, else asked for
  std::vector<std::string> outside_addresses;
  std::vector<std::string> gateways;
  std::vector<std::string> bind;                 // PCI devices for vfio-pci
  std::optional<std::uint64_t> huge_page_bytes;  // 0: none; absent: asked for
  std::string output = default_config_path;
  std::string sysfs = "/sys";
  std::string etc = "/etc";
};

enum class HaWord : std::uint8_t { active, standby, drain, status };

struct HaOptions {
  HaWord word = HaWord::status;
  bool json = false;   // of the status
  std::string config;  // as in ShowOptions
  std::string control_socket;
};

struct TopOptions {
  std::string config;  // as in ShowOptions
  std::string control_socket;
  bool once = false;  // one picture and no more
};

// Of commands that follow packets.
struct FollowOptions {
  std::string config;  // as in ShowOptions
  std::string control_socket;
  std::string filter;         // pcap-filter(7); empty: everything
  std::uint64_t count = 0;    // 0: no limit
  std::uint32_t seconds = 0;  // 0: no limit
};

struct TraceOptions {
  FollowOptions follow;
  bool json = false;
};

struct CaptureOptions {
  FollowOptions follow;
  std::string out = "-";  // the standard output
  bool inside = true;
  bool outside = true;
  bool dropped = false;  // what ended under a reason, wherever it came from
  std::uint32_t snap_bytes = 65535;
};

struct VersionOptions {};

// The text is for stdout and the exit code 0.
struct HelpText {
  std::string text;
};

// One line for stderr and the exit code 2. Also for commands that a later version will have.
struct UsageError {
  std::string message;
};

using CommandLine = std::variant<CheckOptions, ExplainOptions, DiffOptions, ImportOptions, RunOptions, ReplayOptions,
                                 ShowOptions, ReloadOptions, HaOptions, SetupOptions, TopOptions, TraceOptions,
                                 CaptureOptions, VersionOptions, HelpText, UsageError>;

// `arguments` without the program's name.
[[nodiscard]] CommandLine parse_command_line(std::span<const char* const> arguments);

[[nodiscard]] std::string_view to_string(ShowTopic topic) noexcept;
[[nodiscard]] std::string_view to_string(HaWord word) noexcept;

}  // namespace sallyport
