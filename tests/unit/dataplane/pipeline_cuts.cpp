// One hello, sent in every way that TCP allows: the verdict is the same, and of a denied one no byte leaves (corner
// cases 84 and 97).
#include <algorithm>
#include <array>
#include <numeric>
#include <random>

#include "tests/unit/classifier/names_hello_builder.h"
#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

const End server{"198.51.100.7", 443};

PipelineSettings roomy() {
  PipelineSettings settings = two_ports();
  settings.limits.flows = 32768;
  settings.limits.held_bytes = 64U << 20U;
  for (PortSettings& port : settings.ports) port.mtu = 9000;
  return settings;
}

struct Piece {
  std::size_t at, count;
};

class PipelineCuts : public testing::TestWithParam<bool> {
 protected:
  // Sends the pieces in this order on a connection of its own.
  void expect_verdict(const std::vector<Piece>& pieces) {
    const End client("10.0.10.5", port_++);
    Client c(g_, client, server);
    c.connect();
    Frame got(hello_.size(), 0);
    std::size_t resets = 0, bytes = 0;
    for (const Piece& piece : pieces) {
      const auto begin = hello_.begin() + static_cast<std::ptrdiff_t>(piece.at);
      const Frame payload(begin, begin + static_cast<std::ptrdiff_t>(piece.count));
      for (const Frame& frame : c.send(static_cast<std::uint32_t>(piece.at), payload).outside) {
        const Seen seen = look_at(frame);
        resets += (seen.tcp().flags & wire::Tcp::rst) != 0 ? 1 : 0;
        bytes += seen.parsed.payload_bytes;
        std::ranges::copy(seen.payload(), got.begin() + (seen.tcp().sequence.get() - 1001));
      }
    }
    ASSERT_EQ(resets, allowed_ ? 0U : 1U);
    ASSERT_EQ(bytes, allowed_ ? hello_.size() : 0U);
    ASSERT_TRUE(!allowed_ || got == hello_);
    if (allowed_) (void)c.server_sends(0, {1}, wire::Tcp::ack, static_cast<std::uint32_t>(hello_.size()));
  }

  bool allowed_ = GetParam();
  Gateway g_{httpbin_only, roomy()};
  Frame hello_ = classifier::names::records(
      classifier::names::browser_hello(allowed_ ? "httpbin.org" : "exfiltrate.example.org", 1600, true).message(),
      16384);
  std::uint16_t port_ = 1024;
};

TEST_P(PipelineCuts, EveryCutInTwoInBothOrders) {
  ASSERT_GT(hello_.size(), 1700U);
  for (std::size_t cut = 1; cut < hello_.size(); ++cut) {
    expect_verdict({{0, cut}, {cut, hello_.size() - cut}});
    expect_verdict({{cut, hello_.size() - cut}, {0, cut}});
  }
}

TEST_P(PipelineCuts, EveryOrderOfThree) {
  std::mt19937 random(20240502);
  for (int round = 0; round < 200; ++round) {
    std::array<std::size_t, 2> cuts{1 + random() % (hello_.size() - 1), 1 + random() % (hello_.size() - 1)};
    std::ranges::sort(cuts);
    if (cuts[0] == cuts[1]) continue;
    const std::array<Piece, 3> parts{{{0, cuts[0]}, {cuts[0], cuts[1] - cuts[0]}, {cuts[1], hello_.size() - cuts[1]}}};
    std::array<std::size_t, 3> order{0, 1, 2};
    do {
      expect_verdict({parts[order[0]], parts[order[1]], parts[order[2]]});
    } while (std::ranges::next_permutation(order).found);
  }
}

TEST_P(PipelineCuts, UpToFortyPiecesInAnyOrder) {
  std::mt19937 random(20240503);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::size_t> ends(random() % 40);
    for (std::size_t& end : ends) end = 1 + random() % (hello_.size() - 1);
    ends.push_back(hello_.size());
    std::ranges::sort(ends);
    std::vector<Piece> pieces;
    std::size_t at = 0;
    for (const std::size_t end : ends) {
      if (end != at) pieces.push_back({at, end - at});
      at = end;
    }
    std::ranges::shuffle(pieces, random);
    expect_verdict(pieces);
  }
}

INSTANTIATE_TEST_SUITE_P(AllowedAndDenied, PipelineCuts, testing::Bool());

}  // namespace
}  // namespace sallyport::dataplane::test
