// Translation and forwarding, packets in and packets out.
#include <set>
#include <string>

#include "dataplane/flow/port_choice.h"
#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

using classifier::Reason;
using wire::Tcp;

const End pod{"10.0.10.5", 40000};
const End pod6{"fd00::5", 40000};
const End server{"198.51.100.7", 53};
const End server6{"2001:db8:1::7", 53};

TEST(PipelineNat, N4UdpKeepsItsPortAndComesBack) {
  for (const bool v6 : {false, true}) {
    Gateway g(allow_all);
    const End& from = v6 ? pod6 : pod;
    const End& to = v6 ? server6 : server;
    const auto out = g.from_inside(udp(from, to));
    ASSERT_EQ(out.outside.size(), 1U);
    const Seen seen = look_at(out.outside[0]);
    EXPECT_EQ(seen.from(), v6 ? "2001:db8:ffff::1" : "203.0.113.1");
    EXPECT_EQ(seen.from_port(), 40000);
    EXPECT_EQ(seen.parsed.ttl, 63);
    EXPECT_TRUE(seen.l4_checksum_right());
    const auto back = g.from_outside(udp(to, End(seen.from(), seen.from_port())));
    ASSERT_EQ(back.inside.size(), 1U);
    EXPECT_EQ(look_at(back.inside[0]).to(), to_string(from.ip));
    EXPECT_EQ(look_at(back.inside[0]).to_port(), 40000);
    EXPECT_TRUE(look_at(back.inside[0]).l4_checksum_right());
  }
}

TEST(PipelineNat, N77ZeroChecksumStaysZero) {
  Gateway g(allow_all);
  const auto out = g.from_inside(udp(pod, server, {1, 2, 3}, false));
  const Seen seen = look_at(out.outside.at(0));
  EXPECT_EQ(wire::at<wire::Udp>(seen.frame.data() + seen.parsed.l4_offset).checksum.raw(), 0);
}

TEST(PipelineNat, N78BadChecksumStaysBad) {
  Gateway g(allow_all);
  Frame bad = udp(pod, server);
  bad[bad.size() - 1] ^= 0x55;
  EXPECT_FALSE(look_at(g.from_inside(bad).outside.at(0)).l4_checksum_right());
}

TEST(PipelineNat, N1UdpMappingIsEndpointIndependent) {
  Gateway g(allow_all);
  const End other{"10.0.10.6", 40000};
  const Seen first = look_at(g.from_inside(udp(pod, server)).outside.at(0));
  const Seen collided = look_at(g.from_inside(udp(other, server)).outside.at(0));
  EXPECT_NE(collided.from_port(), first.from_port());
  EXPECT_GE(collided.from_port(), 1024);
  EXPECT_EQ(collided.from_port() % 2, 0) << "N6: parity";
  const Seen elsewhere = look_at(g.from_inside(udp(other, End("198.51.100.99", 99))).outside.at(0));
  EXPECT_EQ(elsewhere.from_port(), collided.from_port());
}

TEST(PipelineNat, N5LowPortsStayLow) {
  Gateway g(allow_all);
  (void)g.from_inside(udp(End("10.0.10.5", 500), server));
  const Seen second = look_at(g.from_inside(udp(End("10.0.10.6", 500), server)).outside.at(0));
  EXPECT_LT(second.from_port(), 1024);
  EXPECT_NE(second.from_port(), 500);
}

TEST(PipelineNat, N2N3TcpSharesPortsBetweenServersOnly) {
  Gateway g(allow_all);
  std::set<std::uint16_t> ports;
  for (int i = 0; i < 200; ++i) {
    const End from("10.0.1." + std::to_string(i), 40000);
    const Seen seen = look_at(g.from_inside(tcp(from, server, Tcp::syn)).outside.at(0));
    EXPECT_TRUE(ports.insert(seen.from_port()).second);
  }
  const Seen elsewhere =
      look_at(g.from_inside(tcp(End("10.0.2.1", 40000), End("198.51.100.8", 53), Tcp::syn)).outside.at(0));
  EXPECT_EQ(elsewhere.from_port(), 40000) << "free towards that server";
}

