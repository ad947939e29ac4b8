// Requests through the whole pipeline: one client stream of HTTP, sent byte by byte, then in random cuts, orders and
// repetitions, and once more in order. Both ways give the same verdict, or the second is refused by name (it may
// overlap itself differently). Nothing leaves but bytes of the stream at their place, and none behind what left byte by
// byte.
#include "tests/fuzz/client_stream.h"

namespace {

using namespace sallyport;
using namespace sallyport::fuzz;

constexpr std::size_t stream_bytes_max = 1024;

constexpr const char* policy = R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Deny"
[[http_route]]
namespace = "linkerd-egress"
name = "some"
parent_refs = [ { name = "all", namespace = "linkerd-egress", port = 80 } ]
hostnames = ["h"]
[[http_route.rules]]
matches = [ { path = { value = "/a" } } ]
[snat]
addresses = ["203.0.113.1"]
except = []
)";

Answer answer_to(std::span<const std::uint8_t> stream, const std::vector<Piece>& pieces) {
  static const dataplane::Snapshot snapshot = make_policy_snapshot(policy);
  return ClientStream(stream, 80, snapshot).send(pieces);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> stream(data, std::min(size, stream_bytes_max));
  const Answer straight = answer_to(stream, cut(stream.size(), 1, nullptr));

  Cuts cuts(data, size);
  const std::vector<Piece> in_order = cut(stream.size(), cuts.next(400), &cuts);
  std::vector<Piece> pieces = in_order;
  shuffle_and_repeat(pieces, cuts);
  pieces.insert(pieces.end(), in_order.begin(), in_order.end());
  const Answer crooked = answer_to(stream, pieces);
  // Where a line of HTTP/1 waits for the server's SETTINGS, which never come, more may have been decided by then: in
  // one segment with what is denied it waits for nothing.
  const bool waits = !straight.allowed && straight.reason == classifier::Reason::hello_timeout;
  insist(waits || crooked.left <= straight.left);
  if (is_refusal(crooked)) return 0;
  insist(crooked.allowed == straight.allowed && (waits || crooked.reason == straight.reason));
  return 0;
}
