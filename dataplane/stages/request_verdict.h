// What becomes of one request, and what it asks for.
#pragma once

#include "classifier/names/http_head.h"
#include "dataplane/core.h"

namespace sallyport::dataplane {

// The verdict. True: allowed; the flow's facts say why, or why not.
[[nodiscard]] bool allows(Core& core, Flow& flow, const classifier::names::RequestHead& head, bool http2) noexcept;
[[nodiscard]] bool is_grpc(const classifier::names::RequestHead& head) noexcept;
// Another protocol, which the server may agree to.
[[nodiscard]] RequestFollow::Awaits awaits_of(const classifier::names::RequestHead& head) noexcept;

}  // namespace sallyport::dataplane
