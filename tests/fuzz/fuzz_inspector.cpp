// The whole inspector: one client stream, sent in order and then in random cuts, orders and repetitions, and once more
// in order. Both ways give the same verdict and the same name, or the second is refused by name (it may overlap itself
// differently). Nothing
// leaves but bytes of the stream at their place; of a stream that begins as TLS does and is denied, nothing at all.
#include "tests/fuzz/client_stream.h"
#include "tests/unit/dataplane/policies.h"

namespace {

using namespace sallyport;
using namespace sallyport::fuzz;

constexpr std::size_t stream_bytes_max = 4096;

Answer answer_to(std::span<const std::uint8_t> stream, const std::vector<Piece>& pieces) {
  static const dataplane::Snapshot snapshot =
      make_policy_snapshot(std::string(dataplane::test::httpbin_only) + "except = []\n");
  Answer answer = ClientStream(stream, 443, snapshot).send(pieces);
  const bool begins_as_tls = !stream.empty() && stream[0] == 22;
  // Behind an allowed hello, what is no TLS ends the connection: what came before that has left.
  const bool denied_behind = answer.reason == classifier::Reason::hello_conflict && answer.name == "httpbin.org";
  insist(answer.allowed || !begins_as_tls || denied_behind || answer.left == 0);
  return answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> stream(data, std::min(size, stream_bytes_max));
  const Answer straight = answer_to(stream, cut(stream.size(), 1400, nullptr));

  Cuts cuts(data, size);
  const std::vector<Piece> in_order = cut(stream.size(), cuts.next(1400), &cuts);
  std::vector<Piece> pieces = in_order;
  shuffle_and_repeat(pieces, cuts);
  pieces.insert(pieces.end(), in_order.begin(), in_order.end());
  const Answer crooked = answer_to(stream, pieces);
  if (is_refusal(crooked) || is_refusal(straight)) {
    insist(crooked.allowed == straight.allowed || is_refusal(crooked));
    return 0;
  }
  insist(crooked.allowed == straight.allowed && crooked.reason == straight.reason);
  insist(!straight.allowed || crooked.name == straight.name);
  return 0;
}
