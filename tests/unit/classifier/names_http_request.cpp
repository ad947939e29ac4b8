#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "classifier/names/http_request.h"

namespace sallyport::classifier::names {
namespace {

using namespace std::string_view_literals;
using Buffer = std::vector<std::uint8_t>;

struct Answer {
  Parse parse;
  std::string method = {};
  std::string target = {};
  std::string host = {};
  bool operator==(const Answer&) const = default;
};

void PrintTo(const Answer& answer, std::ostream* out) {
  *out << "parse " << static_cast<int>(answer.parse) << ' ' << answer.method << ' ' << answer.target << ' '
       << answer.host;
}

// A fresh copy in a block of its exact size, so that a sanitizer sees every read outside.
[[nodiscard]] Answer ask(std::string_view text, HttpProgress& progress) {
  const Buffer exact(text.begin(), text.end());
  HttpRequest request;
  const Parse parse = parse_http_request(exact, progress, request);
  EXPECT_TRUE(request.has_host || request.host.empty());
  return {parse, std::string(request.method), std::string(request.target), std::string(request.host)};
}

[[nodiscard]] Answer ask(std::string_view text) {
  HttpProgress progress;
  return ask(text, progress);
}

constexpr std::string_view plain =
    "GET /index.html?q=1 HTTP/1.1\r\nUser-Agent: curl/7.88\r\nHost: httpbin.org\r\nAccept: */*\r\n\r\n";
const Answer plain_answer{Parse::done, "GET", "/index.html?q=1", "httpbin.org"};

TEST(HttpRequest, ShowsMethodTargetAndHost) { EXPECT_EQ(ask(plain), plain_answer); }

TEST(HttpRequest, EveryPrefixIsUnfinishedAndEverySplitGivesTheRequest) {
  for (std::size_t cut = 0; cut < plain.size(); ++cut) {
    HttpProgress progress;
    ASSERT_EQ(ask(plain.substr(0, cut), progress), Answer{Parse::need_more}) << cut;
    ASSERT_EQ(ask(plain, progress), plain_answer) << cut;
  }
}

TEST(HttpRequest, ByteByByte) {
  HttpProgress progress;
  for (std::size_t end = 0; end < plain.size(); ++end) {
    ASSERT_EQ(ask(plain.substr(0, end), progress), Answer{Parse::need_more}) << end;
  }
  EXPECT_EQ(ask(plain, progress), plain_answer);
}

TEST(HttpRequest, HostAsSent) {
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nhOST:\t [::1]:8000 \t\r\n\r\n").host, "[::1]:8000");
  EXPECT_EQ(ask("CONNECT apache.org:443 HTTP/1.1\r\nHost:apache.org:443\r\n\r\n"),
            (Answer{Parse::done, "CONNECT", "apache.org:443", "apache.org:443"}));
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nHost:\r\n\r\n"), (Answer{Parse::done, "GET", "/", ""}));
}

TEST(HttpRequest, Case80NoHostOrTwo) {
  EXPECT_EQ(ask("GET / HTTP/1.0\r\n\r\n"), (Answer{Parse::done, "GET", "/", ""}));
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n"), Answer{Parse::malformed});
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nHost: a.example\r\nX-Host: b.example\r\nHostess: c\r\n\r\n").host, "a.example");
}

TEST(HttpRequest, LinesMayEndWithLfAlone) {
  EXPECT_EQ(ask("GET / HTTP/1.1\nHost: a.example\n\n"), (Answer{Parse::done, "GET", "/", "a.example"}));
}

TEST(HttpRequest, EmptyLinesBeforeTheRequest) {
  EXPECT_EQ(ask("\r\n\nGET / HTTP/1.1\r\nHost: a.example\r\n\r\n"), (Answer{Parse::done, "GET", "/", "a.example"}));
  EXPECT_EQ(ask("\r"), Answer{Parse::need_more});
  EXPECT_EQ(ask("\r\n"), Answer{Parse::need_more});
  EXPECT_EQ(ask("\rX"), Answer{Parse::not_this});
}

TEST(HttpRequest, BodyAndPipelinedRequestsAreNotLookedAt) {
  EXPECT_EQ(ask("PUT /1 HTTP/1.1\r\nHost: a.example\r\n\r\n\0\1\2GET /2 HTTP/1.1\r\n\r\n"sv),
            (Answer{Parse::done, "PUT", "/1", "a.example"}));
}

TEST(HttpRequest, OtherProtocolsAreNotThis) {
  for (const std::string_view text :
       {"\x16\x03\x01\x02\x00"sv, "\0"sv, " GET / HTTP/1.1\r\n"sv, "GET\t/"sv, "EHLO client.example\r\n"sv,
        "SSH-2.0-OpenSSH_9.2\r\n"sv, "GET /\r\n"sv, "OPTIONS rtsp://a.example/ RTSP/1.0\r\n"sv,
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"sv, "GET  / HTTP/1.1\r\n"sv, "GET / HTTP/1.1 \r\n"sv, "GET / HTTP/1.x\r\n"sv,
        "GET / HTTP/1.10\r\n"sv, "GET /\x01 HTTP/1.1\r\n"sv, "GET / http/1.1\r\n"sv,
        "AVERYLONGWORDTHATISNOMETHODOFHTTP"sv}) {
    EXPECT_EQ(ask(text), Answer{Parse::not_this}) << text;
  }
}

TEST(HttpRequest, BrokenFieldsAreMalformed) {
  for (const std::string_view field :
       {"Host : a.example"sv, " folded: line"sv, "\tfolded"sv, "no colon"sv, ": no name"sv, "NoColon"sv, "Host: a\0b"sv,
        "Host: a\rb"sv, "H\x80st: a"sv, "X: \x7f"sv}) {
    std::string text = "GET / HTTP/1.1\r\n";
    text += field;
    text += "\r\n";
    EXPECT_EQ(ask(text), Answer{Parse::malformed}) << field;
  }
}

TEST(HttpRequest, MutationsGiveOneAnswerHoweverTheyArrive) {
  std::mt19937 random(80);
  for (int round = 0; round < 20'000; ++round) {
    std::string text(plain);
    text[random() % text.size()] = static_cast<char>(random());
    HttpProgress progress;
    const std::size_t first = random() % text.size();
    const std::size_t second = first + random() % (text.size() - first);
    Answer answer = ask(text.substr(0, first), progress);
    if (answer.parse == Parse::need_more) answer = ask(text.substr(0, second), progress);
    if (answer.parse == Parse::need_more) answer = ask(text, progress);
    ASSERT_EQ(answer, ask(text)) << text;
  }
}

}  // namespace
}  // namespace sallyport::classifier::names
