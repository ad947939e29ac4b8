// Several workers between an inside and an outside port: what each of them has of ports, pieces of datagrams that one
// collects and another one owns, reloads that change whose the answers are.
#include <map>

#include "dataplane/tunnels.h"
#include "tests/unit/dataplane/crew.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

constexpr std::uint8_t esp = 50;
const End server("198.51.100.7", 53);

End sender(int i, std::uint16_t port) {
  return {"10.1." + std::to_string(i / 200) + "." + std::to_string(i % 200 + 1), port};
}

struct Piece {
  std::uint16_t id = 1;
  std::uint32_t offset = 0;
  bool more = false;
  Frame options;
};
// A piece of an IPv4 datagram: `content` from its offset on.
Frame piece_of(const std::string& from, const std::string& to, std::uint8_t protocol, const Frame& content,
               const Piece& piece) {
  Frame frame = detail::ip_frame(address(from), address(to), protocol, content, {.id = piece.id});
  const std::size_t header = sizeof(wire::Ipv4) + piece.options.size();
  frame.insert(frame.begin() + 14 + sizeof(wire::Ipv4), piece.options.begin(), piece.options.end());
  auto& ip = wire::at<wire::Ipv4>(frame.data() + 14);
  ip.version_length = static_cast<std::uint8_t>(0x40U | header / 4);
  ip.total_length = static_cast<std::uint16_t>(header + content.size());
  ip.fragment = static_cast<std::uint16_t>(piece.offset / 8 | (piece.more ? wire::Ipv4::more_fragments : 0));
  ip.checksum.set_raw(0);
  ip.checksum.set_raw(wire::finish(wire::sum_words(frame.data() + 14, static_cast<std::uint32_t>(header))));
  return frame;
}

// A datagram of UDP as pieces of these sizes, the first with options; without a checksum.
std::vector<Frame> pieces_of_udp(const End& from, const End& to, const std::vector<std::size_t>& sizes,
                                 std::uint16_t id, const Frame& options = {}) {
  std::size_t total = 0;
  for (const std::size_t size : sizes) total += size;
  Frame datagram(total, 7);
  const auto word = [&](std::size_t at, std::size_t value) {
    datagram[at] = static_cast<std::uint8_t>(value >> 8U);
    datagram[at + 1] = static_cast<std::uint8_t>(value);
  };
  word(0, from.port);
  word(2, to.port);
  word(4, total);
  word(6, 0);
  std::vector<Frame> pieces;
  std::uint32_t offset = 0;
  for (const std::size_t size : sizes) {
    const auto begin = datagram.begin() + offset;
    Piece piece{id, offset, offset + size < total, offset == 0 ? options : Frame{}};
    pieces.push_back(piece_of(to_string(from.ip), to_string(to.ip), 17,
                              Frame(begin, begin + static_cast<std::ptrdiff_t>(size)), piece));
    offset += static_cast<std::uint32_t>(size);
  }
  return pieces;
}

// An identification by which another worker collects the pieces than the one to which the datagram belongs.
std::vector<Frame> pieces_collected_elsewhere(const Crew& g, const End& from, const End& to,
                                              const std::vector<std::size_t>& sizes, const Frame& options = {}) {
  const std::uint32_t owner = g.owner(udp(from, to), Crew::outside);
  for (std::uint16_t id = 1;; ++id) {
    std::vector<Frame> pieces = pieces_of_udp(from, to, sizes, id, options);
    if (g.owner(pieces.front(), Crew::outside) != owner) return pieces;
  }
}

