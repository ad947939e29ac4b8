#include "src/command_run.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "config/load.h"
#include "dataplane/io/gateway.h"
#include "src/answers.h"
#include "src/command_version.h"
#include "src/control_server.h"
#include "src/flow_keeper.h"
#include "src/flow_log.h"
#include "src/heartbeats.h"
#include "src/log.h"
#include "src/monitor/monitor.h"
#include "src/monitor/refusals.h"
#include "src/policy_source.h"
#include "src/readiness.h"
#include "src/reload.h"
#include "src/replication/redis_log.h"
#include "src/replication/replicator.h"
#include "src/service_manager.h"
#include "src/signals.h"
#include "src/state_folder.h"
#include "src/turn.h"

namespace sallyport {
namespace {

using dataplane::Gateway;

dataplane::Log gateway_log(Log& log) {
  return [&log](dataplane::Severity severity, const std::string& text) {
    switch (severity) {
      case dataplane::Severity::info:
        return log.info(text);
      case dataplane::Severity::warning:
        return log.warning(text);
      case dataplane::Severity::error:
        return log.error(text);
    }
  };
}

// Configured; else made once and kept. A key that is there and cannot be read is no reason to move every source to
// another address in silence.
classifier::PoolKey pool_key(const config::ApplianceModel& appliance, const std::string& state_folder, Log& log) {
  if (appliance.nat.pool_key) return *appliance.nat.pool_key;
  const PoolKeyFile file = read_pool_key(state_folder);
  if (file.key) return *file.key;
  if (!file.problem.empty()) throw dataplane::EnvironmentError(file.problem);
  const classifier::PoolKey key = make_pool_key();
  const std::string problem = write_pool_key(state_folder, key);
  if (!problem.empty())
    log.warning(
        problem +
        "; after a restart, sources may leave under another address of their pool: name a folder by --state that "
        "can be written");
  return key;
}

std::string memory_text(const Gateway& gateway, const config::ApplianceModel& appliance) {
  const dataplane::GatewayMemory memory = gateway.memory();
  const auto mebibytes = [](std::size_t bytes) { return (bytes + (1U << 19U)) >> 20U; };
  return fmt::format(
      "taking {} MiB of memory: {} flows {} MiB, held payload {} MiB, packet buffers {} MiB on {} pages, fragments, "
      "rings and the rest {} MiB",
      mebibytes(memory.sum()), appliance.limits.flows, mebibytes(memory.pipelines.flows),
      mebibytes(memory.pipelines.held), mebibytes(memory.buffers), gateway.huge_pages() ? "huge" : "ordinary",
      mebibytes(memory.pipelines.other + memory.rings));
}

std::vector<std::uint64_t> heartbeats(const Gateway& gateway) {
  std::vector<std::uint64_t> beats;
  for (unsigned i = 0; i < gateway.workers(); ++i) beats.push_back(gateway.worker(i).heartbeat);
  return beats;
}

std::uint64_t records_lost(const Gateway& gateway) {
  std::uint64_t lost = 0;
  for (unsigned i = 0; i < gateway.workers(); ++i) lost += gateway.worker(i).records_lost;
  return lost;
}

std::string status_text(const Reloader& reloader, const Gateway& gateway) {
  const std::shared_ptr<const LivePolicy> live = reloader.live();
  if (!live->policy) return "no valid policy: nothing is forwarded; waiting for a reload";
  const bool refused = reloader.counts().last.kind == ReloadResult::Kind::refused;
  const dataplane::StandingStatus standing = gateway.standing();
  return fmt::format("{} policy generation {}, {}{}",
                     standing.draining ? "draining, by"
                     : standing.active ? "forwarding by"
                                       : "standby with",
                     live->generation, live->policy->hash(), refused ? "; the last reload was refused" : "");
}

void tell_standing(const std::vector<unsigned>& standing, const Gateway& gateway, Log& log) {
  for (const unsigned worker : standing) {
    log.error(
        fmt::format("worker {} on processor {} stands still, and what belongs to it is not forwarded: does another "
                    "program hold the processor? (`top -1`; [workers] cores names others)",
                    worker, gateway.worker(worker).processor));
  }
  if (standing.empty()) log.info("every worker turns again");
}

// Until a signal ends it. The service manager is fed only while every worker turns.
void serve(const Signals& signals, const ServiceManager& manager, Gateway& gateway, Reloader& reloader,
           FlowLog& flow_log, Log& log) {
  using namespace std::chrono_literals;
  const auto period = manager.watchdog()
                          ? std::chrono::duration_cast<std::chrono::milliseconds>(*manager.watchdog()) / 4
                          : std::chrono::milliseconds(1s);
  Heartbeats alive;
  std::vector<unsigned> told;
  auto next_look = std::chrono::steady_clock::now();
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_look - std::chrono::steady_clock::now());
    const std::optional<Signal> signal = signals.wait(std::max(left, std::chrono::milliseconds::zero()));
    if (signal == Signal::stop) return;
    if (signal == Signal::reload) reloader.request();
    if (signal == Signal::reopen) flow_log.reopen();
    if (std::chrono::steady_clock::now() < next_look) continue;
    next_look += period;
    std::vector<unsigned> standing = alive.standing(heartbeats(gateway));
    if (standing.empty()) manager.alive();
    if (standing != told) tell_standing(standing, gateway, log);
    told = std::move(standing);
    gateway.judge_steering();
  }
}

