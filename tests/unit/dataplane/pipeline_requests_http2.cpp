// Requests of HTTP/2 in the clear, stream by stream, and gRPC (corner cases 60, 61, 64, 70, 80).
#include <random>

#include "tests/unit/classifier/names_http2_builder.h"
#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

using classifier::Reason;
using wire::Tcp;
using namespace classifier::names;
using namespace std::string_literals;

const End client{"10.0.10.5", 41000};
const End server{"198.51.100.7", 80};

constexpr std::string_view network_and_snat = R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Deny"
[snat]
addresses = ["203.0.113.1", "2001:db8:ffff::1"]
)";
const std::string get_only = httpbin_get_only;
const std::string cart_only = std::string(network_and_snat) + R"(
[[grpc_route]]
namespace = "linkerd-egress"
name = "cart"
parent_refs = [ { name = "all", namespace = "linkerd-egress", port = 80 } ]
hostnames = ["httpbin.org"]
[[grpc_route.rules]]
matches = [ { method = { service = "shop.Cart", method = "Add" } } ]
)";

Frame bytes(std::string_view text) { return {text.begin(), text.end()}; }
std::string text(const Seen& seen) { return {seen.payload().begin(), seen.payload().end()}; }
std::uint32_t size_of(const std::string& text) { return static_cast<std::uint32_t>(text.size()); }
std::string get(std::uint32_t stream, std::string_view path, std::string_view host = "httpbin.org") {
  return headers(stream, request("GET", path, host));
}
std::string call(std::uint32_t stream, std::string_view path) {
  auto fields = request("POST", path, "httpbin.org");
  fields.emplace_back("content-type", "application/grpc");
  fields.emplace_back("te", "trailers");
  return headers(stream, fields, end_headers_flag) +
         classifier::names::frame(0, end_stream_flag, stream, "\0\0\0\0\0"s);
}
const std::string settings = classifier::names::frame(4, 0, 0, "");
const std::string settings_seen = classifier::names::frame(4, 1, 0, "");

struct Talk {
  explicit Talk(const std::string& policy) : g(policy), c(g, client, server) { c.connect(); }
  Gateway::Out send(const std::string& what) {
    auto out = c.send(at, bytes(what));
    at += size_of(what);
    return out;
  }
  void passes(const std::string& what) {
    const auto out = send(what);
    ASSERT_EQ(out.outside.size(), 1U);
    EXPECT_EQ(text(look_at(out.outside[0])), what);
    EXPECT_TRUE(out.inside.empty());
  }
  void server_says(const std::string& what) {
    EXPECT_EQ(c.server_sends(from_server, bytes(what), Tcp::ack | Tcp::psh, at).inside.size(), 1U);
    from_server += size_of(what);
  }
  // What the client gets; the server gets a reset and nothing else.
  std::string refused(const std::string& what) {
    const auto out = send(what);
    EXPECT_EQ(out.outside.size(), 1U);
    EXPECT_EQ(look_at(out.outside.at(0)).tcp().flags, Tcp::rst | Tcp::ack);
    EXPECT_EQ(look_at(out.outside.at(0)).parsed.payload_bytes, 0U);
    EXPECT_EQ(out.inside.size(), 1U);
    const Seen told = look_at(out.inside.at(0));
    EXPECT_TRUE(told.l4_checksum_right());
    return (told.tcp().flags & Tcp::rst) != 0 ? "reset" : text(told);
  }
  Gateway g;
  Client c;
  std::uint32_t at = 0, from_server = 0;
};

const std::string answer_403 = classifier::names::frame(1, 4, 1,
                                                        "\x08\x03"
                                                        "403"
                                                        "\x0f\x10\x0a"
                                                        "text/plain"
                                                        "\x0f\x0d\x02"
                                                        "20") +
                               classifier::names::frame(0, 1, 1, "traffic not allowed\n") +
                               classifier::names::frame(7, 0, 0, "\0\0\0\1\0\0\0\0"s);

TEST(PipelineHttp2, Case64And60AllowedAndDeniedPath) {
  Talk t(get_only);
  t.passes(preface_and_settings + get(1, "/get"));
  t.server_says(settings + settings_seen);
  t.passes(get(3, "/get/more"));
  const std::string told = t.refused(get(5, "/ip"));
  EXPECT_EQ(told.find(settings), std::string::npos);
  EXPECT_NE(told.find("traffic not allowed\n"), std::string::npos);
  ASSERT_EQ(t.g.world.records.size(), 1U);
  EXPECT_EQ(t.g.world.records[0].reason, Reason::name_not_allowed);
  EXPECT_EQ(t.g.world.records[0].app, AppProtocol::http2);
  EXPECT_EQ(t.g.world.records[0].http_url(), "/ip");
}

