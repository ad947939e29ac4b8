// Survive: flows as values for another process, and flows made of such values again.
//
// A flow that is taken back has asked no policy of this process: its generation is none, so its next packet asks once,
// as after a reload, and is denied as policy_removed where the policy, or its egress address, is another now.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/core.h"
#include "dataplane/flow/saved_flow.h"

namespace sallyport::dataplane {

// FlowFacts::generation of a flow that no policy of this process was asked about.
inline constexpr std::uint32_t never_asked = UINT32_MAX;

// Undecided flows hold packets, and what is still compared with a hello or read as requests hangs on bytes: none of
// that outlives the process, and no flow may come back freer than it was. Protocols without ports need no saving.
[[nodiscard]] bool outlives(const Core& core, const Flow& flow) noexcept;
// Of one that outlives.
void save_flow(const Core& core, const Flow& flow, SavedFlow& saved) noexcept;
// From table position `from` on, as Pipeline::list_flows().
[[nodiscard]] std::size_t save_flows(const Core& core, std::size_t& from, std::span<SavedFlow> out) noexcept;
[[nodiscard]] std::size_t save_resting(const Core& core, std::size_t& from, std::span<SavedRest> out) noexcept;

[[nodiscard]] TakenBack take_back(Core& core, const SavedFlow& saved) noexcept;
void take_back(Core& core, const SavedRest& saved) noexcept;
// The same flow, that is in the table with the same translation, as it is by now.
TakenBack update_flow(Core& core, FlowNumber number, const SavedFlow& saved) noexcept;

}  // namespace sallyport::dataplane
