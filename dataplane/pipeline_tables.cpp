// What others ask of a pipeline's tables between two bursts: counts, flows, what is to outlive the process.
#include <algorithm>
#include <limits>

#include "dataplane/pipeline_parts.h"
#include "dataplane/stages/replicate.h"
#include "dataplane/stages/survive.h"
#include "dataplane/stages/track.h"

namespace sallyport::dataplane {

using Side = FlowTable::Side;

const Counters& Pipeline::counters() const noexcept { return parts_->counters; }
const RuleCounters& Pipeline::rules() const noexcept { return parts_->rules; }
const PortLoad& Pipeline::fullest_server() const noexcept { return parts_->port_loads.fullest_server(); }
const PortLoad& Pipeline::fullest_address() const noexcept { return parts_->port_loads.fullest_address(); }
std::size_t Pipeline::address_loads(std::span<AddressLoad> out) const noexcept {
  return parts_->address_loads.copy_used(out);
}

PipelineMemory Pipeline::memory() const noexcept {
  const Core& c = *parts_;
  return {c.flows.bytes() + c.mappings.bytes() + c.contacts.bytes() + c.sources.bytes() + c.source_ports.bytes() +
              c.port_loads.bytes() + c.address_loads.bytes() + c.used_ports.bytes() + c.names.bytes() +
              c.shadow.bytes() + c.tunnel_peers.bytes(),
          c.held.memory_bytes() + c.follows.bytes() + c.said.bytes() + classifier::names::bytes_of(*c.hpack) +
              c.field_text.bytes() + c.follow_shares.bytes() + c.hpack_shares.bytes() + c.denied_shares.bytes() +
              c.icmp_limit.bytes(),
          c.addresses.bytes() + c.hops.bytes() + c.dns.bytes() + c.fragments.bytes() + c.changes.bytes()};
}

std::optional<Translation> Pipeline::translation(const FlowKey& inside) const noexcept {
  const FlowNumber number = parts_->flows.find(inside, Side::inside);
  if (number == 0) return std::nullopt;
  const Flow& flow = parts_->flows[number];
  if (flow.live != 2) return std::nullopt;
  if (flow.nat_address == 0) return Translation{inside.source_address(), inside.source_port};
  return Translation{parts_->addresses[flow.nat_address], flow.nat_port};
}

void Pipeline::foresee(const FlowKey& inside, Foresight what) const noexcept {
  const FlowTable& flows = parts_->flows;
  const std::uint64_t hash = flows.hash(inside, Side::inside);
  if (what == Foresight::index) {
    flows.prefetch_bucket(hash);
  } else {
    const std::uint32_t number = flows.glance(hash).number;
    if (number == KeyIndex::none) return;
    flows.prefetch_parts(inside.family, inside.protocol == IpProtocol::tcp, number >> 1U);
  }
}

std::size_t Pipeline::save_flows(std::size_t& from, std::span<SavedFlow> out) const noexcept {
  return dataplane::save_flows(*parts_, from, out);
}

std::size_t Pipeline::save_resting(std::size_t& from, std::span<SavedRest> out) const noexcept {
  return dataplane::save_resting(*parts_, from, out);
}

TakenBack Pipeline::take_back(const SavedFlow& saved) noexcept { return dataplane::take_back(*parts_, saved); }
void Pipeline::take_back(const SavedRest& saved) noexcept { dataplane::take_back(*parts_, saved); }

std::size_t Pipeline::share_flows(std::size_t& from, std::span<SavedFlow> out) noexcept {
  return dataplane::share_flows(*parts_, from, out);
}
std::size_t Pipeline::take_ended(std::span<EndedFlow> out) noexcept { return dataplane::take_ended(*parts_, out); }
std::size_t Pipeline::take_settled(std::span<SavedFlow> out) noexcept { return dataplane::take_settled(*parts_, out); }
TakenBack Pipeline::follow(const SavedFlow& saved) noexcept { return dataplane::follow(*parts_, saved); }
void Pipeline::follow(const EndedFlow& ended) noexcept { dataplane::follow(*parts_, ended); }
std::uint64_t Pipeline::changes_lost() const noexcept { return parts_->changes.lost(); }

std::size_t Pipeline::list_flows(std::size_t& from, std::span<FlowRecord> out) const noexcept {
  constexpr std::size_t positions_max = 4096;
  const Core& core = *parts_;
  std::size_t found = 0;
  const std::size_t last = core.flows.end() - 1;
  const std::size_t end = std::min<std::size_t>(last, from + positions_max);
  for (; from < end && found < out.size(); ++from) {
    const Flow& flow = core.flows[static_cast<FlowNumber>(from + 1)];
    if (flow.live != 0) out[found++] = record_of(core, flow, FlowEnd::none);
  }
  if (from >= last) from = std::numeric_limits<std::size_t>::max();
  return found;
}

}  // namespace sallyport::dataplane
