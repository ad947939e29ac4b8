// Cut: segments that go on without their payload, or with the front of it.
#pragma once

#include "dataplane/core.h"

namespace sallyport::dataplane {

// Takes the payload off, all but its first `kept` bytes: of an unfinished hello in a SYN, which the client sends again,
// or of a reset.
void cut_payload(Packet& packet, Parsed& parsed, std::uint32_t kept = 0) noexcept;
// A segment of its own with the first `kept` bytes, fewer than all, and not the end of the stream. False: no buffer.
[[nodiscard]] bool copy_front(Core& core, const Packet& packet, const Parsed& parsed, std::uint32_t kept, Packet& front,
                              Parsed& parsed_front) noexcept;

}  // namespace sallyport::dataplane
