#include "dataplane/stages/stand_by.h"

#include "dataplane/stages/martian.h"
#include "dataplane/stages/parse.h"

namespace sallyport::dataplane {
namespace {

// No kernel has the other end of a tunnel: it would answer that nobody listens there.
[[nodiscard]] bool is_of_tunnel(const Core& core, const Packet& packet, const Parsed& parsed) noexcept {
  const Tunnels* tunnels = core.snapshot->tunnels.get();
  if (tunnels == nullptr || !tunnels->any_on(packet.port)) return false;
  Tunnels::Inner inner;
  Drop why{};
  return tunnels->find(packet, parsed, inner, why) != Tunnels::Found::none;
}

[[nodiscard]] bool is_for_kernel(const Core& core, const Packet& packet, const Parsed& parsed) noexcept {
  if (speaks_to_this_link(parsed.key)) return true;
  return core.routing().is_local(parsed.key.destination_address()) && !is_of_tunnel(core, packet, parsed);
}

void end(Core& core, Packet& packet, bool kernel_hears) noexcept {
  Parsed parsed;
  Drop why{};
  const ParseResult result = parse(packet, core.parse_rules(packet.port), parsed, why);
  if (result == ParseResult::drop) {
    core.drop(packet, why);
  } else if (kernel_hears && (result == ParseResult::kernel || is_for_kernel(core, packet, parsed))) {
    core.to_kernel(packet);
  } else {
    core.drop(packet, Drop::standby);
  }
}

}  // namespace

void stand_by(Core& core, PortIndex port, std::span<Packet> burst) noexcept {
  const bool kernel_hears = core.snapshot->standing->state() == Standing::State::standby;
  for (Packet& packet : burst) {
    packet.port = port;
    end(core, packet, kernel_hears);
  }
}

}  // namespace sallyport::dataplane
