// Requests through the whole pipeline: one client stream of HTTP, sent byte by byte, then in random cuts, orders and
// repetitions, and once more in order. Both ways give the same verdict, or the second is refused by name (it may
// overlap itself differently). Nothing leaves but bytes of the stream at their place, and none behind what left byte by
// byte.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/load.h"
#include "dataplane/pipeline.h"
#include "tests/fuzz/cuts.h"
#include "tests/unit/dataplane/packet_maker.h"
#include "tests/unit/dataplane/vector_world.h"

namespace {

using namespace sallyport;
using namespace sallyport::dataplane;
using sallyport::fuzz::Cuts;
using sallyport::fuzz::insist;
using test::End;
using test::Frame;
using wire::Tcp;

constexpr PortIndex inside = 0;
constexpr PortIndex outside = 1;
constexpr std::size_t stream_bytes_max = 1024;
constexpr std::uint32_t first_byte = 1001;

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

const Snapshot& snapshot() {
  static classifier::Identities identities;
  static const Snapshot made = [] {
    auto loaded = config::load_policy({{"policy.toml", policy}});
    auto compiled = classifier::Policy::compile(std::move(loaded.model.value()), identities);
    return make_snapshot(std::shared_ptr<const classifier::Policy>(std::move(compiled.policy)),
                         Routing::two_wires(inside, outside), 1, 1);
  }();
  return made;
}

PipelineSettings settings() {
  PipelineSettings made;
  made.ports.resize(2);
  made.ports[outside].role = config::PortRole::outside;
  made.limits.flows = 16;
  made.limits.held_bytes = 1U << 20U;
  made.nat.source_check = false;
  made.kernel = false;
  return made;
}

struct Piece {
  std::size_t at, count;
};

struct Answer {
  bool allowed = false;
  classifier::Reason reason{};
  std::size_t left = 0;  // up to here bytes left
};

[[nodiscard]] bool is_refusal(const Answer& answer) {
  using enum classifier::Reason;
  return !answer.allowed && (answer.reason == hello_conflict || answer.reason == hello_malformed ||
                             answer.reason == hello_too_large || answer.reason == hello_timeout);
}

// One connection on a gateway of its own.
class Run {
 public:
  explicit Run(std::span<const std::uint8_t> stream) : stream_(stream), pipeline_(settings(), world_) {}

  Answer of(const std::vector<Piece>& pieces) {
    send(test::tcp(client_, server_, Tcp::syn, {.seq = first_byte - 1}));
    for (const Piece& piece : pieces) {
      const auto part = stream_.subspan(piece.at, piece.count);
      send(test::tcp(client_, server_, Tcp::ack,
                     {.seq = first_byte + static_cast<std::uint32_t>(piece.at),
                      .ack = 5001,
                      .payload = Frame(part.begin(), part.end())}));
    }
    pipeline_.finish(now_, snapshot());
    Answer answer;
    answer.left = check_what_left();
    insist(world_.buffers == 0 && pipeline_.counters().held.get() == 0 && world_.records.size() == 1);
    answer.allowed = world_.records.front().allowed;
    answer.reason = world_.records.front().reason;
    return answer;
  }

 private:
  void send(const Frame& frame) {
    Packet packet;
    insist(world_.allocate(static_cast<std::uint32_t>(frame.size()), packet));
    std::ranges::copy(frame, packet.data);
    pipeline_.process(inside, {&packet, 1}, now_, snapshot());
  }
  [[nodiscard]] std::size_t check_what_left() const {
    std::size_t end = 0;
    for (const Frame& frame : world_.sent[outside]) {
      const test::Seen seen = test::look_at(frame);
      const auto payload = seen.payload();
      if (payload.empty()) continue;
      const std::size_t at = seen.tcp().sequence.get() - first_byte;
      insist(at + payload.size() <= stream_.size());
      insist(std::ranges::equal(payload, stream_.subspan(at, payload.size())));
      end = std::max(end, at + payload.size());
    }
    return end;
  }

  std::span<const std::uint8_t> stream_;
  test::VectorWorld world_;
  Pipeline pipeline_;
  const End client_{"10.0.0.1", 40000}, server_{"198.51.100.7", 80};
  Instant now_ = 1'700'000'000'000'000'000;
};

// In pieces of at most `most` bytes.
std::vector<Piece> cut(std::size_t size, std::size_t most, Cuts* cuts) {
  std::vector<Piece> pieces;
  for (std::size_t at = 0; at < size;) {
    const std::size_t count = std::min(cuts != nullptr ? cuts->next(most) : most, size - at);
    pieces.push_back({at, count});
    at += count;
  }
  return pieces;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> stream(data, std::min(size, stream_bytes_max));
  const Answer straight = Run(stream).of(cut(stream.size(), 1, nullptr));

  Cuts cuts(data, size);
  const std::vector<Piece> in_order = cut(stream.size(), cuts.next(400), &cuts);
  std::vector<Piece> pieces = in_order;
  for (std::size_t i = pieces.size(); i > 1; --i) std::swap(pieces[i - 1], pieces[cuts.next(i) - 1]);
  for (std::size_t i = 0, repeated = cuts.next(4) - 1; i < repeated && !pieces.empty(); ++i) {
    pieces.insert(pieces.begin() + static_cast<std::ptrdiff_t>(cuts.next(pieces.size()) - 1), pieces.back());
  }
  pieces.insert(pieces.end(), in_order.begin(), in_order.end());
  const Answer crooked = Run(stream).of(pieces);
  insist(crooked.left <= straight.left);
  if (is_refusal(crooked)) return 0;
  insist(crooked.allowed == straight.allowed && crooked.reason == straight.reason);
  return 0;
}
