// Turns: for how long a dialogue before a hello, and the hello itself, may go on.
//
// A client has hello_timeout for all that it says up to its hello: its turns are counted together, from its first
// payload or the server's, and anew once the server has agreed to TLS. What the server takes to answer is not the
// client's: of that there may be five minutes (RFC 5321 section 4.5.3.2 gives a server of mail so long for one answer).
// Nothing is kept for a dialogue meanwhile but where it stands: of what the client has said only what the server has
// not acknowledged within hello_timeout, and that ends it.
#pragma once

#include "dataplane/core.h"

namespace sallyport::dataplane {

// One of the two has spoken.
void take_turn(Core& core, FlowNumber number) noexcept;
// The client has begun to say something, whoever's turn it was.
void take_clients_turn(Core& core, FlowNumber number) noexcept;
// All is counted anew from now on, and it is the client's turn.
void restart_turns(Core& core, FlowNumber number) noexcept;
// Its deadline is when that of the present turn is over.
void watch(Core& core, FlowNumber number) noexcept;
[[nodiscard]] std::int32_t hello_left_ms(const Core& core, const Flow& flow) noexcept;
// Its time is up. True: the server may take longer.
[[nodiscard]] bool goes_on_waiting(Core& core, const Flow& flow) noexcept;

}  // namespace sallyport::dataplane
