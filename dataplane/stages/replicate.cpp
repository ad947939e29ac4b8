#include "dataplane/stages/replicate.h"

#include <algorithm>
#include <limits>

#include "dataplane/stages/survive.h"
#include "dataplane/stages/track.h"

namespace sallyport::dataplane {
namespace {

using Side = FlowTable::Side;

constexpr int looks_a_call = 512;
constexpr std::size_t positions_max = 4096;  // as survive.cpp

[[nodiscard]] bool is_settled(const Core& core, const Flow& flow) noexcept {
  return (!flow.is_tcp() || !is_transitory(flow.tcp)) && outlives(core, flow);
}

void end_silently(Core& core, FlowNumber number) noexcept {
  core.flows[number].set(Flow::recorded);
  end_flow(core, number, FlowEnd::replaced);
}

// What was heard is newer than what stands under the same address and port.
[[nodiscard]] bool is_same(const Core& core, const Flow& flow, const SavedFlow& saved) noexcept {
  const FlowExtras& extras = core.flows.extras(flow);
  if (flow.live != 2 || flow.verdict != Verdict::allowed || extras.inspection != 0 || extras.follow != 0) return false;
  if (saved.translated != (flow.nat_address != 0) || saved.tunnelled != (extras.tunnel != 0)) return false;
  if (core.flows.facts(flow).name == 0 && saved.name_length != 0) return false;
  return !saved.translated ||
         (core.addresses[flow.nat_address] == saved.nat_address && flow.nat_port == saved.nat_port);
}

void clear_way(Core& core, FlowNumber number) noexcept {
  if (number != 0) end_silently(core, number);
}

// Under its outside key, as an answer would come in.
[[nodiscard]] FlowNumber holder_of(Core& core, const SavedFlow& saved) noexcept {
  FlowKey key = saved.inside.reversed();
  if (saved.translated) {
    key.destination = saved.nat_address.bytes;
    (FlowTable::is_echo(key.protocol) ? key.source_port : key.destination_port) = saved.nat_port;
  }
  if (FlowTable::is_echo(key.protocol)) {
    if (!saved.translated) key.source_port = saved.inside.source_port;
    key.destination_port = 0;
  }
  return core.flows.find(key, Side::outside);
}

}  // namespace

void note_ended(Core& core, const Flow& flow) noexcept {
  const FlowFacts& facts = core.flows.facts(flow);
  if (!facts.shared || !core.forwards) return;
  core.changes.ended({core.flows.inside_key(flow), facts.started});
}

std::size_t take_ended(Core& core, std::span<EndedFlow> out) noexcept {
  std::size_t found = 0;
  while (found < out.size() && core.changes.take_ended(out[found])) ++found;
  return found;
}

std::size_t take_settled(Core& core, std::span<SavedFlow> out) noexcept {
  std::size_t found = 0;
  ChangeBook::Opening opening;
  for (int i = 0; i < looks_a_call && found < out.size() && core.changes.take_opening(core.tick, opening); ++i) {
    const Flow& flow = core.flows[opening.flow];
    FlowFacts& facts = core.flows.facts(opening.flow);
    if (flow.live != 2 || facts.started != opening.started || facts.shared) continue;
    if (is_settled(core, flow)) {
      facts.shared = true;
      save_flow(core, flow, out[found++]);
    } else if (!expired(core, flow)) {
      core.changes.look_again(opening, core.tick);
    }
  }
  return found;
}

std::size_t share_flows(Core& core, std::size_t& from, std::span<SavedFlow> out) noexcept {
  std::size_t found = 0;
  const std::size_t last = core.flows.end() - 1;
  const std::size_t end = std::min(last, from + positions_max);
  for (; from < end && found < out.size(); ++from) {
    const auto number = static_cast<FlowNumber>(from + 1);
    const Flow& flow = core.flows[number];
    if (flow.live != 2 || !is_settled(core, flow)) continue;
    core.flows.facts(number).shared = true;
    save_flow(core, flow, out[found++]);
  }
  if (from >= last) from = std::numeric_limits<std::size_t>::max();
  return found;
}

TakenBack follow(Core& core, const SavedFlow& saved) noexcept {
  FlowNumber number = core.flows.find(saved.inside, Side::inside);
  if (!core.forwards) {
    if (number != 0 && is_same(core, core.flows[number], saved)) return update_flow(core, number, saved);
    clear_way(core, number);
    clear_way(core, holder_of(core, saved));
  }
  const TakenBack became = take_back(core, saved);
  if (became != TakenBack::taken) return became;
  number = core.flows.find(saved.inside, Side::inside);
  core.flows.facts(number).shared = true;
  return became;
}

void follow(Core& core, const EndedFlow& ended) noexcept {
  const FlowNumber number = core.flows.find(ended.inside, Side::inside);
  if (number == 0 || core.forwards || core.flows.facts(number).started != ended.started_ns) return;
  end_silently(core, number);
}

}  // namespace sallyport::dataplane
