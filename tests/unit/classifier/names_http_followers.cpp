// Where requests begin and end, in HTTP/1.x and in HTTP/2: however the stream is cut, the answer is one.
#include <optional>
#include <random>

#include <gtest/gtest.h>

#include "classifier/names/http_answer.h"
#include "classifier/names/request_lines.h"
#include "tests/unit/classifier/names_followed.h"
#include "tests/unit/classifier/names_http2_builder.h"

namespace sallyport::classifier::names {
namespace {

using namespace std::string_literals;

// What the requests of a stream are, and how it ended; the same in any cut.
struct Answer {
  std::string requests, end;
};
Answer follow(const std::string& stream) {
  Followed whole;
  whole.feed(stream);
  Followed bytewise;
  for (const char byte : stream) bytewise.feed({&byte, 1});
  EXPECT_EQ(bytewise.requests(), whole.requests());
  EXPECT_EQ(bytewise.end(), whole.end());
  std::mt19937 random(static_cast<unsigned>(stream.size()));
  for (int round = 0; round < 20; ++round) {
    Followed cut;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = 1 + random() % 60;
      cut.feed(std::string_view(stream).substr(at, size));
      at += size;
    }
    EXPECT_TRUE(cut == whole) << cut.requests() << cut.end();
  }
  return {whole.requests(), whole.end()};
}

TEST(HttpFollowers, BodiesOfEitherKindAreNoRequests) {
  const Answer answer = follow(
      "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 18\r\n\r\nGET /x HTTP/1.1\r\n\r"
      "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "b;x=y\r\nGET /x HTTP\r\n0\r\nTrailer: x\r\n\r\n"
      "\r\nGET /c HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(answer.requests,
            "POST h /a Host=h Content-Length=18\nPOST h /b Host=h Transfer-Encoding=chunked\nGET h /c Host=h\n");
  EXPECT_EQ(answer.end, "");
}

TEST(HttpFollowers, MethodsThatTheParserDoesNotKnow) {
  for (const std::string method : {"QUERY", "VERSION-CONTROL", "M-SEARCH", "X_1"}) {
    const Answer answer = follow(method + " /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi");
    EXPECT_EQ(answer.requests, method + " h /a Host=h Content-Length=2\n");
    EXPECT_EQ(answer.end, "");
  }
  for (const std::string method : {"query", "Get", "9", "-X", "A.B"}) {
    EXPECT_EQ(follow(method + " /a HTTP/1.1\r\nHost: h\r\n\r\n").end, "malformed") << method;
    EXPECT_EQ(follow(preface_and_settings + headers(1, request(method, "/a", "h"))).end, "malformed") << method;
  }
}

TEST(HttpFollowers, WhatSomeServerMightTakeForARequestIsMalformed) {
  for (const std::string& stream :
       {" GET / HTTP/1.1\r\n\r\n"s, "\nGET / HTTP/1.1\r\n\r\n"s, "\rGET / HTTP/1.1\r\n\r\n"s,
        "GET\t/ HTTP/1.1\r\n\r\n"s, std::string(300, 'A') + " / HTTP/1.1\r\n\r\n", "G!T / HTTP/1.1\r\nHost: h\r\n\r\n"s,
        "\r\n\x16\x03\x01"s})
    EXPECT_EQ(follow(stream).end, "malformed") << stream;
  for (const std::string& stream : {"SSH-2.0-client\r\n"s, "\0\0\0\x08\x04\xd2\x16\x2f"s, "\x16\x03\x01"s, "QUIT\r\n"s})
    EXPECT_EQ(follow(stream).end, "not HTTP") << stream;
}

// Some servers skip NUL, and other protocols begin with it.
TEST(HttpFollowers, NulInFrontOfARequest) {
  for (const std::string& stream : {"\0GET / HTTP/1.1\r\n\r\n"s, "\0\0 \r\n\0QUERY /\r\n"s, "\0PRI * HTTP/2.0\r\n"s})
    EXPECT_EQ(follow(stream).end, "malformed") << stream;
  for (const std::string& stream : {"\0\0\0\x08\x04\xd2\x16\x2f"s, "\0\0\0GETTING"s, "\0\0\0\x29\0\3\0\0user"s})
    EXPECT_EQ(follow(stream).end, "not HTTP") << stream;
  EXPECT_EQ(follow("\0\0\0GE"s).end, "");
}

TEST(HttpFollowers, APortOfTheHostThatGoesWithoutSaying) {
  const auto head = [](const std::string& target, const std::string& host, const std::string& method = "GET") {
    return follow(method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  };
  EXPECT_EQ(head("h:443", "H", "CONNECT").requests, "CONNECT h:443  Host=H\n");
  EXPECT_EQ(head("[2001:db8::1]:443", "[2001:db8::1]", "CONNECT").end, "");
  EXPECT_EQ(head("http://h:80/a", "h").requests, "GET h:80 /a Host=h\n");
  EXPECT_EQ(head("http://h/a", "h:80").requests, "GET h /a Host=h:80\n");
  for (const auto& [target, host] :
       {std::pair{"http://h:80/", "h:81"}, {"http://h:80/", "g"}, {"http://h/", "g:80"}, {"http://h/", ""}})
    EXPECT_EQ(head(target, host).end, "malformed") << target << host;
}

// Netty passes over all controls, gunicorn takes marks for a method, Python parts words at more than blanks.
TEST(HttpFollowers, WhatComesInFrontOfAMethodOrBehindItToSomeServers) {
  for (const std::string& stream :
       {"\x01GET / HTTP/1.1\r\n\r\n"s, "\x16GET / HTTP/1.1\r\n\r\n"s, "\x7f\x1f QUERY / HTTP/1.1\r\n\r\n"s,
        "GET\xa0/ HTTP/1.1\r\n"s, "POST\x1f/ HTTP/1.1\r\n"s, "G@T / HTTP/1.1\r\n"s, "$$$$ /a HTTP/1.0\r\n\r\n"s,
        "A/B:C /x http/1.1\n"s})
    EXPECT_EQ(follow(stream).end, "malformed") << stream;
  for (const std::string& stream : {"\x01"s, "\x01\x02G"s, "$$"s, "G@"s, "G@T "s, "G@T / HT"s})
    EXPECT_EQ(follow(stream).end, "") << stream;
  for (const std::string& stream :
       {"\x05\x01\x00"s, "\x05\x02\x00\x02"s, "\x16\x03\x01\x02"s, "\x80\x0b\0\0"s, "\x01\x02gets"s, "8=FIX.4.2\x01"s,
        "*1\r\n"s, "<?xml"s, "G@T / x\n"s, "G@T \x01"s, "get\xa0/"s, "GE\xa0"s})
    EXPECT_EQ(follow(stream).end, "not HTTP") << stream;
}

TEST(HttpFollowers, TargetsAndHostsThatServersReadOtherwise) {
  const auto head = [](const std::string& target, const std::string& host = "h", const std::string& more = "") {
    return follow("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n" + more + "\r\n").end;
  };
  for (const std::string target :
       {"/a?%", "/a?b=%zz&%4", "/a%20?%", "https://h/a", "HTTPS://h:443/", "/\xc3\xa0", "/a\xe9\xa0"})
    EXPECT_EQ(head(target), "") << target;
  for (const std::string target : {"/a%?", "/a%4?1", "/%zz", "/a\xa0", "/a?\x85", "ftp://h/"})
    EXPECT_EQ(head(target), "malformed") << target;
  for (const std::string host : {"h:80", "h:", "[2001:db8::1]", "[::1]:80", "192.0.2.1:8080"})
    EXPECT_EQ(head("/", host), "") << host;
  for (const std::string host :
       {"h:x", "h:80x", "h:80:80", "h:+80", "x@h", "[::1", "::1", "[::1]80", "[::1]:x", "h,g", "h/"})
    EXPECT_EQ(head("/", host), "malformed") << host;
  for (const std::string name : {"Content_Length", "content_length", "Transfer_Encoding"}) {
    EXPECT_EQ(head("/", "h", name + ": 1\r\n"), "malformed") << name;
    const std::string small = name == "Transfer_Encoding" ? "transfer_encoding" : "content_length";
    auto fields = request("GET", "/a", "h");
    fields.push_back({small, "1"});
    EXPECT_EQ(follow(preface_and_settings + headers(1, fields)).end, "malformed") << small;
  }
}

// Of a protocol that a server agreed to: what it would read as a request if it had not.
TEST(HttpFollowers, RequestsInAnotherProtocol) {
  const auto look = [](const std::string& text) {
    return look_for_request({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, false);
  };
  using What = HttpStep::What;
  for (const char* begin : {"GET ", "CONNECT a:1", "PRI * HTTP/2.0", "PATCH /x", "PROPFIND /x", "QUERY "})
    EXPECT_EQ(look(begin).what, What::request) << begin;
  for (const char* begin : {"G", "POST", "OPTIONS", "P"}) EXPECT_EQ(look(begin).what, What::need_more) << begin;
  for (const std::string& begin : {"\x81\x85"s, "SSH-2.0"s, "GETS"s, "get /"s})
    EXPECT_EQ(look(begin).what, What::not_http) << begin;
  // What servers pass over in front of a request.
  for (const std::string& begin : {"\0"s, " GET /"s, "\tGET /"s, "\rGET"s}) {
    EXPECT_EQ(look(begin).what, What::framing) << begin;
    EXPECT_EQ(look(begin).bytes, 1U) << begin;
  }
  EXPECT_EQ(look("\r\n\nGET /").what, What::framing);
  EXPECT_EQ(look("\r\n\nGET /").bytes, 3U);
}

// Behind CONNECT, where no user waits for each byte: of any method.
TEST(HttpFollowers, RequestsOfAnyMethodInATunnel) {
  const auto look = [](const std::string& text) {
    return look_for_request({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, true).what;
  };
  using What = HttpStep::What;
  for (const char* begin : {"GET ", "PROPFIND /x HTTP/1.1\r\n", "propfind /x HTTP/1.0", "X / HTTP/"})
    EXPECT_EQ(look(begin), What::request) << begin;
  for (const std::string& begin : {"S"s, "SSH-2.0-x"s, "XFIND /x HTT"s, "a b c"s, "XFIND /" + std::string(2000, 'a')})
    EXPECT_EQ(look(begin), What::need_more) << begin;
  // What some servers pass over, or take for a blank.
  for (const std::string& begin :
       {" X / HTTP/1.1"s, "\tGET / HTTP/1.1"s, "\v\fX / HTTP/1.1"s, "\0GET / HTTP/1.1"s, "GET\t/"s, "X\t/\tHTTP/1.1"s})
    EXPECT_EQ(look(begin), What::malformed) << begin;
  // HTTP/0.9, of whatever method.
  for (const std::string& begin : {"X /\r\n"s, "get /x\n"s, "\0GET /x\r\n"s, "X http://h/ \r\n"s})
    EXPECT_EQ(look(begin), What::malformed) << begin;
  for (const std::string& begin : {"SSH-2.0-x y\r\n"s, "\x16\x03\x01"s, "{"s, "PING\r\n"s, "a\0b"s, "EHLO h\r\n"s,
                                   "NICK a\r\n"s, "say / x\r\n"s, std::string(2000, 'a') + "\n"})
    EXPECT_EQ(look(begin), What::not_http) << begin;
}

// An agreement names the protocol.
TEST(HttpAnswer, WhatAgreesToAnotherProtocol) {
  const auto names_protocol = [](const std::string& text) {
    HttpAnswer answer;
    for (const char byte : text) {
      const auto value = static_cast<std::uint8_t>(byte);
      (void)answer.take({&value, 1});
    }
    EXPECT_TRUE(answer.complete()) << text;
    return answer.names_protocol();
  };
  EXPECT_TRUE(names_protocol("HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"));
  EXPECT_TRUE(names_protocol("HTTP/1.1 101 x\r\nupgrade:tcp\r\n\r\n"));
  EXPECT_FALSE(names_protocol("HTTP/1.1 101 x\r\n\r\n"));
  EXPECT_FALSE(names_protocol("HTTP/1.1 101 x\r\nUpgrade: \r\n\r\n"));
  EXPECT_FALSE(names_protocol("HTTP/1.1 101 x\r\nX: Upgrade: websocket\r\n\r\n"));
  EXPECT_FALSE(names_protocol("HTTP/1.1 103 x\r\nUpgrade: websocket\r\n\r\nHTTP/1.1 101 x\r\n\r\n"));
}

// How much of these bytes is of an answer's body, in whatever pieces they come; nothing: readers may differ.
std::optional<std::size_t> body_of(const std::string& text, std::size_t piece) {
  HttpAnswer answer;
  AnswerChunks chunks;
  std::uint64_t data = 0;
  std::size_t body = 0;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    std::span rest(reinterpret_cast<const std::uint8_t*>(text.data()) + at, std::min(piece, text.size() - at));
    if (!answer.complete()) {
      rest = rest.subspan(answer.take(rest));
      if (!answer.complete()) continue;
      if (!answer.is_chunked()) return answer.body_bytes();
      chunks.begin();
    }
    while (!rest.empty() && (data != 0 || chunks.open())) {
      std::size_t taken = std::min<std::size_t>(data, rest.size());
      data -= taken;
      if (taken == 0) taken = chunks.take(rest, data);
      body += taken;
      rest = rest.subspan(taken);
    }
  }
  if (chunks.broken() || chunks.open()) return std::nullopt;
  return body;
}

TEST(HttpAnswer, WhereABodyEnds) {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t piece = 1; piece < 120; ++piece) {
    EXPECT_EQ(body_of(chunked + "5\r\nhello\r\n0\r\n\r\nHTTP/1.1 101 x", piece), 15U);
    EXPECT_EQ(body_of(chunked + "00A ;x=\"y\"\r\n0\r\n\r\n4567\xff\r\n0\r\nX: y\r\nZ:\r\n\r\n", piece), 39U);
    for (const std::string& body :
         {"\r\n"s, "x\r\n"s, "5\nhello\r\n0\r\n\r\n"s, "5\r\nhello0\r\n\r\n"s, "5\r\nhello\n0\r\n\r\n"s, "5\rx"s,
          "-1\r\n"s, "0x5\r\nhello"s, "5;\nhello\r\n0\r\n\r\n"s, "1234567890123456\r\n"s, "0\r\nX\n\r\n"s, "0\r\n\n"s,
          "0\r\n"s, "HTTP/1.1 101 x\r\n"s})
      EXPECT_EQ(body_of(chunked + body, piece), std::nullopt) << body;
  }
  const auto with = [](const std::string& fields, const std::string& status = "HTTP/1.1 200") {
    return body_of(status + " x\r\n" + fields + "\r\n0\r\n\r\n", 1000);
  };
  EXPECT_EQ(with("transfer-encoding:CHUNKED\r\n"), 5U);
  EXPECT_EQ(with("Transfer-Encoding: chunked\r\n", "HTTP/1.1 304"), 0U);
  for (const char* fields :
       {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encodings: chunked\r\n",
        "Transfer-Encoding: chunked                                                 , gzip\r\n"})
    EXPECT_EQ(with(fields), std::nullopt) << fields;
  EXPECT_EQ(with("Transfer-Encoding: chunked\r\n", "HTTP/1.0 200"), std::nullopt);
}

TEST(HttpFollowers, LinesThatHttp1WouldTakeForRequests) {
  // Where in the second part; nothing: there is none in it.
  const auto shows = [](const std::string& text, std::size_t cut) {
    RequestLines lines;
    const auto watch = [&](std::string_view part) {
      return lines.watch({reinterpret_cast<const std::uint8_t*>(part.data()), part.size()});
    };
    const auto first = watch(std::string_view(text).substr(0, cut));
    return first ? first : watch(std::string_view(text).substr(cut));
  };
  for (const char* method : {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}) {
    const std::string text = "a body\r\n" + std::string(method) + " /ip\r\n";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) EXPECT_TRUE(shows(text, cut).has_value()) << method << cut;
    EXPECT_EQ(shows(text, 0), 7U) << "at the line feed in front of it";
    EXPECT_EQ(shows(text, 10), 0U) << "in the part before";
  }
  EXPECT_EQ(shows("a body\nPROPFIND /ip HTTP/1.1\r\n", 0), 19U) << "in front of its version";
  for (const char* loosely : {"\nget /", "\nGet\t/", "\npost\v/", "\nX /\thttp/1.1", "\rX / Http/1.0"})
    EXPECT_TRUE(shows(loosely, 3).has_value()) << loosely;
  for (const std::string& text :
       {"GET / in its first line"s, "\nGETS "s, "\n GET "s, "\ngets "s, "\nx HTTP/2.0"s, std::string(http2_preface)})
    EXPECT_FALSE(shows(text, 3).has_value()) << text;
}

TEST(HttpFollowers, Http2RequestsOfManyStreams) {
  const Answer answer =
      follow(preface_and_settings + frame(8, 0, 0, "\0\1\0\0"s) + headers(1, request("GET", "/a", "h")) +
             headers(3, request("POST", "/b", "h"), end_headers_flag) + frame(0, 0, 3, std::string(20000, 'x')) +
             headers(5, request("GET", "/c", "h")) + frame(0, end_stream_flag, 3, "GET /x HTTP/1.1\r\n\r\n") +
             frame(6, 0, 0, "12345678") + frame(0x10, 0, 0, "u=1"));
  EXPECT_EQ(answer.requests, "HTTP/2\nGET h /a\nPOST h /b\nGET h /c\n");
  EXPECT_EQ(answer.end, "");
}

// RFC 8441.
TEST(HttpFollowers, Http2ConnectToAProtocol) {
  const Answer answer = follow(preface_and_settings +
                               headers(1, {{":method", "CONNECT"},
                                           {":protocol", "websocket"},
                                           {":scheme", "http"},
                                           {":path", "/a"},
                                           {":authority", "h"}}) +
                               headers(3, {{":method", "CONNECT"}, {":authority", "h:443"}}));
  EXPECT_EQ(answer.requests, "HTTP/2\nCONNECT h /a\nCONNECT h:443 \n");
  EXPECT_EQ(answer.end, "");
}

TEST(HttpFollowers, Http2BlocksInPiecesWithPaddingAndPriority) {
  const std::string fields = block(request("GET", "/a", "h"));
  const std::string padded = "\x03" + std::string("\0\0\0\0\x10", 5) + fields.substr(0, 9) + std::string(3, '\0');
  const Answer answer =
      follow(preface_and_settings + frame(1, 1 | 8 | 32, 1, padded) + frame(9, 0, 1, fields.substr(9, 5)) +
             frame(9, 0, 1, "") + frame(9, 4, 1, fields.substr(14)));
  EXPECT_EQ(answer.requests, "HTTP/2\nGET h /a\n");
  EXPECT_EQ(answer.end, "");
}

TEST(HttpFollowers, Http2TheDynamicTableIsKeptInStep) {
  // :path is in the table from the first stream on, as the latest but one entry, then as the one before.
  const std::string first = block(request("GET", "/secret", "h"), true);
  const std::string again = block({{":method", "GET"}, {":scheme", "http"}, {":authority", "h"}}) + number(0x80, 7, 63);
  const Answer answer =
      follow(preface_and_settings + frame(1, 5, 1, first) + headers(1, {{"x", "trailer"}}) + frame(1, 5, 3, again));
  EXPECT_EQ(answer.requests, "HTTP/2\nGET h /secret\nGET h /secret\n");
  EXPECT_EQ(answer.end, "");
}

TEST(HttpFollowers, Http2TrailersAreNoRequest) {
  const std::string begun = preface_and_settings + headers(1, request("POST", "/a", "h"), end_headers_flag);
  EXPECT_EQ(follow(begun + headers(1, {{"grpc-status", "0"}})).end, "");
  EXPECT_EQ(follow(begun + headers(1, request("GET", "/x", "h"))).end, "malformed");
  EXPECT_EQ(follow(begun + headers(1, {{"x", "y"}}, end_headers_flag)).end, "malformed") << "they end their stream";
}

TEST(HttpFollowers, Http2MalformedRequests) {
  const auto with = [](Field more) {
    auto fields = request("GET", "/a", "h");
    fields.push_back(std::move(more));
    return headers(1, fields);
  };
  const std::vector<std::string> wrong{
      with({":method", "POST"}),
      with({":protocol", "websocket"}),
      headers(1, {{":method", "CONNECT"}, {":scheme", "http"}, {":path", "/a"}, {":authority", "h"}}),
      headers(1, {{":method", "CONNECT"}, {":protocol", "websocket"}, {":authority", "h"}}),
      headers(1, {{":method", "CONNECT"},
                  {":protocol", "web socket"},
                  {":scheme", "http"},
                  {":path", "/a"},
                  {":authority", "h"}}),
      with({"Upper", "x"}),
      with({"connection", "close"}),
      with({"transfer-encoding", "chunked"}),
      with({"upgrade", "x"}),
      with({"te", "gzip"}),
      with({"host", "other"}),
      with({"x", "a\r\nGET /x HTTP/1.1"}),
      with({"x", "a\0b"s}),
      with({"x", " a"}),
      with({"x y", "a"}),
      headers(1, {{":method", "GET"}, {":scheme", "http"}, {":authority", "h"}}),
      headers(1, {{":method", "GET"}, {":path", "/"}, {":authority", "h"}}),
      headers(1, {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}}),
      headers(1, {{":method", "GET"}, {"x", "y"}, {":scheme", "http"}, {":path", "/"}, {":authority", "h"}}),
      headers(1, request("GET", "a", "h")),
      headers(1, request("GET", "/%zz", "h")),
      headers(1, request("GET", "/a b", "h")),
      headers(1, request("GET", "", "h")),
      headers(1, request("GET", "/a", "u@h")),
      headers(1, request("CONNECT", "/a", "h")),
      headers(2, request("GET", "/a", "h")),
      headers(0, request("GET", "/a", "h")),
      frame(1, 5, 1, "\xff\xff\xff\xff\xff\xff"),                               // no such entry
      frame(1, 5, 1, number(0x20, 5, 8192) + block(request("GET", "/", "h"))),  // a table larger than was offered
      frame(1, 5 | 8, 1, "\xff"),                                               // padding past the end
      frame(1, 1, 1, "") + frame(9, 4, 3, ""),                                  // CONTINUATION of another stream
      frame(1, 1, 1, "") + frame(0, 0, 1, ""),
      frame(9, 4, 1, ""),
      frame(5, 4, 1, ""),
      frame(0, 0, 0, "x"),
      frame(4, 0, 0, "12345"),
      frame(6, 0, 0, "1"),
  };
  for (const std::string& stream : wrong) EXPECT_EQ(follow(preface_and_settings + stream).end, "malformed") << stream;
  EXPECT_EQ(follow("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + headers(1, request("GET", "/a", "h"))).end, "malformed");
  EXPECT_EQ(follow("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n").end, "malformed");
  EXPECT_EQ(follow("GET / HTTP/1.1\r\nHost: h\r\n\r\n" + preface_and_settings).end, "malformed");
}

// Whoever sends as many CONTINUATIONs as he likes is not waited for.
TEST(HttpFollowers, Http2ContinuationsWithoutEnd) {
  std::string stream = preface_and_settings + frame(1, 1, 1, "");
  for (int i = 0; i < 40; ++i) stream += frame(9, 0, 1, "");
  EXPECT_EQ(follow(stream).end, "malformed");
}

// A few bytes that stand for many.
TEST(HttpFollowers, Http2BlocksThatGrow) {
  const std::string entry = "\x40"s + string_literal("x") + string_literal(std::string(3000, 'y'));
  const std::string bomb = block(request("GET", "/a", "h")) + entry + std::string(200, '\xbe');
  EXPECT_EQ(follow(preface_and_settings + frame(1, 5, 1, bomb)).end, "too large");
}

TEST(HttpFollowers, Http2WhereNoMemoryIsLeft) {
  const auto memory = make_hpack_memory(4096);
  std::vector<Inflater*> inflaters;
  while (Inflater* made = begin_inflater(*memory)) inflaters.push_back(made);
  ASSERT_FALSE(inflaters.empty());
  EXPECT_LT(inflaters.size(), 10U);
  for (Inflater* each : inflaters) end_inflater(each);
  Inflater* again = begin_inflater(*memory);
  EXPECT_NE(again, nullptr);
  end_inflater(again);
}

}  // namespace
}  // namespace sallyport::classifier::names
