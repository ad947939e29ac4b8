#include "dataplane/stages/unsolicited.h"

#include "dataplane/core.h"
#include "dataplane/stages/refuse.h"
#include "dataplane/stages/segment.h"
#include "dataplane/stages/track.h"

namespace sallyport::dataplane {
namespace {

// What is put together from fragments lies in a buffer that is wanted again.
[[nodiscard]] bool may_wait(const Core& core, const Packet& packet, const Parsed& parsed) noexcept {
  return core.settings.nat.unsolicited_icmp && is_first_syn(parsed) && !packet.reassembled &&
         core.policy()->gives_out(parsed.key.destination_address());
}

void drop_oldest(Core& core) noexcept {
  Packet& packet = core.unsolicited.oldest().packet;
  core.counters.held.subtract(packet.weight);
  core.drop(packet, Drop::no_mapping);
  core.unsolicited.remove_oldest();
}

}  // namespace

void take_unsolicited(Core& core, Packet& packet, const Parsed& parsed, Drop why) noexcept {
  if (packet.hairpin && why == Drop::no_mapping) {
    core.drop(packet, Drop::hairpin_refused);
    return;
  }
  const bool waits = why == Drop::no_mapping && may_wait(core, packet, parsed) && core.unsolicited.has_room(parsed.key);
  if (!waits) {
    core.drop(packet, why);
    return;
  }
  core.unsolicited.add(packet, parsed, core.tick);
  core.counters.held.add(packet.weight);
}

void answer_unsolicited(Core& core) noexcept {
  while (!core.unsolicited.empty()) {
    UnsolicitedSyns::Entry& entry = core.unsolicited.oldest();
    if (since(entry.since, core.tick) < UnsolicitedSyns::patience_ms) return;
    const FlowNumber number = core.flows.find(entry.parsed.key, FlowTable::Side::outside);
    const bool met = number != 0 && !expired(core, core.flows[number]);
    if (!met) send_port_unreachable(core, entry.packet, entry.parsed);
    drop_oldest(core);
  }
}

void end_unsolicited(Core& core) noexcept {
  while (!core.unsolicited.empty()) drop_oldest(core);
}

}  // namespace sallyport::dataplane
