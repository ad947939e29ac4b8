// What stands before TLS passes, and nothing else does (corner cases 82, 83, 106 and 107).
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/classifier/names_hello_builder.h"
#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane::test {
namespace {

using namespace std::string_literals;
using classifier::Reason;

const End client{"10.0.10.5", 41000};
const End server{"198.51.100.7", 443};

Frame bytes(std::string_view text) { return {text.begin(), text.end()}; }
Frame hello(std::string_view name) {
  return classifier::names::records(classifier::names::browser_hello(name).message(), 16384);
}

struct Line {
  bool from_client;
  std::string text;
};
using Lines = std::vector<Line>;
Line c(std::string text) { return {true, std::move(text)}; }
Line s(std::string text) { return {false, std::move(text)}; }

// A connection on which lines are said in turn.
class Dialogue {
 public:
  explicit Dialogue(const char* policy) : gateway(policy), client_(gateway, client, server) { client_.connect(); }

  Gateway::Out say(const Line& line) {
    const Frame payload = bytes(line.text);
    const auto out = line.from_client ? client_.send(said_, payload)
                                      : client_.server_sends(answered_, payload, wire::Tcp::ack, said_);
    (line.from_client ? said_ : answered_) += static_cast<std::uint32_t>(payload.size());
    return out;
  }
  // Each line has to leave on the other side as it came.
  void pass(const Lines& lines) {
    for (const Line& line : lines) {
      const auto out = say(line);
      const auto& side = line.from_client ? out.outside : out.inside;
      ASSERT_EQ(side.size(), 1U) << line.text;
      EXPECT_EQ(look_at(side[0]).payload_text(), line.text);
      EXPECT_TRUE((line.from_client ? out.inside : out.outside).empty()) << line.text;
    }
  }
  // The line ends the flow: nothing of it leaves, both sides are reset.
  void refused(const Line& line, Reason reason) {
    const auto out = say(line);
    ASSERT_EQ(out.outside.size(), 1U) << line.text;
    EXPECT_EQ(look_at(out.outside[0]).tcp().flags & wire::Tcp::rst, wire::Tcp::rst);
    EXPECT_EQ(look_at(out.outside[0]).parsed.payload_bytes, 0U);
    ASSERT_EQ(gateway.world.records.size(), 1U);
    EXPECT_EQ(gateway.world.records[0].reason, reason) << line.text;
  }

  Gateway gateway;

