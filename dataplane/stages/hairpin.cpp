#include "dataplane/stages/hairpin.h"

#include "dataplane/stages/hand_over.h"
#include "dataplane/stages/map_port.h"
#include "dataplane/stages/nat.h"
#include "dataplane/stages/refuse.h"
#include "dataplane/stages/treat.h"
#include "dataplane/stages/tunnel.h"

namespace sallyport::dataplane {
namespace {

[[nodiscard]] std::uint32_t receiver(const Core& core, const Packet& packet) noexcept {
  const PipelineSettings& settings = core.settings;
  return Pipeline::owner(packet, config::PortRole::outside, settings.workers, settings.worker, *core.snapshot,
                         piece_ports(settings.nat));
}

}  // namespace

bool may_hairpin(const Core& core, const FlowKey& inside) noexcept {
  if (!has_ports(inside.protocol)) return false;
  if (core.policy()->mapped_from(inside.destination_address())) return true;
  const std::uint16_t port = __builtin_bswap16(inside.destination_port);
  const std::uint32_t owner = port_owner(port, core.settings.workers, piece_ports(core.settings.nat));
  if (owner != core.settings.worker || !maps_endpoints(core, inside.protocol)) return true;
  const std::uint32_t address = core.addresses.find(inside.destination_address());
  return address != 0 && core.mappings.is_used(address, inside.destination_port, inside.protocol);
}

void hairpin(Core& core, Packet& packet, const Parsed& parsed, const Flow& flow) noexcept {
  if (parsed.ttl <= 1) {
    send_time_exceeded(core, packet, parsed, peer_of(core, flow));
    core.drop(packet, Drop::ttl_exceeded);
    return;
  }
  if (flow.has(Flow::treated) && !treat(core, packet, parsed, flow, to_server)) return;
  translate(core, flow, packet, parsed, to_server);
  come_in_again(core, packet, parsed);
}

void come_in_again(Core& core, Packet& packet, const Parsed& parsed) noexcept {
  packet.hairpin = true;
  const std::uint32_t worker = receiver(core, packet);
  if (worker != core.settings.worker) {
    hand_over(core, packet, parsed, worker);
  } else if (!core.again.add(packet)) {
    core.drop(packet, Drop::worker_queue_full);
  }
}

}  // namespace sallyport::dataplane
