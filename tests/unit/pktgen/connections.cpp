// The two ends of `connect` with nothing, or somebody who denies, between them.
#include "pktgen/connections.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "classifier/names/tls_client_hello.h"
#include "dataplane/wire/checksum.h"
#include "pktgen/far_side.h"

namespace sallyport::pktgen {
namespace {

namespace wire = dataplane::wire;
using Bytes = std::span<const std::uint8_t>;

constexpr dataplane::MacAddress far = {2, 0, 0, 0, 0, 9};
constexpr std::uint64_t a_second = 1'000'000;  // cycles

ConnectOptions options_of(const char* from = "10.1.0.1", const char* to = "192.0.2.1") {
  ConnectOptions options;
  options.from = parse_address(from).value();
  options.to = parse_address(to).value();
  return options;
}

bool sum_holds(Bytes frame) {
  const Transport found = find_transport(frame).value();
  const std::size_t addresses = address_bytes(found.family);
  const std::size_t source = found.ip + (found.family == Family::v4 ? 12 : 8);
  return wire::fold(wire::pseudo_header(frame.subspan(source, addresses), frame.subspan(source + addresses, addresses),
                                        found.protocol, static_cast<std::uint32_t>(found.end - found.header)) +
                    wire::sum_words(frame.data() + found.header, found.end - found.header)) == 0xffff;
}

// Says what becomes of a client's frame: passed on, ended in silence, or answered by a reset.
enum class Fate : std::uint8_t { passes, silence, reset };
using Between = std::function<Fate(const TcpSegment&, Bytes payload)>;

struct Ends {
  explicit Ends(const ConnectOptions& options, std::vector<std::string> names = {"a.example"})
      : clients(options, std::move(names), {2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}, a_second),
        server(options.to, options.port, options.common.mtu) {}

  void carry() {
    std::array<std::uint8_t, 2048> bytes{};
    for (; clients.waiting() != 0; now += 10) {
      const std::uint32_t length = clients.write(now, bytes.data());
      if (length != 0) deliver({bytes.data(), length});
    }
  }
  void deliver(std::span<std::uint8_t> sent) {
    ASSERT_TRUE(sum_holds(sent));
    const TcpSegment segment = read_tcp(sent).value();
    const Fate fate = between(segment, transport_payload(sent));
    dataplane::Packet frame{.data = sent.data(), .length = static_cast<std::uint32_t>(sent.size())};
    if (fate == Fate::silence) return;
    if (fate == Fate::passes) {
      if (!server.answer(frame, far)) return;
      ASSERT_TRUE(sum_holds({frame.data, frame.length}));
    } else {
      deny(segment, frame);
    }
    now += 5;
    ASSERT_TRUE(clients.take(now, {frame.data, frame.length}));
  }
  static void deny(const TcpSegment& segment, dataplane::Packet& frame) {
    const std::vector<std::uint8_t> client(segment.from.address.begin(), segment.from.address.end());
    const std::vector<std::uint8_t> server(segment.to.address.begin(), segment.to.address.end());
    const TcpWords words{segment.words.acknowledgment, segment.next_sequence(), wire::Tcp::rst | wire::Tcp::ack};
    frame.length = write_tcp(frame.data, sizeof(wire::Ethernet), {server, segment.to.port}, {client, segment.from.port},
                             words, 0, 0);
  }
  void begin(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(clients.room(now, 1), 1U);
      clients.begin(now);
      carry();
    }
  }
  void close_all() {
    while (!clients.all_seen()) {
      (void)clients.close_some(now, 32);
      carry();
    }
  }
  [[nodiscard]] const ConnectReport& report() const { return clients.report(); }