// The first thing a server of HTTP/2 says is SETTINGS; where it has not, we do.
TEST(PipelineHttp2, Case60TheFirstRequestIsDenied) {
  Talk t(get_only);
  EXPECT_EQ(t.refused(preface_and_settings + get(1, "/ip")), settings + answer_403);
  // Its acknowledgment goes nowhere; what else it says is refused.
  EXPECT_TRUE(t.c.send(t.at, {}, Tcp::ack).silent());
  EXPECT_EQ(look_at(t.c.send(t.at, bytes(get(3, "/ip"))).inside.at(0)).tcp().flags & Tcp::rst, Tcp::rst);
}

TEST(PipelineHttp2, Case61DeniedCallOfGrpc) {
  Talk t(cart_only);
  t.passes(preface_and_settings + call(1, "/shop.Cart/Add"));
  t.server_says(settings);
  const std::string told = t.refused(call(3, "/shop.Cart/Empty"));
  EXPECT_NE(told.find("\x0bgrpc-status\x01"
                      "7"),
            std::string::npos);
  EXPECT_NE(told.find("\x0cgrpc-message\x13traffic not allowed"), std::string::npos);
}

TEST(PipelineHttp2, Case70RequestsThatAreNoCallsOnAPortOfGrpc) {
  for (const std::string& what :
       {preface_and_settings + get(1, "/shop.Cart/Add"), "GET /shop.Cart/Add HTTP/1.1\r\nHost: httpbin.org\r\n\r\n"s}) {
    Talk t(cart_only);
    EXPECT_NE(t.refused(what).find("403"), std::string::npos);
  }
}

// In the middle of a frame of the server's nothing can be said in its name.
TEST(PipelineHttp2, InTheMiddleOfAnAnswerThereIsAReset) {
  Talk t(get_only);
  t.passes(preface_and_settings + get(1, "/get"));
  const std::string answer = settings + classifier::names::frame(0, 0, 1, std::string(100, 'x'));
  t.server_says(answer.substr(0, 50));
  EXPECT_EQ(t.refused(get(3, "/ip")), "reset");
}

// Before the server's SETTINGS a line of HTTP/1 waits; what stands in front of it goes, in whatever segments it came.
TEST(PipelineHttp2, WhatStandsInFrontOfALineOfHttp1GoesAsItIs) {
  const std::string front = preface_and_settings + headers(1, request("POST", "/get", "httpbin.org"), end_headers_flag);
  const std::string line = "GET /get HTTP/1.1\r\n";
  const std::string all = front + classifier::names::frame(0, 1, 1, "\r\n" + line + "\r\n");
  const std::size_t held_from = all.find(line) - 1;  // the end of the line before is seen with it
  for (const std::size_t cut : {front.size() - 20, front.size(), held_from - 1, held_from, held_from + 5}) {
    Talk t(get_only);
    std::string got(held_from, '\0');
    for (const auto& [from, to] : {std::pair(cut, all.size()), std::pair(std::size_t{0}, cut)}) {
      for (const Frame& frame :
           t.c.send(static_cast<std::uint32_t>(from), bytes(all.substr(from, to - from))).outside) {
        const Seen seen = look_at(frame);
        EXPECT_TRUE(seen.l4_checksum_right());
        const std::size_t at = seen.tcp().sequence.get() - 1001;
        ASSERT_LE(at + seen.payload().size(), held_from) << cut;
        got.replace(at, seen.payload().size(), text(seen));
      }
    }
    EXPECT_EQ(got, all.substr(0, held_from)) << cut;
    t.at = size_of(all);
    t.server_says(settings);
    EXPECT_TRUE(t.g.world.records.empty());
  }
}

TEST(PipelineHttp2, AServerThatAnswersOtherwise) {
  Talk t(get_only);
  t.passes(preface_and_settings + get(1, "/get"));
  const auto out = t.c.server_sends(0, bytes("HTTP/1.1 400 Bad Request\r\n\r\n"), Tcp::ack | Tcp::psh, t.at);
  ASSERT_EQ(out.inside.size(), 1U);
  EXPECT_EQ(look_at(out.inside[0]).tcp().flags & Tcp::rst, Tcp::rst);
  EXPECT_EQ(t.g.world.records.at(0).reason, Reason::hello_malformed);
}

