// Learn: what trusted DNS servers answer to queries that passed here becomes bindings (policy.md, "Names learned from
// DNS").
//
// An answer counts where it comes on the flow of its query, from a server of [dns] trusted_servers, repeats the query's
// transaction id and question, and is the first one to do so (RFC 5452 section 9.1). It is learned before it is
// forwarded: the client's next packet finds the binding whichever worker it comes to.
#pragma once

#include "dataplane/core.h"

namespace sallyport::dataplane {

[[nodiscard]] inline bool is_dns(const Flow& flow) noexcept { return flow.destination_port == wire::Be16(53).raw(); }
// Of an allowed flow to port 53, about to be forwarded: from its client, from its server.
void note_query(Core& core, FlowNumber number, const Packet& packet, const Parsed& parsed) noexcept;
void learn_answer(Core& core, FlowNumber number, const Packet& packet, const Parsed& parsed) noexcept;

// What DNS says now; `domain`: of an established flow, FlowFacts::domain, which holds for it still.
[[nodiscard]] BoundNamesNow bound_names(const Core& core, std::uint32_t domain = 0) noexcept;
// [defaults] server_name_binding, for an allowed flow that has shown this name: audits or denies it.
void check_name_binding(Core& core, Flow& flow, std::string_view shown) noexcept;
[[nodiscard]] inline bool audits_name_binding(const Core& core) noexcept {
  return core.policy()->model().defaults.server_name_binding == config::Binding::audit;
}
// Remembers by which domain a flow passes.
void note_domain(Core& core, const Flow& flow, const classifier::Decision& decision) noexcept;

}  // namespace sallyport::dataplane