// RFC 791: a router writes its address into this one, and it is the first piece's alone.
const Frame record_route{7, 39, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                         0, 0,  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
// Router alert (RFC 2113), then a stream identifier: every piece repeats both, or should.
Frame repeated_options() {
  Frame options{0x94, 4, 0, 0};
  while (options.size() < 40) options.insert(options.end(), {0x88, 4, 0, 1});
  return options;
}

class PipelineCrewPieces : public testing::TestWithParam<Frame> {};
INSTANTIATE_TEST_SUITE_P(Options, PipelineCrewPieces, testing::Values(Frame{}, record_route, repeated_options()));

// Whatever headers the pieces had, no more of them go on than came: of a datagram to nobody, and of an answer.
TEST_P(PipelineCrewPieces, GoOnAsNoMoreThanCame) {
  PipelineSettings settings = two_ports();
  settings.nat.fragments_max = 1024;
  Crew g(allow_all, settings);
  std::vector<std::size_t> sizes(1, 8);
  sizes.insert(sizes.end(), 60, 48);
  const End attacker("198.51.100.66", 12345);
  for (const Frame& piece : pieces_collected_elsewhere(g, attacker, End("203.0.113.1", 5000), sizes, GetParam())) {
    EXPECT_TRUE(g.from_outside(piece).empty());
    EXPECT_LE(g.steps, 1U + sizes.size());
  }
  EXPECT_EQ(g.dropped(Drop::no_mapping), 61U);
  EXPECT_EQ(g.held(), 0U);

  const Seen asked = g.out(udp(sender(1, 4000), server));
  std::vector<Frame> answers;
  for (const Frame& piece :
       pieces_collected_elsewhere(g, server, End(asked.from(), asked.from_port()), sizes, GetParam())) {
    for (const Frame& out : g.from_outside(piece)) answers.push_back(out);
  }
  EXPECT_EQ(answers.size(), 61U);
  g.advance_ms(60'000);
  EXPECT_EQ(g.held(), 0U);
  EXPECT_EQ(g.dropped(Drop::fragment_timeout), 0U);
}

TEST(PipelineCrew, PiecesOfAllSizesAreCountedAsTheyCame) {
  Crew g(allow_all);
  const Seen asked = g.out(udp(sender(1, 4000), server));
  const End client_outside(asked.from(), asked.from_port());
  std::size_t out = 0;
  for (const Frame& piece : pieces_collected_elsewhere(g, server, client_outside, {1400, 8, 8}))
    out += g.from_outside(piece).size();
  EXPECT_EQ(out, 2U);
  // Some of what a worker was handed is missing: it is counted by what it stands for.
  const std::vector<Frame> pieces = pieces_collected_elsewhere(g, server, client_outside, {1400, 8, 8, 8});
  for (const Frame& piece : pieces) {
    if (&piece != &pieces[1]) (void)g.from_outside(piece);
  }
  EXPECT_EQ(g.held(), 3U);
  g.advance_ms(60'000);
  EXPECT_EQ(g.held(), 0U);
  EXPECT_EQ(g.dropped(Drop::fragment_timeout), 3U);
}

class Overlay : public Crew {
 public:
  Overlay() : Crew(allow_all, with_tunnels()) {
    config::ApplianceModel model;
    model.ports.resize(2);
    model.ports[0].name = "inside";
    config::TunnelConfig tunnel;
    tunnel.port_name = "inside";
    tunnel.local = address("10.0.0.1");
    tunnel.port = 4789;
    tunnel.vni = {4096};
    model.tunnels = {tunnel};
    snapshot.tunnels = Tunnels::of(model);
  }
  std::vector<Frame> from_pod(const std::string& node, const Frame& inner) {
    Frame content{0x08, 0, 0, 0, 0, 0x10, 0, 0};
    content.insert(content.end(), inner.begin(), inner.end());
    return from_inside(udp(End(node, 50000), End("10.0.0.1", 4789), content));
  }

 private:
  static PipelineSettings with_tunnels() {
    PipelineSettings settings = two_ports();
    settings.tunnels = true;
    return settings;
  }
};

// nat.md 24: one sender has a protocol without ports towards a server, in however many pieces the other one sends it.
TEST(PipelineCrew, ProtocolsWithoutPortsInPiecesThroughATunnelAreOneSenders) {
  Overlay g;
  const auto whole = [](const std::string& from) {
    return detail::ip_frame(address(from), address("198.51.100.7"), esp, Frame(64, 9), {});
  };
  ASSERT_EQ(g.from_pod("10.0.1.5", whole("10.1.0.5")).size(), 1U);
  for (int i = 1; i < 30; ++i) {
    const std::string other = "10.1.1." + std::to_string(i);
    EXPECT_TRUE(g.from_pod("10.0.1.6", whole(other)).empty());
    const auto id = static_cast<std::uint16_t>(i);
    EXPECT_TRUE(g.from_pod("10.0.1.6", piece_of(other, "198.51.100.7", esp, Frame(800, 1), {id, 0, true, {}})).empty());
    EXPECT_TRUE(
        g.from_pod("10.0.1.6", piece_of(other, "198.51.100.7", esp, Frame(80, 1), {id, 800, false, {}})).empty());
  }
  // The sender's own pieces go on.
  std::size_t out =
      g.from_pod("10.0.1.5", piece_of("10.1.0.5", "198.51.100.7", esp, Frame(800, 1), {99, 0, true, {}})).size();
  out += g.from_pod("10.0.1.5", piece_of("10.1.0.5", "198.51.100.7", esp, Frame(80, 1), {99, 800, false, {}})).size();
  EXPECT_EQ(out, 2U);
}

// There are 16 pieces of ports below 1024: where they do not go round, low ports get high ones.
TEST(PipelineCrew, LowPortsOfEachSenderFindAPortWithManyWorkers) {
  for (const std::uint32_t workers : {4U, 16U, 17U, 48U}) {
    Crew g(allow_all, two_ports(), workers);
    for (int i = 0; i < 170; ++i) {
      const End client = sender(i, 123);
      const Seen out = g.out(udp(client, server));
      if (workers <= 16) {
        EXPECT_LT(out.from_port(), 1024);
      }
      EXPECT_EQ(g.back(udp(server, End(out.from(), out.from_port()))).to(), to_string(client.ip));
    }
    EXPECT_EQ(g.dropped(Drop::nat_ports_exhausted), 0U) << workers;
  }
}

// An address that is given out in another way is another worker's: a flow that leaves under it gets its answers, or
// ends.
TEST(PipelineCrew, ReloadsBetweenAnAddressAndItsPrefixLeaveNoFlowWithoutAnswers) {
  const End far("2001:db8:2::7", 443);
  for (const bool to_prefix : {true, false}) {
    const std::string one = six_to("2001:db8:1::5"), all = six_to("2001:db8:1::/48");
    Crew g(to_prefix ? one : all);
    std::vector<std::pair<End, End>> flows;
    for (int i = 1; i <= 60; ++i) {
      // Of the prefix, so many leave by the one address as have the same bits in them.
      const std::string subnet = to_prefix ? std::to_string(i) + "::1" : "0:" + std::to_string(i) + "::5";
      const End client("fd01:203:405:" + subnet, static_cast<std::uint16_t>(5000 + i));
      const Seen out = g.out(udp(client, far));
      flows.emplace_back(client, End(out.from(), out.from_port()));
    }
    g.reload(to_prefix ? all : one);
    std::size_t live = 0;
    for (const auto& [client, outside] : flows) {
      if (g.from_inside(udp(client, far)).empty()) continue;
      ++live;
      EXPECT_EQ(g.from_outside(udp(far, outside)).size(), 1U);
    }
    if (to_prefix) {
      EXPECT_GT(live, 0U) << "those whose worker is the same go on";
      EXPECT_LT(live, flows.size());
    }
    EXPECT_EQ(g.dropped(Drop::policy_removed), flows.size() - live);
  }
}

// What a limited sender has of protocols without ports is with their servers' workers.
TEST(PipelineCrew, LimitsBySenderAreEachWorkersForProtocolsWithoutPorts) {
  PipelineSettings settings = two_ports();
  settings.limits.flows_per_source = 3;
  Crew g(allow_all, settings);
  std::size_t passed = 0;
  for (int i = 1; i <= 40; ++i) {
    const std::string to = "198.51.100." + std::to_string(i);
    passed += g.from_inside(detail::ip_frame(address("10.1.0.5"), address(to), esp, Frame(64, 9), {})).size();
  }
  EXPECT_EQ(passed, 4U * 3U);
}

// All leave under one address. Each worker goes once through all of its own.
TEST(PipelineCrew, NoTwoWorkersGiveADatagramTheSameIdentification) {
  constexpr std::uint32_t workers = 3;
  Crew g(allow_all, two_ports(), workers);
  std::map<std::uint16_t, std::uint32_t> whose;
  for (std::uint32_t worker = 0; worker < workers; ++worker) {
    int i = 1;
    while (g.owner(udp(sender(i, 4000), server), Crew::inside) != worker) ++i;
    const Frame datagram = udp(sender(i, 4000), server, Frame(1600, 7));
    for (std::uint32_t k = 0; k <= 65536 / workers; ++k) {
      const std::vector<Frame> pieces = g.from_inside(datagram);
      ASSERT_EQ(pieces.size(), 2U);
      const std::uint16_t id = wire::at<wire::Ipv4>(pieces[0].data() + 14).identification.get();
      ASSERT_EQ(wire::at<wire::Ipv4>(pieces[1].data() + 14).identification.get(), id);
      ASSERT_EQ(whose.try_emplace(id, worker).first->second, worker);
    }
  }
  EXPECT_EQ(whose.size(), 65536U);
}

// What was full is not for ever, though nobody has asked since.
TEST(PipelineCrew, IdentifiersThatWereUsedUpAreFreeWeeksLater) {
  PipelineSettings settings = two_ports();
  settings.limits.flows = 70'000;
  Crew g(allow_all, settings, 1);
  const End far("198.51.100.7");
  for (std::uint32_t i = 1024; i < 65536 + 1024; ++i) {
    const bool wraps = i >= 65536;
    (void)g.from_inside(
        echo(address(wraps ? "10.1.0.4" : "10.1.0.1"), far.ip, static_cast<std::uint16_t>(wraps ? i - 60'000 : i)));
  }
  EXPECT_TRUE(g.from_inside(echo(address("10.1.0.2"), far.ip, 500)).empty());
  EXPECT_EQ(g.dropped(Drop::nat_ports_exhausted), 1U);
  for (int i = 0; i < 120; ++i) g.advance_ms(1000);
  EXPECT_EQ(g.from_inside(echo(address("10.1.0.3"), far.ip, 501)).size(), 1U);
  for (int i = 0; i < 25 * 24; ++i) g.advance_ms(3'600'000);
  EXPECT_EQ(g.from_inside(echo(address("10.1.0.3"), far.ip, 502)).size(), 1U);
}

}  // namespace
}  // namespace sallyport::dataplane::test
