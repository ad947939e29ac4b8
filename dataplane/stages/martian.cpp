#include "dataplane/stages/martian.h"

#include "dataplane/stages/admit.h"
#include "dataplane/stages/hand_over.h"

namespace sallyport::dataplane {

bool speaks_to_this_link(const FlowKey& key) noexcept {
  const auto& to = key.destination;
  if (key.family == Family::v4) return to[0] == 224 && to[1] == 0 && to[2] == 0;
  return to[0] == 0xff && (to[1] & 0x0fU) == 2;
}

bool is_martian(const Core& core, const Parsed& parsed, bool from_inside, Drop& why) noexcept {
  if (martian_addresses(parsed.key, why)) return true;
  if (from_inside || core.policy() == nullptr || !core.policy()->gives_out(parsed.key.source_address())) return false;
  why = Drop::martian_own_address;
  return true;
}

void end_martian(Core& core, Packet& packet, const Parsed& parsed, Drop why) noexcept {
  if (core.settings.kernel && speaks_to_this_link(parsed.key)) {
    hand_to_kernel(core, packet, parsed);
  } else {
    core.drop(packet, why);
  }
}

bool fails_source_check(const Core& core, const Parsed& parsed) noexcept {
  if (!core.settings.nat.source_check || core.policy() == nullptr) return false;
  const IpAddress sender = parsed.key.source_address();
  return !passes_source_check(core.policy()->find_source(sender), sender, core.settings.inside_networks);
}

}  // namespace sallyport::dataplane
