#include "dataplane/stages/turns.h"

#include <algorithm>

#include "dataplane/stages/track.h"

namespace sallyport::dataplane {
namespace {

constexpr std::int32_t servers_turns_ms = 300'000;

[[nodiscard]] std::int32_t hello_timeout_ms(const Core& core) noexcept {
  return static_cast<std::int32_t>(core.policy()->model().defaults.hello_timeout.count());
}

void change_turn(Core& core, Inspection& inspection, bool servers) noexcept {
  if (inspection.servers_turn == servers) return;
  std::uint32_t& spent = inspection.servers_turn ? inspection.server_ms : inspection.client_ms;
  spent += core.tick - inspection.since;
  if (inspection.upgrade.step == classifier::names::Upgrade::Step::tls) inspection.client_ms = 0;
  inspection.servers_turn = servers;
  inspection.since = core.tick;
}

}  // namespace

void take_turn(Core& core, FlowNumber number) noexcept {
  Inspection& inspection = core.held[core.flows.extras(number).inspection];
  change_turn(core, inspection, classifier::names::is_servers_turn(inspection.upgrade));
  watch(core, number);
}

void take_clients_turn(Core& core, FlowNumber number) noexcept {
  change_turn(core, core.held[core.flows.extras(number).inspection], false);
  watch(core, number);
}

void restart_turns(Core& core, FlowNumber number) noexcept {
  Inspection& inspection = core.held[core.flows.extras(number).inspection];
  inspection.since = core.tick;
  inspection.servers_turn = false;
  inspection.client_ms = 0;
  watch(core, number);
}

void watch(Core& core, FlowNumber number) noexcept {
  const Flow& flow = core.flows[number];
  const std::int32_t lives = static_cast<std::int32_t>(timeout_ms(core, flow)) - since(flow.last_seen, core.tick);
  const std::int32_t left = std::min(lives, hello_left_ms(core, flow));
  core.wheel.remove(number);
  core.wheel.add(number, core.tick, static_cast<std::uint32_t>(std::max(left, 1)));
}

std::int32_t hello_left_ms(const Core& core, const Flow& flow) noexcept {
  const Inspection& inspection = core.held[core.flows.extras(flow).inspection];
  const std::int32_t limit = hello_timeout_ms(core);
  const std::int32_t taken = since(inspection.since, core.tick);
  if (!inspection.servers_turn) return limit - static_cast<std::int32_t>(inspection.client_ms) - taken;
  if (inspection.stream != 0) return limit - taken;
  return std::max(limit, servers_turns_ms) - static_cast<std::int32_t>(inspection.server_ms) - taken;
}

bool goes_on_waiting(Core& core, const Flow& flow) noexcept {
  Inspection& inspection = core.held[core.flows.extras(flow).inspection];
  const std::uint32_t end = inspection.base + inspection.passed;
  if (!inspection.servers_turn || inspection.stream == 0 || !server_has(core, flow, end)) return false;
  core.held.close_stream(inspection);
  inspection.base = end;
  inspection.contiguous = inspection.passed = 0;
  return hello_left_ms(core, flow) > 0;
}

}  // namespace sallyport::dataplane
