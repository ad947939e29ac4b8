// What belongs to several workers: hairpins, protocols without ports, prefixes. Whichever worker a packet comes to, its
// flow is found, on plain inside and outside ports.

#include <gtest/gtest.h>

#include "tests/unit/dataplane/crew.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

const End server{"198.51.100.7", 53};
const End server6{"2001:db8:51::7", 53};

// Whoever knows a mapping may use it.
PipelineSettings open_ports(std::uint32_t port_block = 0) {
  PipelineSettings settings = two_ports();
  settings.nat.filtering = config::Filtering::endpoint_independent;
  settings.nat.tcp_mapping = config::Mapping::endpoint_independent;
  settings.nat.port_block = port_block;
  return settings;
}

End host(int i) { return {"10.1.0." + std::to_string(i), static_cast<std::uint16_t>(40000 + i)}; }

TEST(PipelineHairpin, FindsTheOtherSidesWorker) {
  Crew g(allow_all, open_ports());
  for (int i = 1; i < 60; i += 2) {
    const Seen a = g.out(udp(host(i), server)), b = g.out(udp(host(i + 1), server));
    const End a_outside(a.from(), a.from_port()), b_outside(b.from(), b.from_port());
    const Seen hello = g.round(udp(host(i), b_outside));
    EXPECT_EQ(hello.to(), to_string(host(i + 1).ip));
    EXPECT_EQ(hello.to_port(), host(i + 1).port);
    EXPECT_EQ(hello.from(), a.from());
    EXPECT_EQ(hello.from_port(), a.from_port());
    EXPECT_TRUE(hello.l4_checksum_right());
    const Seen answer = g.round(udp(host(i + 1), a_outside));
    EXPECT_EQ(answer.to(), to_string(host(i).ip));
    EXPECT_EQ(answer.from_port(), b.from_port());
    // An error about what was delivered finds its way back.
    const Seen error = g.round(icmp(host(i + 1).ip, a_outside.ip, 3, 3, 0, l3(hello.frame)));
    EXPECT_EQ(error.to(), to_string(host(i).ip));
    EXPECT_EQ(error.from(), b.from());
  }
  EXPECT_EQ(g.dropped(Drop::hairpin_refused), 0U);
  EXPECT_TRUE(g.in(Crew::inside, udp(host(1), End("203.0.113.1", 39999)), Crew::inside).empty());
  EXPECT_EQ(g.dropped(Drop::hairpin_refused), 1U);
}

TEST(PipelineHairpin, PacketsTooLargeForTheOtherSideAreAnsweredThroughIt) {
  PipelineSettings settings = two_ports();
  settings.nat.filtering = config::Filtering::endpoint_independent;
  settings.ports[Gateway::inside].mtu = 1400;
  Gateway g(allow_all, settings);
  const Seen a = look_at(g.from_inside(udp(host(1), server)).outside.at(0));
  const Seen b = look_at(g.from_inside(udp(host(2), server)).outside.at(0));
  const End b_outside(b.from(), b.from_port());
  const Frame large = udp(host(1), b_outside, Frame(1450, 7), true, {.dont_fragment = true});
  const auto told = g.from_inside(large);
  ASSERT_EQ(told.inside.size(), 1U);
  const Seen error = look_at(told.inside[0]);
  EXPECT_EQ(error.to(), to_string(host(1).ip));
  EXPECT_EQ(error.icmp().type, 3);
  EXPECT_EQ(error.icmp().code, 4);
  EXPECT_EQ(g.dropped(Drop::too_big), 1U);
  EXPECT_EQ(a.from(), b.from());
}

Frame protocol47(const IpAddress& from, const IpAddress& to) {
  return detail::ip_frame(from, to, 47, Frame(40, 1), {});
}

TEST(PipelineProtocols, WithoutPortsBelongToTheWorkerOfTheServer) {
  Crew g(allow_all, open_ports());
  for (int i = 1; i < 60; ++i) {
    const IpAddress far = address("198.51.100." + std::to_string(i));
    EXPECT_EQ(g.out(protocol47(host(i).ip, far)).from(), "203.0.113.1");
    const Seen answer = g.back(protocol47(far, address("203.0.113.1")));
    EXPECT_EQ(answer.to(), to_string(host(i).ip));
    const Frame sent = protocol47(address("203.0.113.1"), far);
    const Seen error = g.back(icmp(address("192.0.2.1"), address("203.0.113.1"), 3, 4, 1280, l3(sent)));
    EXPECT_EQ(error.to(), to_string(host(i).ip));
    const Frame delivered = protocol47(far, host(i).ip);
    EXPECT_EQ(g.out(icmp(host(i).ip, far, 3, 2, 0, l3(delivered))).from(), "203.0.113.1");
    EXPECT_TRUE(g.in(Crew::inside, protocol47(host(i + 60).ip, far), Crew::outside).empty());
  }
  EXPECT_EQ(g.dropped(Drop::nat_protocol_taken), 59U);
}

TEST(PipelinePrefix, AnswersFindTheWorkerOfTheClient) {
  Crew g(six_to("2001:db8:1::/48"), open_ports());
  for (int i = 1; i < 60; ++i) {
    const End client{"fd01:203:405:" + std::to_string(i) + "::1234", static_cast<std::uint16_t>(5000 + i)};
    const Seen seen = g.out(udp(client, server6));
    EXPECT_EQ(seen.from_port(), client.port);
    EXPECT_TRUE(seen.l4_checksum_right());
    const End client_outside(seen.from(), seen.from_port());
    EXPECT_EQ(g.back(udp(server6, client_outside)).to(), to_string(client.ip));
    const Seen error = g.back(icmp(address("2001:db8:2::1"), client_outside.ip, 2, 0, 1280, l3(seen.frame)));
    EXPECT_EQ(error.to(), to_string(client.ip));
    EXPECT_EQ(g.out(protocol47(client.ip, server6.ip)).from(), seen.from());
    EXPECT_EQ(g.back(protocol47(server6.ip, client_outside.ip)).to(), to_string(client.ip));
  }
}

TEST(PipelineBlocks, OfSeveralWorkersLieApart) {
  Crew g(allow_all, open_ports(512));
  std::map<std::uint16_t, std::string> owner_of_block;
  for (int i = 1; i < 60; ++i) {
    for (std::uint16_t port = 30000; port < 30003; ++port) {
      const Seen seen = g.out(udp(End(to_string(host(i).ip), port), server));
      const std::string& owner = owner_of_block.emplace(seen.from_port() / 512, to_string(host(i).ip)).first->second;
      EXPECT_EQ(owner, to_string(host(i).ip));
      EXPECT_EQ(g.back(udp(server, End(seen.from(), seen.from_port()))).to(), to_string(host(i).ip));
    }
  }
  EXPECT_EQ(owner_of_block.size(), 59U);
}

}  // namespace
}  // namespace sallyport::dataplane::test
