// Requests of plaintext HTTP, decided one by one (corner cases D, E: 60, 64, 69, 80, 81, 106).
#include <algorithm>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

using classifier::Reason;
using wire::Tcp;

const End client{"10.0.10.5", 41000};
const End server{"198.51.100.7", 80};

std::string get_only(std::string_view defaults = "") { return httpbin_get_only + std::string(defaults); }

Frame bytes(std::string_view text) { return {text.begin(), text.end()}; }
std::string text(const Seen& seen) { return {seen.payload().begin(), seen.payload().end()}; }
std::string get(std::string_view path, std::string_view host = "httpbin.org") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n";
}
std::string post(std::string_view path, std::string_view fields, std::string_view body) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: httpbin.org\r\n" + std::string(fields) + "\r\n" +
         std::string(body);
}

// What the server got, as one stream, whatever the order.
class Stream {
 public:
  void add(const std::vector<Frame>& frames) {
    for (const Frame& frame : frames) {
      const Seen seen = look_at(frame);
      if ((seen.tcp().flags & Tcp::rst) != 0) reset = true;
      const std::size_t at = seen.tcp().sequence.get() - 1001;
      if (at + seen.payload().size() > bytes_.size()) bytes_.resize(at + seen.payload().size(), '?');
      std::copy(seen.payload().begin(), seen.payload().end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  bool reset = false;

 private:
  std::string bytes_;
};

TEST(PipelineRequests, Case64AllowedAndDeniedPath) {
  Gateway g(get_only());
  Client c(g, client, server);
  c.connect();
  const std::string request = get("/get");
  ASSERT_EQ(c.send(0, bytes(request)).outside.size(), 1U);
  ASSERT_EQ(c.server_sends(0, bytes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")).inside.size(), 1U);
  const auto out = c.send(static_cast<std::uint32_t>(request.size()), bytes(get("/ip")));
  ASSERT_EQ(out.outside.size(), 1U);
  EXPECT_EQ(look_at(out.outside[0]).tcp().flags, Tcp::rst | Tcp::ack);
  EXPECT_EQ(look_at(out.outside[0]).tcp().sequence.get(), 1001U + request.size());
  ASSERT_EQ(g.world.records.size(), 1U);
  EXPECT_EQ(g.world.records[0].reason, Reason::name_not_allowed);
  EXPECT_EQ(g.world.records[0].app, AppProtocol::http);
  EXPECT_EQ(g.world.records[0].server_name(), "httpbin.org");
  EXPECT_EQ(g.world.records[0].http_method(), "GET");
  EXPECT_EQ(g.world.records[0].http_url(), "/ip");
}

// Cases 60 and 69: a page that says so, with sequence numbers that fit, then the end.
TEST(PipelineRequests, Case60And69DeniedRequestIsAnswered) {
  Gateway g(get_only());
  Client c(g, client, server);
  c.connect();
  const std::string request = get("/ip");
  const auto out = c.send(0, bytes(request));
  ASSERT_EQ(out.inside.size(), 1U);
  const Seen page = look_at(out.inside[0]);
  EXPECT_EQ(page.tcp().flags, Tcp::psh | Tcp::ack | Tcp::fin);
  EXPECT_EQ(page.tcp().sequence.get(), 5001U);
  EXPECT_EQ(page.tcp().acknowledgment.get(), 1001U + request.size());
  EXPECT_EQ(page.from(), "198.51.100.7");
  EXPECT_EQ(page.to(), "10.0.10.5");
  EXPECT_TRUE(page.l4_checksum_right());
  EXPECT_TRUE(text(page).starts_with("HTTP/1.1 403 Forbidden\r\n"));
  EXPECT_TRUE(text(page).ends_with("\r\n\r\ntraffic not allowed\n"));
  ASSERT_EQ(out.outside.size(), 1U);
  EXPECT_EQ(look_at(out.outside[0]).tcp().flags, Tcp::rst | Tcp::ack);
  EXPECT_EQ(look_at(out.outside[0]).parsed.payload_bytes, 0U);
  // What the client still says: acknowledgments are left alone, the request again brings the page again.
  EXPECT_TRUE(c.send(static_cast<std::uint32_t>(request.size()), {}, Tcp::ack).silent());
  EXPECT_EQ(text(look_at(c.send(0, bytes(request)).inside.at(0))), text(page));
  EXPECT_EQ(g.dropped(Drop::flow_denied), 2U);
}

TEST(PipelineRequests, HttpDenyReset) {
  Gateway g(get_only("[defaults]\nhttp_deny = \"reset\"\n"));
  Client c(g, client, server);
  c.connect();
  const auto out = c.send(0, bytes(get("/ip")));
  ASSERT_EQ(out.inside.size(), 1U);
  EXPECT_EQ(look_at(out.inside[0]).tcp().flags, Tcp::rst | Tcp::ack);
  EXPECT_EQ(look_at(out.inside[0]).parsed.payload_bytes, 0U);
}

// Case 80: a second request behind the first in one segment, and behind bodies of either kind.
TEST(PipelineRequests, Case80PipelinedRequestToADeniedPath) {
  for (const std::string& first :
       {get("/get"), post("/get", "Content-Length: 5\r\n", "hello"),
        post("/get", "Transfer-Encoding: chunked\r\n", "5;x=y\r\nhello\r\n0\r\nTrailer: x\r\n\r\n")}) {
    Gateway g(get_only());
    Client c(g, client, server);
    c.connect();
    const auto out = c.send(0, bytes(first + get("/ip")));
    Stream got;
    got.add(out.outside);
    EXPECT_EQ(got.bytes(), "") << first;
    EXPECT_TRUE(got.reset);
    EXPECT_EQ(g.dropped(Drop::hello_denied), 1U);
  }
}

TEST(PipelineRequests, PipelinedRequestsThatAreAllowed) {
  Gateway g(get_only());
  Client c(g, client, server);
  c.connect();
  const std::string all = get("/get/1") + post("/get", "Content-Length: 5\r\n", "hello") + get("/get/2");
  EXPECT_EQ(text(look_at(c.send(0, bytes(all)).outside.at(0))), all);
  EXPECT_EQ(g.world.records.size(), 0U);
}

// Any cut, in any order of two: the same verdict, and nothing of a denied request leaves.
TEST(PipelineRequests, Case80EveryCutInTwoInBothOrders) {
  const std::string good =
      get("/get/1") + post("/get", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n") + get("/get/2");
  for (const bool denied : {false, true}) {
    const std::string all = good + (denied ? get("/ip") : "");
    for (std::size_t cut = 1; cut < all.size(); ++cut)
      for (const bool reversed : {false, true}) {
        Gateway g(get_only());
        Client c(g, client, server);
        c.connect();
        Stream got;
        const auto send = [&](std::size_t from, std::size_t to) {
          got.add(
              c.send(static_cast<std::uint32_t>(from), bytes(std::string_view(all).substr(from, to - from))).outside);
        };
        if (reversed) send(cut, all.size());
        send(0, cut);
        if (!reversed) send(cut, all.size());
        if (!got.reset && got.bytes().size() < all.size()) {  // what could not be read yet comes again
          send(0, cut);
          send(cut, all.size());
        }
        EXPECT_EQ(got.reset, denied) << "cut at " << cut << (reversed ? " reversed" : "");
        if (!denied) {
          EXPECT_EQ(got.bytes(), all) << "cut at " << cut << (reversed ? " reversed" : "");
        } else {
          EXPECT_EQ(got.bytes().find("/ip"), std::string::npos) << "cut at " << cut;
        }
      }
  }
}

TEST(PipelineRequests, OneByteSegments) {
  Gateway g(get_only());
  Client c(g, client, server);
  c.connect();
  const std::string all = get("/get") + post("/get", "Content-Length: 3\r\n", "abc") + get("/ip");
  Stream got;
  for (std::size_t i = 0; i < all.size() && !got.reset; ++i)
    got.add(c.send(static_cast<std::uint32_t>(i), bytes(all.substr(i, 1))).outside);
  EXPECT_TRUE(got.reset);
  EXPECT_EQ(got.bytes(), all.substr(0, all.size() - get("/ip").size()));
}

// Case 80: what servers read differently is no request.
TEST(PipelineRequests, Case80ShapesOfSmuggling) {
  const std::string host = "Host: httpbin.org\r\n";
  for (const std::string& request : {
           post("/get", "Content-Length: 5\r\nContent-Length: 6\r\n", "hello"),
           post("/get", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
           post("/get", "Transfer-Encoding: xchunked\r\n", ""),
           post("/get", "Transfer-Encoding: chunked, identity\r\n", ""),
           post("/get", "Transfer-Encoding: chunked\r\n", "0x5\r\nhello\r\n"),
           post("/get", "Transfer-Encoding: chunked\r\n", "5\nhello\r\n"),
           post("/get", "Content-Length: +5\r\n", "hello"),
           post("/get", "Content-Length : 5\r\n", "hello"),
           std::string("GET /get HTTP/1.1\r\nHost: httpbin.org\r\nHost: evil.org\r\n\r\n"),
           std::string("GET /get HTTP/1.1\r\n\r\n"),
           std::string("GET http://evil.org/get HTTP/1.1\r\nHost: httpbin.org\r\n\r\n"),
           std::string("GET /get HTTP/1.1\r\nHost: httpbin.org\r\n folded: x\r\n\r\n"),
           std::string("GET /get HTTP/1.1\nHost: httpbin.org\n\n"),
           std::string("GET /get HTTP/1.1\r\nHost: httpbin.org\r\nX: a\rb\r\n\r\n"),
           std::string("GET /get HTTP/1.1\r\nHost: httpbin.org\r\nX: a") + '\0' + "b\r\n\r\n",
           std::string("GET /get/%zz HTTP/1.1\r\nHost: httpbin.org\r\n\r\n"),
           std::string("GET httpbin.org/get HTTP/1.1\r\nHost: httpbin.org\r\n\r\n"),
       }) {
    Gateway g(get_only());
    Client c(g, client, server);
    c.connect();
    Stream got;
    got.add(c.send(0, bytes(request)).outside);
    EXPECT_TRUE(got.reset) << request;
    EXPECT_EQ(got.bytes().find("smuggled"), std::string::npos);
    ASSERT_EQ(g.world.records.size(), 1U) << request;
    EXPECT_EQ(g.world.records[0].reason, Reason::hello_malformed) << request;
  }
}

// Case 80: a denied path written otherwise; under Allow, where a deny rule must not be talked around.
TEST(PipelineRequests, Case80PathsWrittenOtherwise) {
  const std::string policy = R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Allow"
[[http_route]]
namespace = "linkerd-egress"
name = "no-admin"
action = "deny"
parent_refs = [ { name = "all", namespace = "linkerd-egress", port = 80 } ]
[[http_route.rules]]
matches = [ { path = { value = "/admin" } } ]
)";
  const auto verdict = [&](std::string_view path) {
    Gateway g(policy);
    Client c(g, client, server);
    c.connect();
    Stream got;
    got.add(c.send(0, bytes(get(path))).outside);
    return got.reset ? "denied" : "allowed";
  };
  for (const std::string_view path :
       {"/admin", "/admin/", "/admin?x", "/admin/x", "/%61dmin", "//admin", "/./admin", "/x/../admin", "/admin;v=1",
        "/x;p/../admin", "/%2e%2e/admin", "/x/%2e%2e/admin", "/x/%252e%252e/admin", "/x/..%2fadmin", "/x/..\\admin",
        "/admin%2Fx", "/admin%3Fx", "http://httpbin.org/admin"})
    EXPECT_STREQ(verdict(path), "denied") << path;
  for (const std::string_view path : {"/", "/administrator", "/x/admin", "/Admin", "/a%20b", "/admi"})
    EXPECT_STREQ(verdict(path), "allowed") << path;
}

TEST(PipelineRequests, NotHttpShowsNoName) {
  Gateway g(get_only());
  Client c(g, client, server);
  c.connect();
  Stream got;
  got.add(c.send(0, bytes("SSH-2.0-OpenSSH_9.2\r\n")).outside);
  EXPECT_TRUE(got.reset);
  EXPECT_EQ(g.world.records.at(0).reason, Reason::no_name);
}

// Bodies pass in any order once their length is known; the head behind them does not.
TEST(PipelineRequests, BodiesPassOutOfOrder) {
  Gateway g(get_only());
  Client c(g, client, server);
  c.connect();
  const std::string head = "POST /get HTTP/1.1\r\nHost: httpbin.org\r\nContent-Length: 3000\r\n\r\n";
  const auto at = [&](std::size_t offset) { return static_cast<std::uint32_t>(head.size() + offset); };
  ASSERT_EQ(c.send(0, bytes(head)).outside.size(), 1U);
  EXPECT_EQ(c.send(at(1000), Frame(1000, 'b')).outside.size(), 1U);
  EXPECT_TRUE(c.send(at(2000), bytes(std::string(1000, 'c') + get("/get").substr(0, 10))).silent()) << "a head begins";
  EXPECT_EQ(c.send(at(0), Frame(1000, 'a')).outside.size(), 1U);
  EXPECT_EQ(c.send(at(3010), bytes(get("/get").substr(10))).outside.size(), 2U);
}

// A retransmission brings the bytes that were decided, or none.
TEST(PipelineRequests, RetransmissionWithOtherBytesIsDenied) {
  Gateway g(get_only());
  Client c(g, client, server);
  c.connect();
  const std::string good = get("/get/a");
  ASSERT_EQ(c.send(0, bytes(good)).outside.size(), 1U);
  ASSERT_EQ(c.send(0, bytes(good)).outside.size(), 1U) << "lost behind the gateway";
  EXPECT_EQ(c.send(0, bytes(good.substr(0, 8))).outside.size(), 1U) << "in another cut";
  EXPECT_EQ(c.send(5, bytes(good.substr(5, 20))).outside.size(), 1U);
  Stream got;
  got.add(c.send(0, bytes(get("/ip///"))).outside);
  EXPECT_EQ(got.bytes().find("/ip"), std::string::npos);
  EXPECT_TRUE(got.reset);
  EXPECT_EQ(g.world.records.at(0).reason, Reason::hello_conflict);
}

// Case 81: a head that is not finished in time.
TEST(PipelineRequests, Case81SlowSecondRequest) {
  Gateway g(get_only());
  Client c(g, client, server);
  c.connect();
  const std::string first = get("/get");
  ASSERT_EQ(c.send(0, bytes(first)).outside.size(), 1U);
  EXPECT_TRUE(c.send(static_cast<std::uint32_t>(first.size()), bytes("GET /g")).silent());
  const auto out = g.wait_ms(11'000);
  EXPECT_EQ(out.inside.size(), 1U);
  EXPECT_EQ(g.world.records.at(0).reason, Reason::hello_timeout);
}

TEST(PipelineRequests, HeadOverTheLimit) {
  Gateway g(get_only());
  Client c(g, client, server);
  c.connect();
  std::string head = "GET /get HTTP/1.1\r\nHost: httpbin.org\r\n";
  while (head.size() < 13'000) head += "X: " + std::string(100, 'x') + "\r\n";
  std::uint32_t at = 0;
  while (g.world.records.empty() && at < head.size()) {
    (void)c.send(at, bytes(head.substr(at, 1400)));
    at += 1400;
  }
  EXPECT_EQ(g.world.records.at(0).reason, Reason::hello_too_large);
}

// Another protocol only where the server agrees, and then as long as it is another one.
TEST(PipelineRequests, UpgradeAndItsRefusal) {
  const std::string upgrade =
      "GET /get HTTP/1.1\r\nHost: httpbin.org\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  const std::string agrees = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n";
  const std::string frame = "\x81\x85\x01\x02\x03\x04 in a frame";
  for (const auto& [answer, next, refused] :
       std::vector<std::tuple<std::string, std::string, bool>>{{agrees, frame, false},
                                                               {agrees, get("/ip"), true},
                                                               {agrees, get("/get"), false},
                                                               {"HTTP/1.1 200 OK\r\n\r\n", frame, true},
                                                               {"HTTP/1.1 200 OK\r\n\r\n", get("/ip"), true}}) {
    Gateway g(get_only());
    Client c(g, client, server);
    c.connect();
    ASSERT_EQ(c.send(0, bytes(upgrade)).outside.size(), 1U);
    ASSERT_EQ(c.server_sends(0, bytes(answer)).inside.size(), 1U);
    Stream got;
    got.add(c.send(static_cast<std::uint32_t>(upgrade.size()), bytes(next)).outside);
    EXPECT_EQ(got.reset, refused) << answer << next;
  }
  Gateway g(get_only());
  Client c(g, client, server);
  c.connect();
  Stream got;
  got.add(c.send(0, bytes(upgrade + get("/ip"))).outside);
  EXPECT_TRUE(got.reset) << "nothing may follow before the server has agreed";
}

// Case 81 of SYN payload: a whole request decides there and then; an unfinished one is cut off.
TEST(PipelineRequests, RequestInASyn) {
  for (const bool whole : {true, false}) {
    Gateway g(get_only());
    const std::string request = get("/get");
    const Frame payload = bytes(whole ? request : request.substr(0, 10));
    const auto out = g.from_inside(tcp(client, server, Tcp::syn, {.seq = 1000, .payload = payload}));
    ASSERT_EQ(out.outside.size(), 1U);
    EXPECT_EQ(look_at(out.outside[0]).payload().size(), whole ? request.size() : 0U);
  }
}

TEST(PipelineRequests, ReloadAsksTheNextRequestOfTheNewPolicy) {
  Gateway g(get_only());
  Client c(g, client, server);
  c.connect();
  const std::string first = get("/get");
  ASSERT_EQ(c.send(0, bytes(first)).outside.size(), 1U);
  std::string other = get_only();
  other.replace(other.find("\"/get\""), 6, "\"/other\"");
  g.reload(other);
  EXPECT_EQ(c.server_sends(0, bytes("HTTP/1.1 200 OK\r\n\r\n")).inside.size(), 1U) << "the answer under way";
  Stream got;
  got.add(c.send(static_cast<std::uint32_t>(first.size()), bytes(first)).outside);
  EXPECT_TRUE(got.reset);
}

// Random cuts, reorderings and repetitions: what the server gets is always a prefix of what was allowed.
TEST(PipelineRequests, RandomCutsNeverLetADeniedRequestThrough) {
  std::mt19937 random(7);
  const std::string all = get("/get/1") + post("/get", "Content-Length: 40\r\n", std::string(40, 'b')) +
                          post("/get", "Transfer-Encoding: chunked\r\n", "a\r\n0123456789\r\n0\r\n\r\n") + get("/ip");
  const std::size_t allowed = all.size() - get("/ip").size();
  for (int round = 0; round < 2000; ++round) {
    Gateway g(get_only());
    Client c(g, client, server);
    c.connect();
    std::vector<std::pair<std::size_t, std::size_t>> pieces;
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t size = std::min<std::size_t>(1 + random() % 90, all.size() - at);
      pieces.emplace_back(at, size);
      at += size;
    }
    for (int swaps = 0; swaps < 3; ++swaps)
      std::swap(pieces[random() % pieces.size()], pieces[random() % pieces.size()]);
    Stream got;
    // Twice: what was not taken the first time comes again.
    for (int turn = 0; turn < 8 && !got.reset; ++turn)
      for (const auto& [at, size] : pieces) {
        if (got.reset) break;
        got.add(c.send(static_cast<std::uint32_t>(at), bytes(all.substr(at, size))).outside);
      }
    ASSERT_LE(got.bytes().size(), allowed) << "round " << round;
    ASSERT_EQ(got.bytes().find("/ip"), std::string::npos);
    ASSERT_TRUE(got.reset) << "round " << round;
  }
}

}  // namespace
}  // namespace sallyport::dataplane::test