TEST(PipelineNat, N14ExhaustedPortsRefuseTheNewAndKeepTheOld) {
  PipelineSettings settings = two_ports();
  settings.nat.port_range = {20000, 20255};
  Gateway g(allow_all, settings);
  std::set<std::uint16_t> ports;
  for (int i = 0; i < 256; ++i) {
    const End from("10.0.1." + std::to_string(i), 40000);
    const Seen seen = look_at(g.from_inside(tcp(from, server, Tcp::syn)).outside.at(0));
    EXPECT_GE(seen.from_port(), 20000);
    EXPECT_LE(seen.from_port(), 20255);
    ports.insert(seen.from_port());
  }
  EXPECT_EQ(ports.size(), 256U) << "used to the last one";
  const auto refused = g.from_inside(tcp(End("10.0.3.1", 40000), server, Tcp::syn));
  EXPECT_TRUE(refused.outside.empty());
  EXPECT_EQ(g.dropped(Drop::nat_ports_exhausted), 1U);
  ASSERT_EQ(refused.inside.size(), 1U);
  EXPECT_EQ(look_at(refused.inside[0]).icmp().type, 3);
  EXPECT_EQ(look_at(refused.inside[0]).icmp().code, 1);
  EXPECT_EQ(g.world.records.back().reason, Reason::nat_ports_exhausted);
  EXPECT_EQ(g.from_inside(tcp(End("10.0.3.1", 40000), End("198.51.100.8", 53), Tcp::syn)).outside.size(), 1U);
}