 private:
  Client client_;
  std::uint32_t said_ = 0, answered_ = 0;
};

Line tls(std::string_view name) {
  const Frame h = hello(name);
  return c({h.begin(), h.end()});
}

const std::string start_tls_request =
    "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
    "1.3.6.1.4.1.1466.20037"s;
const std::string mysql_greeting = "\x4a\0\0\0\x0a"s + "8.0.36\0"s + std::string(67, 'x');
const std::string mysql_request = "\x20\0\0\x01\x05\xae\x0f\0"s + std::string(28, '\0');

const std::vector<Lines> upgrades = {
    // SMTP
    {s("220-mail.example.com\r\n220 ESMTP\r\n"), c("EHLO pod.example\r\n"), s("250-mail\r\n250 STARTTLS\r\n"),
     c("STARTTLS\r\n"), s("220 go ahead\r\n")},
    // in pieces, pipelined, refused once
    {s("22"), s("0 mail\r\n"), c("EHLO pod\r\nNOOP\r\nSTARTTLS\r\n"), s("250 mail\r\n250 ok\r\n4"), s("54 not now\r\n"),
     c("starttls\r\n"), s("220 now\r\n")},
    // FTP
    {s("220 ftp\r\n"), c("FEAT\r\n"), s("211-Features:\r\n AUTH TLS\r\n211 End\r\n"), c("AUTH TLS\r\n"),
     s("234 ok\r\n")},
    // IMAP
    {s("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n"), c("a1 CAPABILITY\r\n"),
     s("* CAPABILITY IMAP4rev1\r\na1 OK\r\n"), c("a2 STARTTLS\r\n"), s("a2 OK begin\r\n")},
    // POP3
    {s("+OK ready\r\n"), c("CAPA\r\n"), s("+OK list\r\nSTLS\r\n.\r\n"), c("STLS\r\n"), s("+OK begin\r\n")},
    // XMPP
    {c("<?xml version='1.0'?><stream:stream to='example.com' a='>' xmlns='jabber:client'>"),
     s("<?xml version='1.0'?><stream:stream id='1'><stream:features><starttls/></stream:features>"),
     c("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"), s("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")},
    // LDAP
    {c(start_tls_request), s("\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"s)},
    // PostgreSQL, which refuses GSS first
    {c("\0\0\0\x08\x04\xd2\x16\x30"s), s("N"), c("\0\0\0\x08\x04\xd2\x16\x2f"s), s("S")},
    // MySQL
    {s(mysql_greeting), c(mysql_request)},
    // SOCKS 4, 4a to an allowed name, 5 with a password, to an address
    {c("\x04\x01\x01\xbb\x01\x02\x03\x04me\0"s), s("\0\x5a\0\0\0\0\0\0"s)},
    {c("\x04\x01\x01\xbb\0\0\0\x01me\0httpbin.org\0"s), s("\0\x5a\0\0\0\0\0\0"s)},
    {c("\x05\x02\0\x02"s), s("\x05\x02"), c("\x01\x02me\x03key"), s("\x01\0"s),
     c("\x05\x01\0\x01\x01\x02\x03\x04\x01\xbb"s), s("\x05\0\0\x01\0\0\0\0\0\0"s)},
    // HTTP CONNECT, after a refusal
    {c("CONNECT httpbin.org:443 HTTP/1.1\r\nHost: httpbin.org:443\r\n\r\n"),
     s("HTTP/1.1 407 who?\r\nContent-Length: 2\r\n\r\nno"),
     c("CONNECT httpbin.org:443 HTTP/1.1\r\nProxy-Authorization: x\r\n\r\n"), s("HTTP/1.1 200 ok\r\n\r\n")},
    // a mail server behind a tunnel
    {c("CONNECT 192.0.2.1:25 HTTP/1.1\r\n\r\n"), s("HTTP/1.0 200 ok\r\nX: y\r\n\r\n220 mail\r\n"), c("STARTTLS\r\n"),
     s("220 go\r\n")},
};

TEST(PipelineUpgrades, Case83TheHelloBehindAnUpgradeDecides) {
  for (const Lines& lines : upgrades) {
    SCOPED_TRACE(lines.back().text);
    {
      Dialogue d(httpbin_only);
      d.pass(lines);
      d.pass({tls("httpbin.org"), s("server hello")});
    }
    Dialogue d(httpbin_only);
    d.pass(lines);
    d.refused(tls("evil.org"), Reason::name_not_allowed);
  }
}

TEST(PipelineUpgrades, Case83ARequestAndAHelloInOneSegment) {
  for (const bool good : {true, false}) {
    Dialogue d(httpbin_only);
    d.pass({s(mysql_greeting)});
    const Line both = c(mysql_request + tls(good ? "httpbin.org" : "evil.org").text);
    if (good) {
      d.pass({both});
    } else {
      d.refused(both, Reason::name_not_allowed);
    }
  }
}

// Before the upgrade, between asking and being answered, and after a refusal: only what belongs there.
TEST(PipelineUpgrades, Case82ApplicationDataShowsNoName) {
  const std::vector<std::pair<Lines, Line>> tries = {
      {{s("220 mail\r\n"), c("EHLO x\r\n"), s("250 mail\r\n")}, c("MAIL FROM:<a@b>\r\n")},
      {{s("220 mail\r\n")}, c("EHLO x\nMAIL FROM:<a@b>\r\n")},
      {{s("220 mail\r\n"), c("EHLO x\r\n"), s("250 mail\r\n")}, c("STARTTLS\r\nMAIL FROM:<a@b>\r\n")},
      {{s("220 mail\r\n"), c("STARTTLS\r\n")}, c("MAIL FROM:<a@b>\r\n")},
      {{s("220 mail\r\n"), c("STARTTLS\r\n")}, tls("httpbin.org")},
      {{s("220 mail\r\n")}, tls("httpbin.org")},
      {{s("220 mail\r\n"), c("EHLO x\r\n"), s("250-mail\r\n250 STARTTLS\r\n")}, tls("httpbin.org")},
      {{s("220 mail\r\n"), c("STARTTLS\r\n"), s("454 no\r\n")}, tls("httpbin.org")},
      {{s("22")}, tls("httpbin.org")},
      {{s(mysql_greeting)}, tls("httpbin.org")},
      {{c("\0\0\0\x08\x04\xd2\x16\x2f"s), s("N")}, tls("httpbin.org")},
      {{s("220 mail\r\n"), c("STARTTLS\r\n"), s("454 no\r\n")}, c("AUTH PLAIN AG1lAGtleQ==\r\n")},
      {{s("220 mail\r\n"), c("STARTTLS\r\n"), s("220 yes\r\n")}, c("MAIL FROM:<a@b>\r\n")},
      {{s("* OK ready\r\n")}, c("a1 LOGIN me key\r\n")},
      {{s("* OK ready\r\n")}, c("a1 ID {5}\r\n")},
      {{s("+OK ready\r\n")}, c("USER me\r\n")},
      {{}, c("<message>hello</message>")},
      {{}, c("\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0"s)},
      {{}, c("\0\0\0\x29\0\x03\0\0user\0me\0"s)},
      {{c("\0\0\0\x08\x04\xd2\x16\x2f"s), s("N")}, c("\0\0\0\x29\0\x03\0\0user\0me\0"s)},
      {{s(mysql_greeting)}, c("\x20\0\0\x01\x05\xa6\x0f\0"s + std::string(28, '\0'))},
      {{}, c("\x04\x02\x01\xbb\x01\x02\x03\x04\0"s)},
      {{c("\x05\x01\0"s), s("\x05\xff")}, c("\x05\x01\0\x01\x01\x02\x03\x04\x01\xbb"s)},
      {{c("\x04\x01\x01\xbb\x01\x02\x03\x04\0"s), s("\0\x5a\0\0\0\0\0\0"s)}, c("GET / HTTP/1.1\r\n\r\n")},
      {{}, c("GET http://httpbin.org/ HTTP/1.1\r\nHost: httpbin.org\r\n\r\n")},
      {{c("CONNECT httpbin.org:443 HTTP/1.1\r\n\r\n"), s("HTTP/1.1 403 no\r\n\r\n")}, c("GET / HTTP/1.1\r\n\r\n")},
  };
  for (const auto& [lines, line] : tries) {
    Dialogue d(httpbin_only);
    d.pass(lines);
    d.refused(line, Reason::no_name);
  }
}

TEST(PipelineUpgrades, Case107ATunnelIsJudgedByItsTarget) {
  for (const std::string& request :
       {"CONNECT evil.org:443 HTTP/1.1\r\n\r\n"s, "\x04\x01\x01\xbb\0\0\0\x01\0evil.org\0"s}) {
    Dialogue d(httpbin_only);
    d.refused(c(request), Reason::name_not_allowed);
  }
  Dialogue socks(httpbin_only);
  socks.pass({c("\x05\x01\0"s), s("\x05\0"s)});
  socks.refused(c("\x05\x01\0\x03\x08"s + "evil.org\x01\xbb"s), Reason::name_not_allowed);
  EXPECT_EQ(socks.gateway.world.records[0].server_name(), "evil.org");
  EXPECT_EQ(socks.gateway.world.records[0].app, AppProtocol::socks);
}

TEST(PipelineUpgrades, Case107WhatIsInsideCountsToo) {
  const Lines tunnel = {c("CONNECT httpbin.org:443 HTTP/1.1\r\n\r\n"), s("HTTP/1.1 200 ok\r\n\r\n")};
  {
    Dialogue d(httpbin_only);
    d.pass(tunnel);
    d.refused(tls("evil.org"), Reason::name_not_allowed);
  }
  {
    Dialogue d(httpbin_only);
    d.pass(tunnel);
    d.pass({c("no TLS inside of an allowed tunnel"), s("then")});
  }
  Dialogue d(httpbin_only);
  d.refused(c("CONNECT httpbin.org:443 HTTP/1.1\r\nHost: evil.org\r\n\r\n"), Reason::hello_malformed);
}

// Arguments of commands to a server that only pretends to greet.
TEST(PipelineUpgrades, Case82AConversationInCommandsEnds) {
  Dialogue d(httpbin_only);
  d.pass({s("220 mail\r\n")});
  const Lines once = {c("EHLO " + std::string(500, 'x') + "\r\n"), s("250 and what else?\r\n")};
  for (int round = 0; round < 24; ++round) d.pass(once);
  d.refused(once[0], Reason::no_name);
}

// A request in pieces waits until it is whole.
TEST(PipelineUpgrades, UnitsInPiecesAreHeld) {
  Dialogue d(httpbin_only);
  d.pass({s("220 mail\r\n")});
  EXPECT_TRUE(d.say(c("EHLO p")).silent());
  EXPECT_TRUE(d.say(c("od\r")).silent());
  EXPECT_EQ(d.say(c("\n")).outside.size(), 3U);
  d.pass({s("250 mail\r\n"), c("STARTTLS\r\n"), s("220 go\r\n"), tls("httpbin.org")});
}

// What asks for TLS has a deadline also where nothing waits.
TEST(PipelineUpgrades, Case81ADialogueThatLeadsNowhereIsDenied) {
  Dialogue d(httpbin_only);
  d.pass({s("220 mail\r\n"), c("EHLO pod\r\n"), s("250 mail\r\n")});
  EXPECT_TRUE(d.gateway.wait_ms(11'000).silent());
  ASSERT_EQ(d.gateway.world.records.size(), 1U);
  EXPECT_EQ(d.gateway.world.records[0].reason, Reason::hello_timeout);
}

TEST(PipelineUpgrades, NamesBehindUpgradesAreReportedThoughNoRuleAsks) {
  for (const Lines& lines : upgrades) {
    SCOPED_TRACE(lines.back().text);
    Dialogue d(allow_all);
    d.pass(lines);
    d.pass({tls("blog.example.net")});
    d.gateway.pipeline.finish(d.gateway.now, d.gateway.snapshot);
    ASSERT_EQ(d.gateway.world.records.size(), 1U);
    EXPECT_EQ(d.gateway.world.records[0].server_name(), "blog.example.net");
    EXPECT_EQ(d.gateway.world.records[0].app, AppProtocol::tls);
  }
}

// Case 139: what was allowed by the target's name still is, whatever is said inside.
TEST(PipelineUpgrades, TunnelsOutliveAReloadThatAllowsTheirTarget) {
  const std::string socks_target = "\x04\x01\x01\xbb\0\0\0\x01\0httpbin.org\0"s;
  for (const Lines& lines : {Lines{c("CONNECT httpbin.org:443 HTTP/1.1\r\n\r\n"), s("HTTP/1.1 200 ok\r\n\r\n")},
                             Lines{c(socks_target), s("\0\x5a\0\0\0\0\0\0"s)}}) {
    Dialogue d(httpbin_only);
    d.pass(lines);
    d.pass({c("SSH-2.0-client\r\n"), s("SSH-2.0-server\r\n")});
    d.gateway.reload(httpbin_only);
    d.pass({c("key exchange"), s("key exchange")});
    d.gateway.reload(deny_all);
    d.refused(c("more"), Reason::policy_removed);
  }
}

}  // namespace
}  // namespace sallyport::dataplane::test