// RFC 7540 section 3.2: what was asked in HTTP/1.1 is stream 1.
TEST(PipelineHttp2, UpgradedFromHttp1) {
  const std::string upgrade =
      "GET /get HTTP/1.1\r\nHost: httpbin.org\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: "
      "h2c\r\nHTTP2-Settings: AAA\r\n\r\n";
  const std::string agrees = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
  for (const bool whole : {true, false}) {
    Talk t(get_only);
    t.passes(upgrade);
    t.server_says(whole ? agrees + settings : agrees.substr(0, 40));
    if (whole) {
      t.passes(preface_and_settings + get(3, "/get/more"));
      EXPECT_NE(t.refused(get(5, "/ip")).find("traffic not allowed"), std::string::npos);
    } else {
      EXPECT_EQ(t.refused(preface_and_settings + get(3, "/get")), "reset") << "nobody knows what was agreed to";
    }
  }
  Talk t(get_only);
  t.passes(upgrade);
  t.server_says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  t.passes("GET /get HTTP/1.1\r\nHost: httpbin.org\r\n\r\n");
  EXPECT_EQ(t.refused(preface_and_settings), "reset");
}

TEST(PipelineHttp2, Case80OtherBytesInPlaceOfAllowedOnes) {
  Talk t(get_only);
  t.passes(preface_and_settings + get(1, "/get/a"));
  const auto out = t.c.send(0, bytes(preface_and_settings + get(1, "/ip/xx")));
  EXPECT_EQ(look_at(out.inside.at(0)).tcp().flags & Tcp::rst, Tcp::rst);
  EXPECT_EQ(t.g.world.records.at(0).reason, Reason::hello_conflict);
}

TEST(PipelineHttp2, BlocksWithoutEndAreTooLarge) {
  Talk t(get_only);
  t.passes(preface_and_settings);
  std::string more = classifier::names::frame(1, 1, 1, std::string(1300, 'x'));
  for (int i = 0; i < 12 && t.g.world.records.empty(); ++i) {
    (void)t.send(more);
    more = classifier::names::frame(9, 0, 1, std::string(1300, 'x'));
  }
  EXPECT_EQ(t.g.world.records.at(0).reason, Reason::hello_too_large);
}

// Random cuts, reorderings and repetitions: what the server gets is a prefix of what is allowed.
TEST(PipelineHttp2, RandomCutsNeverLetADeniedRequestThrough) {
  std::mt19937 random(11);
  const std::string good = preface_and_settings + get(1, "/get/1") +
                           headers(3, request("POST", "/get", "httpbin.org"), end_headers_flag) +
                           classifier::names::frame(0, 0, 3, std::string(60, 'b')) +
                           classifier::names::frame(0, 1, 3, "") + get(5, "/get/2");
  const std::string all = good + get(7, "/ip");
  for (int round = 0; round < 500; ++round) {
    Talk t(get_only);
    std::vector<std::pair<std::size_t, std::size_t>> pieces;
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t size = std::min<std::size_t>(1 + random() % 90, all.size() - at);
      pieces.emplace_back(at, size);
      at += size;
    }
    for (int swaps = 0; swaps < 3; ++swaps)
      std::swap(pieces[random() % pieces.size()], pieces[random() % pieces.size()]);
    bool reset = false;
    std::string got(all.size(), '\0');
    for (int turn = 0; turn < 8 && !reset; ++turn)
      for (const auto& [at, size] : pieces) {
        if (reset) break;
        for (const Frame& frame : t.c.send(static_cast<std::uint32_t>(at), bytes(all.substr(at, size))).outside) {
          const Seen seen = look_at(frame);
          reset = reset || (seen.tcp().flags & Tcp::rst) != 0;
          const std::size_t from = seen.tcp().sequence.get() - 1001;
          if (seen.payload().empty()) continue;
          ASSERT_LE(from + seen.payload().size(), good.size()) << "round " << round;
          got.replace(from, seen.payload().size(), text(seen));
        }
      }
    ASSERT_TRUE(reset) << "round " << round;
    for (std::size_t i = 0; i < got.size(); ++i) ASSERT_TRUE(got[i] == '\0' || got[i] == all[i]);
  }
}

}  // namespace
}  // namespace sallyport::dataplane::test
