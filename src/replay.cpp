#include "src/replay.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "classifier/identities.h"
#include "config/load.h"
#include "src/capture_reader.h"
#include "src/exit_code.h"
#include "src/policy_source.h"
#include "src/replay_engine.h"
#include "src/replay_setup.h"
#include "src/replay_summary.h"
#include "src/replay_wires.h"
#include "src/replay_world.h"
#include "src/state_folder.h"
#include "src/terminal.h"

namespace sallyport {
namespace {

// Ends the command: what to say, and the exit status.
struct Failure {
  ExitCode code;
  std::string message;
};
using Problem = std::optional<Failure>;

bool is_two_wires(const ReplayOptions& options) { return options.in.empty(); }

std::vector<std::string> inputs(const ReplayOptions& options) {
  if (is_two_wires(options)) return {options.inside_in, options.outside_in};
  return {options.in};
}

std::vector<std::string> output_paths(const ReplayOptions& options) {
  return {options.out, options.inside_out, options.outside_out, options.flows};
}

bool is_standard_stream(const std::string& path) { return path == "-"; }

Problem check_options(const ReplayOptions& options) {
  const auto usage = [](std::string message) { return Failure{ExitCode::usage, std::move(message)}; };
  if (options.policy.empty() && options.config.empty())
    return usage("replay: --policy FILE is missing (or --config FILE, which names one)");
  const bool apart = !options.inside_in.empty() || !options.outside_in.empty();
  if (!options.in.empty() && apart) return usage("replay: either --in, or --inside-in and --outside-in");
  if (options.in.empty() && !apart) return usage("replay: --in CAPTURE is missing (or --inside-in A --outside-in B)");
  if (apart && options.inside_in.empty()) return usage("replay: --inside-in is missing beside --outside-in");
  if (apart && options.outside_in.empty()) return usage("replay: --outside-in is missing beside --inside-in");
  if (options.inside_in == "-" && options.outside_in == "-")
    return usage("replay: standard input is one capture: give the other wire as a file");
  const std::vector<std::string> given = output_paths(options);
  if (std::count_if(given.begin(), given.end(), is_standard_stream) > 1)
    return usage("replay: standard output takes one of --out, --inside-out, --outside-out and --flows");
  for (const std::string& output : given) {
    for (const std::string& input : inputs(options)) {
      std::error_code error;
      if (!output.empty() && std::filesystem::is_regular_file(input, error) &&
          std::filesystem::equivalent(input, output, error)) {
        return usage(fmt::format("replay: {} would be overwritten by what it gives: choose another output", input));
      }
    }
  }
  return std::nullopt;
}

void print_diagnostics(const config::Diagnostics& diagnostics, const std::vector<std::string>& files) {
  for (const std::string& line : lines(diagnostics, files)) fmt::print(stderr, "{}\n", line);
}

Failure refused(const config::Diagnostics& diagnostics, const std::string& path) {
  const ExitCode code = exit_code(diagnostics);
  const std::string_view what = code == ExitCode::environment
                                    ? "a file named above cannot be read: name another, or let this user read it"
                                    : "not valid: mend the lines named above and replay again";
  return {code, fmt::format("{}: {}", path, what)};
}

Problem load_setup(const ReplayOptions& options, ReplaySetup& setup, std::string& policy_path) {
  policy_path = options.policy;
  std::optional<classifier::PoolKey> key;
  if (options.config.empty()) {
    setup = plain_setup();
  } else {
    const auto loaded = config::load_appliance_file(options.config);
    print_diagnostics(loaded.diagnostics, loaded.files);
    if (!loaded.model) return refused(loaded.diagnostics, options.config);
    setup = configured_setup(*loaded.model);
    if (policy_path.empty()) policy_path = loaded.model->policy_path;
    key = loaded.model->nat.pool_key;
  }
  if (std::string problem = find_pool_key(key, options.state_folder, {}); !problem.empty()) {
    return Failure{ExitCode::environment, std::move(problem)};
  }
  if (key) setup.settings.pool_key = *key;
  if (!is_two_wires(options)) tolerate_captures(setup);
  return std::nullopt;
}

Problem load_policy(const std::string& path, classifier::Identities& identities,
                    std::shared_ptr<const classifier::Policy>& policy) {
  const Progress progress(fmt::format("compiling {}", path));
  CompiledPolicy compiled = compile_policy_file(path, identities);
  print_diagnostics(compiled.diagnostics, compiled.files);
  if (!compiled.policy) return refused(compiled.diagnostics, path);
  policy = std::move(compiled.policy);
  return std::nullopt;
}

Problem failure_of(const CaptureReader& reader) {
  if (!reader.error()) return std::nullopt;
  const bool unreadable = reader.error()->kind == CaptureError::Kind::unreadable;
  return Failure{unreadable ? ExitCode::environment : ExitCode::no,
                 reader.error()->message + (unreadable ? ": name another capture, or let this user read it"
                                                       : ": write it anew with tcpdump -w, or name another")};
}

Problem open_outputs(const ReplayOptions& options, const ReplaySetup& setup, ReplayOutputs& outputs) {
  const auto failed = [](const std::string& path) {
    return Failure{
        ExitCode::environment,
        fmt::format("{}: {}: name a file in a folder that is there and may be written", path, std::strerror(errno))};
  };
  const std::span<const std::string> names = setup.port_names;
  if (!options.out.empty() && !outputs.all.open(options.out, names)) return failed(options.out);
  for (const auto& [path, port] :
       {std::pair{&options.inside_out, setup.inside}, {&options.outside_out, setup.outside}}) {
    if (!path->empty() && !outputs.of_port[port].open(*path, names.subspan(port, 1))) return failed(*path);
  }
  if (!options.flows.empty() && !outputs.flows.open(options.flows)) return failed(options.flows);
  return std::nullopt;
}

Problem close_outputs(ReplayOutputs& outputs) {
  bool good = outputs.all.close();
  for (CaptureWriter& writer : outputs.of_port) good = writer.close() && good;
  good = outputs.flows.close() && good;
  if (good) return std::nullopt;
  return Failure{ExitCode::environment, fmt::format("the output could not be written: {}", std::strerror(errno))};
}

Problem report_link_types(const UnknownLinkTypes& types, const ReplayTotals& totals) {
  if (types.empty()) return std::nullopt;
  std::string list;
  for (const std::uint32_t type : types) list += fmt::format("{}{}", list.empty() ? "" : ", ", type);
  const std::string message = fmt::format(
      "link type {} is not read here: Ethernet, raw IP, Linux cooked, BSD loopback, PPP and C-HDLC are", list);
  const auto not_ip = totals.drops[static_cast<std::size_t>(dataplane::Drop::not_ip)];
  if (not_ip == totals.received) return Failure{ExitCode::no, message};
  fmt::print(stderr, "warning: {}\n", message);
  return std::nullopt;
}

Problem run(const ReplayOptions& options) {
  if (auto problem = check_options(options)) return problem;
  ReplaySetup setup;
  std::string policy_path;
  if (auto problem = load_setup(options, setup, policy_path)) return problem;
  classifier::Identities identities;
  std::shared_ptr<const classifier::Policy> policy;
  if (auto problem = load_policy(policy_path, identities, policy)) return problem;

  std::vector<std::unique_ptr<CaptureReader>> readers;
  std::uint64_t bytes = 0;
  for (const std::string& path : inputs(options)) {
    readers.push_back(std::make_unique<CaptureReader>(path));
    if (auto problem = failure_of(*readers.back())) return problem;
    bytes += readers.back()->bytes();
  }
  fit_tables(setup, bytes);
  ReplayOutputs outputs;
  if (auto problem = open_outputs(options, setup, outputs)) return problem;

  ReplayWorld world(outputs, identities);
  const std::shared_ptr<const dataplane::Routing> routing =
      dataplane::Routing::two_wires(setup.inside, setup.outside, setup.addresses);
  dataplane::Snapshot snapshot = dataplane::make_snapshot(
      policy, routing, 1, 1, dataplane::fitting_names(policy.get(), nullptr, 1, setup.settings.seed));
  snapshot.tunnels = setup.tunnels;
  ReplayEngine engine(setup.settings, std::move(snapshot), world);
  UnknownLinkTypes unknown;
  const auto begin = std::chrono::steady_clock::now();
  {
    const Progress progress(fmt::format("replaying {}", inputs(options).front()));
    unknown = is_two_wires(options) ? replay_two_wires(*readers[0], *readers[1], engine, setup)
                                    : replay_one_wire(*readers[0], engine, setup);
    engine.finish();
  }
  const auto took = std::chrono::steady_clock::now() - begin;

  const ReplayTotals totals = engine.totals();
  check_sums(totals);
  auto problem = close_outputs(outputs);
  const std::vector<std::string> given = output_paths(options);
  const bool taken = std::any_of(given.begin(), given.end(), is_standard_stream);
  fmt::print(taken ? stderr : stdout, "{}", summary_text(totals, took));
  if (problem) return problem;
  for (const auto& reader : readers) {
    if (auto broken = failure_of(*reader)) return broken;
  }
  return report_link_types(unknown, totals);
}

}  // namespace

int replay_command(const ReplayOptions& options) {
  Problem problem;
  try {
    problem = run(options);
  } catch (const std::bad_alloc&) {
    problem = Failure{ExitCode::environment, "no memory: lower [limits] flows or held_bytes"};
  }
  if (!problem) return status(ExitCode::done);
  std::fflush(stdout);
  fmt::print(stderr, "sallyport: {}\n", problem->message);
  return status(problem->code);
}

}  // namespace sallyport
