// Guard: what keeps a flow to what its verdict was given for.
//
// A hello that was allowed may never reach the server: its checksum was wrong, or its TTL too small. Another one in its
// place would be as good to the server, so until the server has acknowledged it, every segment has to bring the same
// bytes. Behind it a client says nothing in the clear before it is answered; where the answer is HelloRetryRequest, its
// second hello is held and has to name the same server (RFC 8446 section 4.1.4).
//
// Datagrams of one flow may begin any number of QUIC connections. Each Initial that opens with its own Destination
// Connection ID begins one, and is judged like the first; also where the flow was allowed with no name at all. Until
// the server's ServerHello, the CRYPTO bytes of a connection that was let through stay what they were: a server may
// have only some of them; and behind it until the client knows of that, since until then it may say them again. Where
// they cannot be kept until the ServerHello, no Initial passes any more (`sealed`).
#pragma once

#include "dataplane/core.h"
#include "dataplane/stages/inspect.h"

namespace sallyport::dataplane {

// Before the verdict on a TCP flow: its bytes are kept, where there is room for them; where not, they cannot be said
// again until the server has them. False: no room at all, the packet is to come again.
[[nodiscard]] bool prepare_guard(Core& core, Flow& flow, const Packet& packet, const Parsed& parsed) noexcept;
// What came with a hello, behind its `hello_end` bytes of the stream. False: no client says that there.
[[nodiscard]] bool may_follow_hello(Core& core, const Flow& flow, const Packet& packet, const Parsed& parsed,
                                    std::uint32_t hello_end) noexcept;
// The flow was allowed and all that waited is sent. `hello`: by a hello, not for want of one.
void begin_guard(Core& core, FlowNumber number, bool hello) noexcept;

// The next bytes of a server that seems to have asked for a second hello. False: it has not, its first bytes just came
// in pieces.
[[nodiscard]] bool asks_again(Inspection& inspection, std::span<const std::uint8_t> answer) noexcept;
// It has asked for one, and what it says before it has that does not matter.
[[nodiscard]] bool has_asked_again(const Core& core, const Flow& flow) noexcept;
// The connection began, and what the server says first has this sequence number.
void expect_answer(Core& core, const Flow& flow, std::uint32_t sequence) noexcept;

// A packet of a guarded or sealed flow, from its client. `held` and `ended` as in inspect().
[[nodiscard]] Inspected guard(Core& core, FlowNumber number, Packet& packet, Parsed& parsed) noexcept;
// From its server; `expected` as of hear_server().
void guard_answer(Core& core, FlowNumber number, const Packet& packet, const Parsed& parsed,
                  std::uint32_t expected) noexcept;
// The server has said nothing to the hello for as long as hello_timeout: its memory is given back. Over TCP nothing
// passes then until the server has the hello and has answered it.
void guard_overdue(Core& core, FlowNumber number) noexcept;

}  // namespace sallyport::dataplane
