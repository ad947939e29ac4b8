// What is remembered of a connection whose requests are decided one by one.
#pragma once

#include <cstdint>

#include "classifier/names/http2_follower.h"
#include "classifier/names/http_answer.h"
#include "classifier/names/http_follower.h"
#include "classifier/names/request_lines.h"
#include "dataplane/flow/frame_walk.h"
#include "dataplane/flow/said_bytes.h"
#include "dataplane/flow/shares.h"

namespace sallyport::dataplane {

struct RequestFollow {
  // Another protocol that the latest request asks for; the server has not answered. Behind that request, with its body,
  // the client says nothing.
  enum class Awaits : std::uint8_t { nothing, another, http2, tunnel };

  classifier::names::HttpFollower http1;
  classifier::names::Http2Follower http2;
  classifier::names::Inflater* inflater = nullptr;  // HTTP/2 is spoken
  std::uint32_t begin = 0;                          // sequence number of the first byte of all
  std::uint32_t base = 0;                           // of the first byte that is not decided
  std::uint64_t beyond = 0;                         // so many bytes from there on are of a body as well
  SaidBytes said;
  Awaits awaits = Awaits::nothing;
  // The server's answers in HTTP/1, as long as these tell where each ends: what a page brings is no answer to a
  // later request. Where they do not, no other protocol is agreed on.
  std::uint32_t answer = 0;       // sequence number of what is to come of them, behind any body
  std::uint64_t answer_body = 0;  // so many bytes from there on are of a body
  classifier::names::AnswerChunks chunks;
  classifier::names::HttpAnswer answered;
  std::uint32_t unanswered = 0;  // requests
  bool answers_lost = false;
  bool switched = false;   // it agreed, and the client has said nothing since
  bool in_tunnel = false;  // to that of CONNECT
  FrameWalk server;        // HTTP/2
  std::uint32_t table_bytes = classifier::names::default_table_bytes;  // of HTTP/2: the client may use
  // Watched until the server has shown that it speaks HTTP/2, and up to where. What one of these lines begins, and all
  // behind it, waits for that.
  classifier::names::RequestLines lines;
  std::uint32_t lines_end = 0;
  bool awaits_settings = false;
  std::uint32_t held_from = 0;
  bool grpc = false;  // the latest request is one of gRPC
  SharePlace sender;

  // Has the client said all of its latest request?
  [[nodiscard]] bool is_said() const noexcept { return beyond == 0 && !http1.in_chunks(); }
  // Is all up to here decided, or of a body?
  [[nodiscard]] bool reaches(std::uint32_t end) const noexcept {
    constexpr std::uint64_t comparable = std::uint64_t{1} << 30U;
    return !after(end, base + static_cast<std::uint32_t>(beyond < comparable ? beyond : comparable));
  }
};

}  // namespace sallyport::dataplane
