#include "dataplane/stages/treat.h"

#include "dataplane/egress_meters.h"
#include "dataplane/wire/traffic_class.h"

namespace sallyport::dataplane {

using classifier::EgressTreatment;

void find_treatment(Core& core, Flow& flow) noexcept {
  FlowFacts& facts = core.flows.facts(flow);
  const EgressTreatment treatment = core.policy()->treatment(facts.egress);
  core.flows.note(flow, &FlowExtras::meter, std::uint32_t{treatment.meter});
  facts.dscp = treatment.dscp;
  if (treatment.is_none() && core.flows.extras(flow).tunnel == 0) {
    flow.clear(Flow::treated);
  } else {
    flow.set(Flow::treated);
  }
}

bool treat(Core& core, Packet& packet, const Parsed& parsed, const Flow& flow, Direction direction) noexcept {
  const FlowFacts& facts = core.flows.facts(flow);
  const auto meter = static_cast<std::uint16_t>(core.flows.extras(flow).meter);
  if (meter != 0 && !core.snapshot->meters->admit(meter, direction, parsed.l3_bytes, core.now)) {
    core.drop(packet, Drop::bandwidth_exceeded);
    return false;
  }
  if (facts.dscp != EgressTreatment::keep_dscp && direction == to_server) {
    std::uint8_t* l3 = packet.data + parsed.l3_offset;
    wire::set_traffic_class(l3,
                            static_cast<std::uint8_t>(facts.dscp << 2U | (wire::traffic_class(l3) & wire::ecn_bits)));
  }
  return true;
}

}  // namespace sallyport::dataplane