TEST(PipelineNat, N24UdpTimeout) {
  Gateway g(allow_all);
  (void)g.from_inside(udp(pod, server));
  (void)g.wait_ms(299'000);
  EXPECT_EQ(g.from_outside(udp(server, End("203.0.113.1", 40000))).inside.size(), 1U);
  (void)g.wait_ms(2'000);
  EXPECT_TRUE(g.from_outside(udp(server, End("203.0.113.1", 40000))).inside.empty()) << "answers refresh nothing";
  EXPECT_EQ(g.dropped(Drop::no_mapping), 1U);
}

TEST(PipelineNat, N20OnlyTheServerAnswers) {
  Gateway g(allow_all);
  (void)g.from_inside(udp(pod, server));
  EXPECT_TRUE(g.from_outside(udp(End("198.51.100.7", 54), End("203.0.113.1", 40000))).silent());
  EXPECT_TRUE(g.from_outside(udp(End("198.51.100.8", 53), End("203.0.113.1", 40000))).silent());
}

TEST(PipelineNat, N50EchoIdentifier) {
  for (const bool v6 : {false, true}) {
    Gateway g(allow_all);
    const IpAddress from = v6 ? pod6.ip : pod.ip;
    const IpAddress to = v6 ? server6.ip : server.ip;
    const IpAddress other = address(v6 ? "fd00::6" : "10.0.10.6");
    const Seen first = look_at(g.from_inside(echo(from, to, 7)).outside.at(0));
    const Seen second = look_at(g.from_inside(echo(other, to, 7)).outside.at(0));
    EXPECT_EQ(first.icmp().identifier.get(), 7);
    EXPECT_NE(second.icmp().identifier.get(), 7);
    EXPECT_TRUE(second.l4_checksum_right());
    const auto back =
        g.from_outside(echo(to, second.parsed.key.source_address(), second.icmp().identifier.get(), true));
    ASSERT_EQ(back.inside.size(), 1U);
    EXPECT_EQ(look_at(back.inside[0]).to(), to_string(other));
    EXPECT_EQ(look_at(back.inside[0]).icmp().identifier.get(), 7);
    EXPECT_TRUE(look_at(back.inside[0]).l4_checksum_right());
  }
}

TEST(PipelineNat, N60LoneReplyOpensNothing) {
  Gateway g(allow_all);
  EXPECT_TRUE(g.from_inside(echo(pod.ip, server.ip, 7, true)).silent());
  EXPECT_EQ(g.dropped(Drop::icmp_lone_reply), 1U);
}

TEST(PipelineNat, N51ErrorFromOutsideIsTranslatedBack) {
  for (const bool v6 : {false, true}) {
    Gateway g(allow_all);
    const End& from = v6 ? pod6 : pod;
    const End& to = v6 ? server6 : server;
    (void)g.from_inside(udp(End(v6 ? "fd00::77" : "10.0.10.77", 40000), to));
    const Frame sent = g.from_inside(udp(from, to)).outside.at(0);
    const Seen seen = look_at(sent);
    ASSERT_NE(seen.from_port(), 40000);
    const IpAddress router = address(v6 ? "2001:db8:9::1" : "192.0.2.1");
    const auto back =
        g.from_outside(icmp(router, seen.parsed.key.source_address(), v6 ? 2 : 3, v6 ? 0 : 4, 1400, l3(sent)));
    ASSERT_EQ(back.inside.size(), 1U);
    const Seen error = look_at(back.inside[0]);
    EXPECT_EQ(error.to(), to_string(from.ip));
    EXPECT_EQ(error.from(), to_string(router));
    EXPECT_TRUE(error.l4_checksum_right());
    Frame quoted(14, 0);
    quoted[12] = v6 ? 0x86 : 0x08;
    quoted[13] = v6 ? 0xdd : 0x00;
    const auto rest = std::span(error.frame).subspan(error.parsed.l4_offset + 8U, error.parsed.l4_bytes() - 8U);
    quoted.insert(quoted.end(), rest.begin(), rest.end());
    const Seen inner = look_at(quoted);
    EXPECT_EQ(inner.from(), to_string(from.ip));
    EXPECT_EQ(inner.from_port(), 40000);
    EXPECT_TRUE(inner.l4_checksum_right());
  }
}

TEST(PipelineNat, N52ErrorFromInsideShowsTheEgressAddress) {
  Gateway g(allow_all);
  (void)g.from_inside(udp(End("10.0.10.77", 40000), server));
  const Seen sent = look_at(g.from_inside(udp(pod, server)).outside.at(0));
  const Frame delivered = g.from_outside(udp(server, End(sent.from(), sent.from_port()))).inside.at(0);
  const auto out = g.from_inside(icmp(pod.ip, server.ip, 3, 3, 0, l3(delivered)));
  ASSERT_EQ(out.outside.size(), 1U);
  const Seen error = look_at(out.outside[0]);
  EXPECT_EQ(error.from(), "203.0.113.1");
  EXPECT_TRUE(error.l4_checksum_right());
  const std::uint8_t* inner = error.frame.data() + error.parsed.l4_offset + 8;
  EXPECT_EQ(inner[16], 203);
  EXPECT_EQ(wire::at<wire::Udp>(inner + 20).destination_port.get(), sent.from_port());
}

TEST(PipelineNat, N53N54ErrorsThatAreNobodys) {
  Gateway g(allow_all);
  const Frame sent = g.from_inside(udp(pod, server)).outside.at(0);
  Frame unknown = l3(udp(End("203.0.113.1", 9), server));
  EXPECT_TRUE(g.from_outside(icmp(address("192.0.2.1"), address("203.0.113.1"), 3, 1, 0, unknown)).silent());
  EXPECT_EQ(g.dropped(Drop::icmp_error_no_flow), 1U);
  Frame bad_inner = l3(sent);
  bad_inner[8] ^= 1;
  EXPECT_TRUE(g.from_outside(icmp(address("192.0.2.1"), address("203.0.113.1"), 3, 1, 0, bad_inner)).silent());
  EXPECT_EQ(g.dropped(Drop::icmp_error_bad), 1U);
  Frame bad_outer = icmp(address("192.0.2.1"), address("203.0.113.1"), 3, 1, 0, l3(sent));
  bad_outer.back() ^= 1;
  EXPECT_TRUE(g.from_outside(bad_outer).silent());
  EXPECT_EQ(g.dropped(Drop::icmp_bad_checksum), 1U);
}

TEST(PipelineNat, N58TimeExceeded) {
  Gateway g(allow_all);
  const auto out = g.from_inside(udp(pod, server, {1, 2, 3, 4}, true, {.ttl = 1}));
  EXPECT_TRUE(out.outside.empty());
  ASSERT_EQ(out.inside.size(), 1U);
  const Seen error = look_at(out.inside[0]);
  EXPECT_EQ(error.icmp().type, 11);
  EXPECT_EQ(error.to(), "10.0.10.5");
  EXPECT_TRUE(error.l4_checksum_right());
  EXPECT_EQ(g.dropped(Drop::ttl_exceeded), 1U);
}

TEST(PipelineNat, N55TooBigIsToldInTheInsideView) {
  PipelineSettings settings = two_ports();
  settings.ports[1].mtu = 1400;
  Gateway g(allow_all, settings);
  const auto out = g.from_inside(udp(pod, server, Frame(1400, 7), true, {.dont_fragment = true}));
  EXPECT_TRUE(out.outside.empty());
  const Seen error = look_at(out.inside.at(0));
  EXPECT_EQ(error.icmp().type, 3);
  EXPECT_EQ(error.icmp().code, 4);
  EXPECT_EQ(error.icmp().sequence.get(), 1400);
  EXPECT_EQ(error.frame[error.parsed.l4_offset + 8U + 12U], 10) << "quotes 10.0.10.5";
}

TEST(PipelineNat, N56FragmentsOnTheWayOutAndN70TogetherOnTheWayIn) {
  PipelineSettings settings = two_ports();
  settings.ports[1].mtu = 1400;
  Gateway g(allow_all, settings);
  Frame payload(3000);
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<std::uint8_t>(i * 7);
  const auto out = g.from_inside(udp(pod, server, payload));
  ASSERT_EQ(out.outside.size(), 3U);
  for (const Frame& f : out.outside) EXPECT_LE(f.size(), 1414U);

  // The same pieces, last first, back in through another gateway whose server is our client.
  Gateway h(allow_all);
  std::vector<Frame> pieces(out.outside.rbegin(), out.outside.rend());
  EXPECT_TRUE(h.from_inside(pieces[0]).silent());
  EXPECT_TRUE(h.from_inside(pieces[1]).silent());
  const auto whole = h.from_inside(pieces[2]);
  ASSERT_EQ(whole.outside.size(), 3U) << "as it came";
}

TEST(PipelineNat, N72OverlappingFragmentsEndWithTheirDatagram) {
  PipelineSettings settings = two_ports();
  settings.ports[1].mtu = 1000;
  Gateway g(allow_all, settings);
  const auto pieces = g.from_inside(udp(pod, server, Frame(2500, 3))).outside;
  ASSERT_EQ(pieces.size(), 3U);
  Gateway h(allow_all);
  EXPECT_TRUE(h.from_inside(pieces[0]).silent());
  Frame overlapping = pieces[1];
  auto& ip = wire::at<wire::Ipv4>(overlapping.data() + 14);
  const std::uint16_t before = ip.fragment.raw();
  ip.fragment = static_cast<std::uint16_t>(ip.fragment.get() - 1);
  wire::Delta delta;
  delta.replace(before, ip.fragment.raw());
  wire::update(ip.checksum, delta);
  EXPECT_TRUE(h.from_inside(overlapping).silent());
  EXPECT_TRUE(h.from_inside(pieces[1]).silent());
  EXPECT_TRUE(h.from_inside(pieces[2]).silent());
  EXPECT_EQ(h.dropped(Drop::fragment_overlap), 4U);
}

TEST(PipelineNat, N39MssIsClamped) {
  PipelineSettings settings = two_ports();
  settings.ports[1].mtu = 1400;
  for (const bool odd : {false, true}) {
    Gateway g(allow_all, settings);
    const Frame options = odd ? Frame{1, 2, 4, 0x05, 0xb4, 0, 0, 0} : Frame{2, 4, 0x05, 0xb4};
    const Seen syn = look_at(g.from_inside(tcp(pod, server, Tcp::syn, {.options = options})).outside.at(0));
    const std::uint8_t* mss = syn.frame.data() + syn.parsed.l4_offset + 20 + (odd ? 3 : 2);
    EXPECT_EQ(mss[0] << 8 | mss[1], 1360);
    EXPECT_TRUE(syn.l4_checksum_right());
  }
}

TEST(PipelineNat, N31SimultaneousOpen) {
  Gateway g(allow_all);
  const Seen syn = look_at(g.from_inside(tcp(pod, server, Tcp::syn, {.seq = 100})).outside.at(0));
  EXPECT_EQ(g.from_outside(tcp(server, End(syn.from(), syn.from_port()), Tcp::syn, {.seq = 900})).inside.size(), 1U);
  EXPECT_EQ(g.from_inside(tcp(pod, server, Tcp::syn | Tcp::ack, {.seq = 100, .ack = 901})).outside.size(), 1U);
  EXPECT_EQ(g.from_outside(tcp(server, End(syn.from(), syn.from_port()), Tcp::syn | Tcp::ack, {.seq = 900, .ack = 101}))
                .inside.size(),
            1U);
}

TEST(PipelineNat, N36ResetOutsideTheWindowChangesNothing) {
  Gateway g(allow_all);
  Client c(g, pod, server);
  c.connect();
  EXPECT_TRUE(c.server_sends(1'000'000, {}, Tcp::rst).silent());
  EXPECT_EQ(g.dropped(Drop::tcp_rst_invalid), 1U);
  EXPECT_EQ(c.server_sends(0, {1}).inside.size(), 1U);
  EXPECT_EQ(c.server_sends(1, {}, Tcp::rst).inside.size(), 1U);
}

// Its record says that it is over; the rest must not be on none.
TEST(PipelineNat, N35WhatGoesOnAfterItsRecordHasAnother) {
  for (const bool closed : {false, true}) {
    Gateway g(allow_all);
    Client c(g, pod, server);
    c.connect();
    EXPECT_EQ(c.send(0, {}, closed ? Tcp::fin | Tcp::ack : Tcp::rst).outside.size(), 1U);
    if (closed) {
      EXPECT_EQ(c.server_sends(0, {}, Tcp::fin | Tcp::ack).inside.size(), 1U);
    }
    g.wait_ms(1500);
    ASSERT_EQ(g.world.records.size(), 1U);
    for (std::uint32_t i = 0; i < 5; ++i) {
      EXPECT_EQ(c.send(1 + i * 100, Frame(100)).outside.size(), 1U);
      g.wait_ms(1500);
    }
    EXPECT_EQ(g.world.records.size(), 1U);
    if (!closed) {
      EXPECT_EQ(c.send(501, {}, Tcp::rst).outside.size(), 1U);
    }
    g.wait_ms(242'000);
    ASSERT_EQ(g.world.records.size(), 2U);
    EXPECT_EQ(g.world.records[1].id, g.world.records[0].id);
    EXPECT_EQ(g.world.records[1].end, closed ? FlowEnd::fin : FlowEnd::rst);
    EXPECT_EQ(g.world.records[1].packets[to_server] - g.world.records[0].packets[to_server], closed ? 5U : 6U);
  }
}

TEST(PipelineNat, N38MidstreamWithoutAFlow) {
  Gateway strict(allow_all);
  EXPECT_TRUE(strict.from_inside(tcp(pod, server, Tcp::ack)).silent());
  EXPECT_EQ(strict.dropped(Drop::no_flow_midstream), 1U);
  PipelineSettings settings = two_ports();
  settings.nat.tcp_midstream = true;
  Gateway loose(allow_all, settings);
  EXPECT_EQ(loose.from_inside(tcp(pod, server, Tcp::ack)).outside.size(), 1U);
}

TEST(PipelineNat, N8SourcesKeepOneAddressAcrossProtocolsAndReloads) {
  const std::string pool = R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Allow"
[snat]
addresses = [)";
  const std::string small = pool + R"("203.0.113.1", "203.0.113.2", "203.0.113.3"])";
  const std::string large =
      pool + R"("203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4", "203.0.113.5", "203.0.113.6"])";
  Gateway g(small);
  std::set<std::string> used;
  std::vector<std::string> before;
  for (int i = 0; i < 60; ++i) {
    const std::string ip = "10.0.1." + std::to_string(i);
    const Seen one = look_at(g.from_inside(udp(End(ip, 1111), server)).outside.at(0));
    const Seen two = look_at(g.from_inside(tcp(End(ip, 2222), server, Tcp::syn)).outside.at(0));
    const Seen three = look_at(g.from_inside(echo(address(ip), server.ip, 9)).outside.at(0));
    EXPECT_EQ(one.from(), two.from());
    EXPECT_EQ(one.from(), three.from());
    used.insert(one.from());
    before.push_back(one.from());
  }
  EXPECT_EQ(used.size(), 3U);
  g.reload(large);
  for (int i = 0; i < 60; ++i) {
    const Seen again = look_at(g.from_inside(udp(End("10.0.1." + std::to_string(i), 3333), server)).outside.at(0));
    EXPECT_EQ(again.from(), before[static_cast<std::size_t>(i)]) << "the pool grew, the source stays";
  }
}

TEST(PipelineNat, UntranslatedDestinationsPassAsTheyAre) {
  Gateway g(std::string(allow_all) + "except = [\"198.51.100.0/24\"]\n");
  const Seen seen = look_at(g.from_inside(udp(pod, server)).outside.at(0));
  EXPECT_EQ(seen.from(), "10.0.10.5");
  EXPECT_EQ(g.from_outside(udp(server, pod)).inside.size(), 1U);
  EXPECT_EQ(g.from_inside(echo(pod.ip, server.ip, 3)).outside.size(), 1U);
  EXPECT_EQ(g.from_outside(echo(server.ip, pod.ip, 3, true)).inside.size(), 1U);
}

TEST(PipelineNat, SctpIsForwardedAndTranslated) {
  Gateway g(allow_all);
  const Frame init = sctp(pod, server);
  const Seen seen = look_at(g.from_inside(init).outside.at(0));
  EXPECT_EQ(seen.from(), "203.0.113.1");
  EXPECT_EQ(seen.to(), to_string(server.ip));
  EXPECT_TRUE(seen.l4_checksum_right());
  const auto answer = g.from_outside(sctp(server, End(seen.from(), seen.from_port()), 2));
  ASSERT_EQ(answer.inside.size(), 1U);
  EXPECT_EQ(look_at(answer.inside[0]).to(), to_string(pod.ip));
  EXPECT_EQ(look_at(answer.inside[0]).to_port(), pod.port);
  EXPECT_TRUE(look_at(answer.inside[0]).l4_checksum_right());
}

TEST(PipelineNat, WorkersShareThePortsWithoutOverlap) {
  for (const std::uint32_t workers : {2U, 3U}) {
    std::set<std::uint16_t> all;
    std::uint32_t total = 0;
    for (std::uint32_t w = 0; w < workers; ++w) {
      const PortSlice slice(1024, 65535, w, workers);
      total += slice.size();
      for (std::uint32_t i = 0; i < slice.size(); ++i) {
        ASSERT_TRUE(slice.contains(slice.at(i)));
        ASSERT_EQ(port_owner(slice.at(i), workers), w);
        all.insert(slice.at(i));
      }
    }
    EXPECT_EQ(total, 64512U);
    EXPECT_EQ(all.size(), 64512U);
  }
}

// Errors to an address that is an egress address and the gateway's own: those about flows are the flows', others the
// kernel's.
TEST(PipelineNat, ErrorsAboutFlowsReachThemUnderASharedAddress) {
  Gateway g(allow_all);
  const IpAddress shared = address("203.0.113.1"), next_hop = address("203.0.113.254");
  const std::vector<RouteEntry> routes = {{parse_prefix("0.0.0.0/0")->prefix, Gateway::outside, next_hop},
                                          {parse_prefix("10.0.0.0/8")->prefix, Gateway::inside, std::nullopt}};
  const std::vector<NeighbourEntry> neighbours = {{Gateway::outside, next_hop, {2, 0, 0, 0, 0, 9}},
                                                  {Gateway::inside, pod.ip, {2, 0, 0, 0, 0, 8}}};
  g.snapshot.routing =
      std::make_shared<const Routing>(routes, neighbours, std::vector<LocalAddress>{{Gateway::outside, shared}}, 2U);
  const Frame sent = g.from_inside(udp(pod, server)).outside.at(0);
  const auto told = g.from_outside(icmp(address("192.0.2.1"), shared, 3, 4, 1280, l3(sent)));
  ASSERT_EQ(told.inside.size(), 1U);
  EXPECT_EQ(look_at(told.inside[0]).to(), to_string(pod.ip));
  EXPECT_EQ(g.dropped(Drop::to_gateway), 0U);
  const Frame own = udp(End("203.0.113.1", 123), server);
  EXPECT_TRUE(g.from_outside(icmp(address("192.0.2.1"), shared, 3, 4, 1280, l3(own))).silent());
  EXPECT_EQ(g.dropped(Drop::to_gateway), 1U);
}

}  // namespace
}  // namespace sallyport::dataplane::test