  Between between = [](const TcpSegment&, Bytes) { return Fate::passes; };
  Connections clients;
  FarSide server;
  std::uint64_t now = 1;
};

void expect_all_ended(const ConnectReport& report) {
  EXPECT_EQ(report.attempted, report.closed + report.reset + report.timed_out());
  EXPECT_EQ(report.open, 0U);
  EXPECT_EQ(report.overrun, 0U);
}

TEST(Connections, EachIsOpenedAnsweredAndClosed) {
  for (const auto& [from, to] : {std::pair{"10.1.255.255", "192.0.2.1"}, {"fd00::ffff:ffff", "2001:db8::1"}}) {
    for (const bool post_quantum : {false, true}) {
      ConnectOptions options = options_of(from, to);
      options.sources = 3;
      options.post_quantum = post_quantum;
      Ends ends(options);
      ends.begin(1000);
      EXPECT_EQ(ends.report().closed, 1000U);
      EXPECT_EQ(ends.report().open_most, 1U);
      EXPECT_EQ(ends.report().handshake.percentile(0.5), 5000U) << "nanoseconds of 5 cycles";
      EXPECT_EQ(ends.report().hello.percentile(0.99), 5000U);
      EXPECT_EQ(ends.report().sent.packets, 1000U * (post_quantum ? 6 : 5));
      expect_all_ended(ends.report());
    }
  }
}

TEST(Connections, EndpointsServeAgainWithALaterSequence) {
  ConnectOptions options = options_of();
  Ends ends(options);
  std::map<std::uint16_t, std::uint32_t> first;
  ends.between = [&](const TcpSegment& segment, Bytes) {
    if (segment.words.flags != wire::Tcp::syn) return Fate::passes;
    const auto [place, fresh] = first.try_emplace(segment.from.port, segment.words.sequence);
    EXPECT_TRUE(fresh || static_cast<std::int32_t>(segment.words.sequence - place->second) > 0);
    place->second = segment.words.sequence;
    return Fate::reset;
  };
  ends.begin(Endpoints::ports_each + 1000);
  EXPECT_EQ(first.size(), Endpoints::ports_each);
  expect_all_ended(ends.report());
}

TEST(Connections, SoManyStayOpenAndTheOldestGoes) {
  ConnectOptions options = options_of();
  options.open = 100;
  Ends ends(options);
  ends.begin(1000);
  EXPECT_EQ(ends.report().open, 100U);
  EXPECT_EQ(ends.report().open_most, 100U);
  EXPECT_EQ(ends.report().closed, 900U);
  ends.close_all();
  EXPECT_EQ(ends.report().closed, 1000U);
  expect_all_ended(ends.report());
}

TEST(Connections, WhatWasLostWhileOpenIsFoundOut) {
  ConnectOptions options = options_of();
  options.open = 1000;
  Ends ends(options);
  ends.begin(1000);
  ends.between = [](const TcpSegment& segment, Bytes) {
    return segment.from.port % 10 == 0 ? Fate::silence : segment.from.port % 10 == 1 ? Fate::reset : Fate::passes;
  };
  ends.close_all();
  EXPECT_EQ(ends.clients.closing(), 100U);
  ends.clients.expire_closing();
  EXPECT_EQ(ends.report().timed_out_fin, 100U);
  EXPECT_EQ(ends.report().reset, 100U);
  EXPECT_EQ(ends.report().closed, 800U);
  expect_all_ended(ends.report());
}

TEST(Connections, DeniedNamesAreResetAndSilenceTimesOut) {
  Ends ends(options_of(), {"good.example", "denied.example", "silent.example"});
  ends.between = [](const TcpSegment&, Bytes payload) {
    const std::string text(payload.begin(), payload.end());
    if (text.find("denied.example") != std::string::npos) return Fate::reset;
    return text.find("silent.example") != std::string::npos ? Fate::silence : Fate::passes;
  };
  ends.begin(300);
  ends.clients.expire(ends.now);
  EXPECT_EQ(ends.report().timed_out(), 0U) << "it is not yet time";
  EXPECT_EQ(ends.clients.under_way(), 100U);
  ends.now += 4 * a_second;
  for (int i = 0; i < 10; ++i) ends.clients.expire(ends.now);
  EXPECT_EQ(ends.report().established, 300U);
  EXPECT_EQ(ends.report().answered, 100U);
  EXPECT_EQ(ends.report().reset, 100U);
  EXPECT_EQ(ends.report().timed_out_hello, 100U);
  expect_all_ended(ends.report());
}

TEST(Connections, NoMoreHandshakesAtOnceThanAsked) {
  ConnectOptions options = options_of();
  options.parallel = 10;
  Ends ends(options);
  ends.between = [](const TcpSegment&, Bytes) { return Fate::silence; };
  EXPECT_EQ(ends.clients.room(ends.now, 32), 10U);
  for (int i = 0; i < 10; ++i) ends.clients.begin(ends.now);
  ends.carry();
  EXPECT_EQ(ends.clients.room(ends.now, 32), 0U);
  ends.now += 4 * a_second;
  ends.clients.expire(ends.now);
  EXPECT_EQ(ends.report().timed_out_syn, 10U);
  EXPECT_EQ(ends.clients.room(ends.now, 32), 10U);
}

TEST(Connections, OneThatNobodyAnswersHoldsUpNoOther) {
  Ends ends(options_of());
  const std::vector<std::uint16_t> silent = {1024, 1025, 2000, 65535};
  ends.between = [&](const TcpSegment& segment, Bytes) {
    return std::find(silent.begin(), silent.end(), segment.from.port) != silent.end() ? Fate::silence : Fate::passes;
  };
  ends.begin(3 * Endpoints::ports_each);
  EXPECT_EQ(ends.report().attempted, 3 * Endpoints::ports_each);
  EXPECT_EQ(ends.report().closed, ends.report().attempted - silent.size());
  EXPECT_EQ(ends.clients.under_way(), silent.size());
  EXPECT_FALSE(ends.report().endpoints_exhausted);
}

TEST(Connections, ThatNoEndpointIsFreeIsSaidAndPasses) {
  ConnectOptions options = options_of();
  options.rate = 1e6;
  Ends ends(options);
  std::map<std::uint16_t, std::uint32_t> last;
  ends.between = [&](const TcpSegment& segment, Bytes) {
    const auto [place, fresh] = last.try_emplace(segment.from.port, segment.words.sequence);
    const std::uint32_t risen = segment.words.sequence - place->second;
    EXPECT_TRUE(fresh || (risen > 0 && risen < 1U << 22U)) << "however often it was looked for: " << risen;
    place->second = segment.words.sequence;
    return Fate::silence;
  };
  ends.begin(Endpoints::ports_each);
  EXPECT_FALSE(ends.report().endpoints_exhausted);
  for (int i = 0; i < 20'000; ++i) ASSERT_EQ(ends.clients.room(ends.now, 32), 0U);
  EXPECT_TRUE(ends.report().endpoints_exhausted);
  for (const std::uint64_t count : {Endpoints::ports_each, std::uint64_t{10}}) {
    ends.now += 4 * a_second;
    for (int i = 0; i < 100; ++i) ends.clients.expire(ends.now);
    EXPECT_EQ(ends.clients.under_way(), 0U);
    ends.begin(count);
  }
  EXPECT_EQ(ends.report().timed_out_syn, 2 * Endpoints::ports_each);
  EXPECT_EQ(ends.clients.not_ended(), 10U);
}

TEST(Connections, EachHasEndedOrIsCounted) {
  ConnectOptions options = options_of();
  options.open = 10;
  Ends ends(options);
  ends.between = [](const TcpSegment& segment, Bytes) {
    const bool closes = (segment.words.flags & wire::Tcp::fin) != 0;
    const bool silent = closes ? segment.from.port % 10 == 0 : segment.from.port >= Endpoints::first_port + 95;
    return silent ? Fate::silence : Fate::passes;
  };
  ends.begin(100);
  const ConnectReport& report = ends.report();
  EXPECT_GT(ends.clients.under_way(), 0U);
  EXPECT_GT(ends.clients.closing(), 0U);
  EXPECT_GT(report.open, 0U);
  EXPECT_EQ(report.attempted, report.closed + report.reset + report.timed_out() + ends.clients.not_ended());
}

TEST(Connections, FramesThatWantAnAnswerAreCounted) {
  for (const bool post_quantum : {false, true}) {
    ConnectOptions options = options_of();
    options.post_quantum = post_quantum;
    Ends ends(options);
    ends.begin(10);
    EXPECT_EQ(ends.report().asking, 30U) << "SYN, hello, FIN";
    EXPECT_EQ(ends.report().received.packets, 30U);
    EXPECT_EQ(ends.report().lost(), 0U);
  }
}

TEST(Connections, TheReportHasWhatAllReportsHave) {
  ConnectReport report;
  report.seconds = 2;
  report.frames_seconds = 4;
  report.attempted = 1000;
  report.rate = 100'000;
  report.sent = {4'000'000, 500'000'000};
  report.received = {2'000'000, 250'000'000};
  report.asking = 1000;
  report.timed_out_syn = 10;
  report.open = 7;
  const std::string text = to_text(report);
  for (const char* part :
       {"500 a second of 100000 asked for", "4000000 packets     1.000000 Mpps    1.000000 Gbit/s",
        "2000000 packets     0.500000 Mpps    0.500000 Gbit/s", "10 packets     1.0000 %", "7 connections",
        "not measured: no SYN was answered", "not measured: no hello was answered"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
  EXPECT_EQ(text.find("endpoints"), std::string::npos);
  const std::string json = to_json(report);
  for (const char* part : {"\"rate_asked\": 100000.0", "\"attempted_a_second\": 500.0", "\"open\": 7", "\"lost\": 10",
                           "\"lost_percent\": 1.0", "\"sent_mpps\": 1.0", "\"received_gbps\": 0.5"}) {
    EXPECT_NE(json.find(part), std::string::npos) << part << " in\n" << json;
  }
  report.rate.reset();
  report.endpoints_exhausted = true;
  EXPECT_NE(to_json(report).find("\"rate_asked\": null"), std::string::npos);
  EXPECT_NE(to_text(report).find("more --sources"), std::string::npos);
}

TEST(Connections, OthersSegmentsAreNotOurs) {
  Ends ends(options_of());
  ends.clients.begin(ends.now);
  std::array<std::uint8_t, 2048> bytes{};
  const std::uint32_t length = ends.clients.write(ends.now, bytes.data());
  EXPECT_FALSE(ends.clients.take(ends.now, {bytes.data(), length})) << "from a client";
  dataplane::Packet frame{.data = bytes.data(), .length = length};
  ASSERT_TRUE(ends.server.answer(frame, far));
  for (std::size_t cut = 0; cut < frame.length; ++cut) EXPECT_FALSE(ends.clients.take(ends.now, {bytes.data(), cut}));
  EXPECT_EQ(ends.report().established, 0U);
  EXPECT_TRUE(ends.clients.take(ends.now, {bytes.data(), frame.length}));
  EXPECT_EQ(ends.report().established, 1U);
  EXPECT_TRUE(ends.clients.take(ends.now, {bytes.data(), frame.length}));
  EXPECT_EQ(ends.report().established, 1U) << "said twice";
}

TEST(FarSide, SendsDatagramsBackWhereItServesEverybody) {
  std::array<std::uint8_t, 64> bytes{};
  bytes[12] = 8;  // IPv4
  bytes[14] = 0x45;
  bytes[17] = 28 + 4;
  bytes[23] = 17;
  bytes[26] = 10;
  bytes[30] = 192;
  bytes[35] = 7;  // from port 7 to port 9, 12 bytes
  bytes[37] = 9;
  bytes[39] = 12;
  dataplane::Packet frame{.data = bytes.data(), .length = 60};
  FarSide one(parse_address("192.0.0.0").value(), 9, 1500);
  EXPECT_FALSE(one.answer(frame, far)) << "it speaks TCP";
  FarSide all(1500);
  ASSERT_TRUE(all.answer(frame, far));
  EXPECT_EQ(bytes[26], 192);
  EXPECT_EQ(bytes[30], 10);
  EXPECT_EQ(bytes[35], 9);
  EXPECT_EQ(bytes[37], 7);
}

// Asked of everybody, it answers from its own address: a group is no sender (IEEE 802.3 section 3.2.3).
TEST(FarSide, AnswersComeFromItsOwnMacAddress) {
  ConnectOptions options = options_of();
  Connections clients(options, {"a.example"}, {2, 0, 0, 0, 0, 1}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, a_second);
  clients.begin(1);
  std::array<std::uint8_t, 2048> bytes{};
  dataplane::Packet frame{.data = bytes.data(), .length = clients.write(1, bytes.data())};
  ASSERT_TRUE(FarSide(1500).answer(frame, far));
  EXPECT_EQ(wire::at<wire::Ethernet>(bytes.data()).source, far);
  EXPECT_EQ(wire::at<wire::Ethernet>(bytes.data()).destination, (dataplane::MacAddress{2, 0, 0, 0, 0, 1}));
}

TEST(ClientHellos, AreReadByTheParserOfTheGateway) {
  const std::vector<std::string> names = {"a.b", std::string(200, 'x') + ".example", "httpbin.org"};
  for (const bool post_quantum : {false, true}) {
    const ClientHellos hellos(names, post_quantum);
    for (std::uint64_t number = 0; number < 6; ++number) {
      std::vector<std::uint8_t> bytes(hellos.bytes(number));
      hellos.write(number, number, bytes);
      EXPECT_EQ(bytes.size() > 1500, post_quantum);
      classifier::names::TlsProgress progress;
      std::vector<std::uint8_t> scratch(12 * 1024);
      classifier::names::ClientHello hello;
      ASSERT_EQ(classifier::names::parse_client_hello(bytes, progress, scratch, hello), classifier::names::Parse::done);
      ASSERT_TRUE(hello.has_server_name);
      EXPECT_EQ(std::string(hello.server_name.begin(), hello.server_name.end()), names[number % 3]);
    }
  }
}

}  // namespace
}  // namespace sallyport::pktgen