ExitCode run(const RunOptions& options, const config::ApplianceModel& appliance, const Signals& signals, Log& log) {
  const ServiceManager manager;
  const std::string socket_path = options.control_socket.empty() ? appliance.control_socket : options.control_socket;
  // Before any device is touched: is another gateway there?
  const ControlSocket control_socket(socket_path);
  const classifier::PoolKey key = pool_key(appliance, options.state_folder, log);
  Gateway gateway(appliance, key, gateway_log(log));
  log.info(memory_text(gateway, appliance));
  log.info("SIMD: " + simd_level());

  Reloader reloader(
      {appliance.policy_path, appliance.shadow_policy_path, &appliance},
      [&](std::shared_ptr<const classifier::Policy> policy) { gateway.publish(std::move(policy)); },
      [&](std::shared_ptr<const classifier::Policy> shadow) { gateway.publish_shadow(std::move(shadow)); },
      [&](bool begins) { begins ? manager.reloading() : manager.ready(status_text(reloader, gateway)); }, log);
  Refusals refusals;
  FlowLog flow_log(appliance, log);
  flow_log.start({[&](auto records) { return gateway.take_records(records); },
                  [&] { return reloader.live()->identities; }, [&] { return records_lost(gateway); },
                  [&, watched = !appliance.metrics.listen.empty()](const auto& flow, const auto& identities) {
                    if (watched) refusals.add(flow, identities);
                  }});
  // First the flows, then the policy: until there is one nothing opens, so nothing takes their ports.
  FlowKeeper keeper(gateway, options.state_folder, appliance.state_period, log);
  keeper.take_back();
  reloader.start();
  keeper.start();
  std::optional<Replicator> replicator;
  if (!appliance.ha.replicate.empty()) {
    replicator.emplace(tables_of(gateway), redis_log(appliance.ha.replicate), log);
    replicator->start();
  }
  const auto replication = [&] { return replicator ? replicator->status() : ReplicationStatus{}; };
  Turn turn(gateway, reloader, log, replication, [&] { manager.ready(status_text(reloader, gateway)); });
  ApplianceView view = view_of(appliance);
  view.pool_key = key;
  Answers answers(gateway, reloader, flow_log, turn, view);
  ControlServer control(control_socket,
                        [&](const Request& request, AnswerLines& lines) { return answers.answer(request, lines); });
  std::optional<Monitor> monitor;
  if (!appliance.metrics.listen.empty()) {
    monitor.emplace(gateway, appliance, std::move(view), reloader, flow_log, refusals, replication);
  }
  Readiness readiness(gateway, reloader, appliance.ha, log);
  const std::string status = status_text(reloader, gateway);
  manager.ready(status);
  log.info(fmt::format("{}: ready, {}; ask at {}", appliance.name, status, socket_path));

  serve(signals, manager, gateway, reloader, flow_log, log);

  manager.stopping();
  readiness.stop();
  log.info("stopping: living flows are kept and recorded");
  reloader.stop();
  control.stop();
  monitor.reset();
  if (replicator) replicator->stop();
  keeper.stop();
  gateway.halt();
  keeper.save_last();
  flow_log.be_patient();
  gateway.stop(true);
  flow_log.stop();
  log.info("stopped");
  return ExitCode::done;
}

}  // namespace

ExitCode run_command(const RunOptions& options) {
  const Signals signals;
  Log log(STDERR_FILENO);
  const auto appliance = config::load_appliance_file(options.config, config::Pipes::refused);
  if (!appliance.model && exit_code(appliance.diagnostics) == ExitCode::environment) {
    log.error(fmt::format("{}: {}; name the configuration by --config (examples/sallyport.toml is one to start from)",
                          options.config, appliance.diagnostics.all().front().message));
    return ExitCode::environment;
  }
  for (const std::string& line : lines(appliance.diagnostics, appliance.files)) fmt::print(stderr, "{}\n", line);
  if (!appliance.model) {
    log.error(fmt::format("{} is not valid ({}): mend the lines named above and start again", options.config,
                          count_text(appliance.diagnostics)));
    return ExitCode::no;
  }
  try {
    return run(options, *appliance.model, signals, log);
  } catch (const dataplane::EnvironmentError& error) {
    log.error(error.what());
  } catch (const std::bad_alloc&) {
    log.error("not enough memory: lower [limits] flows or held_bytes");
  }
  return ExitCode::environment;
}

}  // namespace sallyport
