// Requests: every request of a plaintext HTTP connection is decided before its bytes pass.
//
// A connection on a port where http_routes or grpc_routes stand is followed from its first request to its end. Heads,
// and what frames bodies, are read in order, with what is out of order or unfinished held as a hello is; bodies pass as
// they come, in any order, once their length is known. HTTP/2 in the clear is read stream by stream. What was decided
// is kept until the server has acknowledged it, and nothing else passes in its place. A request that is denied ends its
// connection. Where the client's first request asks for another protocol and the server agrees (101, or 2xx to
// CONNECT), following ends.
#pragma once

#include "dataplane/core.h"
#include "dataplane/stages/inspect.h"

namespace sallyport::dataplane {

// Is this of a connection whose requests are decided? With its first byte it may turn out to speak TLS.
[[nodiscard]] bool shows_requests(Core& core, FlowNumber number, const Packet& packet, const Parsed& parsed) noexcept;
// From its client. `held` and `ended` as in inspect().
[[nodiscard]] Inspected follow_requests(Core& core, FlowNumber number, Packet& packet, Parsed& parsed) noexcept;
// Does a server of HTTP/2 speak here, before its client has said anything (RFC 9113 section 3.4)? Then its connection
// is followed from here on.
[[nodiscard]] bool begins_http2(Core& core, Flow& flow, const Packet& packet, const Parsed& parsed) noexcept;
// From its server, which may have agreed to another protocol. `pass`, or `ended`: it was taken, forwarded where it
// shows what requests have waited for.
[[nodiscard]] Inspected follow_answer(Core& core, FlowNumber number, Packet& packet, const Parsed& parsed) noexcept;
// The connection began with a request in its SYN, and what the server says first has this sequence number.
void expect_answer_to_requests(Core& core, const Flow& flow, std::uint32_t sequence) noexcept;
void stop_following(Core& core, Flow& flow) noexcept;
// Picked up in the middle, so nobody knows where in its requests it is.
[[nodiscard]] bool is_lost(const Core& core, const Flow& flow) noexcept;

}  // namespace sallyport::dataplane
