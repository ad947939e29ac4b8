#include "dataplane/stages/treat.h"

#include <cstring>

#include "dataplane/egress_meters.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

using namespace wire;
using classifier::EgressTreatment;

// RFC 2474 section 3: the six bits above the two of ECN (RFC 3168 section 5), which stay.
void mark(std::uint8_t* l3, Family family, std::uint8_t dscp) noexcept {
  if (family == Family::v6) {
    auto& first = at<Ipv6>(l3).version_class_flow;
    first = (first.get() & ~(0x3fU << 22U)) | std::uint32_t{dscp} << 22U;
    return;
  }
  auto& ip = at<Ipv4>(l3);
  std::uint16_t before;
  std::memcpy(&before, l3, 2);
  ip.service = static_cast<std::uint8_t>(dscp << 2U | (ip.service & 3U));
  std::uint16_t after;
  std::memcpy(&after, l3, 2);
  Delta delta;
  delta.replace(before, after);
  update(ip.checksum, delta);
}

}  // namespace

void find_treatment(Core& core, Flow& flow) noexcept {
  FlowFacts& facts = core.flows.facts(flow);
  const EgressTreatment treatment = core.policy()->treatment(facts.egress);
  facts.meter = treatment.meter;
  facts.dscp = treatment.dscp;
  if (treatment.is_none()) {
    flow.clear(Flow::treated);
  } else {
    flow.set(Flow::treated);
  }
}

bool treat(Core& core, Packet& packet, const Parsed& parsed, const Flow& flow, Direction direction) noexcept {
  const FlowFacts& facts = core.flows.facts(flow);
  if (facts.meter != 0 && !core.snapshot->meters->admit(facts.meter, direction, parsed.l3_bytes, core.now)) {
    core.drop(packet, Drop::bandwidth_exceeded);
    return false;
  }
  if (facts.dscp != EgressTreatment::keep_dscp && direction == to_server) {
    mark(packet.data + parsed.l3_offset, parsed.key.family, facts.dscp);
  }
  return true;
}

}  // namespace sallyport::dataplane
