// The message: what a hello says.
#include <algorithm>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "classifier/names/tls_client_hello.h"
#include "tests/unit/classifier/names_tls_asking.h"

namespace sallyport::classifier::names {
namespace {

TEST(TlsClientHello, ShowsTheNameInOneRecord) {
  EXPECT_EQ(ask(stream_of(browser_hello("httpbin.org", 32))), named("httpbin.org"));
}

TEST(TlsClientHello, Case88NameFirstOrLast) {
  EXPECT_EQ(ask(stream_of(browser_hello("first.example.com", 1216, false))), named("first.example.com"));
  EXPECT_EQ(ask(stream_of(browser_hello("last.example.com", 1216, true))), named("last.example.com"));
}

TEST(TlsClientHello, Case89ExtensionsInAnyOrder) {
  Hello hello = browser_hello("order.example.com", 40);
  hello.extensions.push_back(encrypted_client_hello());
  std::mt19937 random(89);
  for (int round = 0; round < 100; ++round) {
    std::shuffle(hello.extensions.begin(), hello.extensions.end(), random);
    ASSERT_EQ(ask(stream_of(hello)), named("order.example.com", true));
  }
}

TEST(TlsClientHello, RepeatedExtensionsOfOtherKindsHideNothing) {
  Hello hello = browser_hello("twice.example.com", 40);
  hello.extensions.push_back(key_share(40));
  EXPECT_EQ(ask(stream_of(hello)), named("twice.example.com"));
}

TEST(TlsClientHello, Case90NoName) {
  Hello hello = browser_hello("unused.example", 32);
  hello.extensions.erase(hello.extensions.begin());
  EXPECT_EQ(ask(stream_of(hello)), unnamed(Parse::done));
  hello.extensions.clear();
  EXPECT_EQ(ask(stream_of(hello)), unnamed(Parse::done));
  hello.with_extensions = false;
  EXPECT_EQ(ask(stream_of(hello)), unnamed(Parse::done));
}

TEST(TlsClientHello, Case91TwoServerNameExtensions) {
  Hello hello = browser_hello("one.example", 32);
  hello.extensions.push_back(server_name("two.example"));
  EXPECT_EQ(ask(stream_of(hello)), unnamed(Parse::malformed));
  hello.extensions.back() = server_name("one.example");
  EXPECT_EQ(ask(stream_of(hello)), unnamed(Parse::malformed));
}

TEST(TlsClientHello, Case91TwoEntriesInTheList) {
  Buffer entries = host_entry("one.example");
  append(entries, host_entry("two.example"));
  EXPECT_EQ(ask(stream_of(with_extension(0, vector(2, entries)))), unnamed(Parse::malformed));
  Buffer other_kind = host_entry("one.example");
  append(other_kind, host_entry("opaque", 1));
  EXPECT_EQ(ask(stream_of(with_extension(0, vector(2, other_kind)))), unnamed(Parse::malformed));
}

TEST(TlsClientHello, Case91NameTypeOtherThanHostName) {
  for (const unsigned name_type : {1u, 2u, 255u}) {
    EXPECT_EQ(ask(stream_of(with_extension(0, vector(2, host_entry("a.example", name_type))))),
              unnamed(Parse::malformed));
  }
}

TEST(TlsClientHello, Case91LengthsThatDoNotFit) {
  const Buffer right = vector(2, host_entry("a.example"));
  ASSERT_EQ(ask(stream_of(with_extension(0, right))), named("a.example"));
  for (const std::size_t at : {std::size_t{1}, std::size_t{4}}) {  // the list's length, the name's
    for (const int difference : {-9, -1, 1, 100}) {
      Buffer wrong = right;
      wrong[at] = static_cast<std::uint8_t>(wrong[at] + difference);
      EXPECT_EQ(ask(stream_of(with_extension(0, wrong))), unnamed(Parse::malformed)) << at << ' ' << difference;
    }
  }
  Buffer behind = right;
  behind.push_back(0);
  EXPECT_EQ(ask(stream_of(with_extension(0, behind))), unnamed(Parse::malformed));
  EXPECT_EQ(ask(stream_of(with_extension(0, {}))), unnamed(Parse::malformed));
  EXPECT_EQ(ask(stream_of(with_extension(0, {0, 0}))), unnamed(Parse::malformed));
  EXPECT_EQ(ask(stream_of(with_extension(0, vector(2, host_entry(""))))), unnamed(Parse::malformed));
}

TEST(TlsClientHello, NameIsGivenAsSent) {
  const std::string odd("A..b\0\xff .", 8);
  EXPECT_EQ(ask(stream_of(browser_hello(odd, 32))), named(odd));
  const std::string very_long(5000, 'x');
  EXPECT_EQ(ask(stream_of(browser_hello(very_long, 32))), named(very_long));
}

TEST(TlsClientHello, FieldsOutsideTheirBounds) {
  Hello hello = browser_hello("bounds.example.com", 32);
  hello.session_id.resize(33);
  EXPECT_EQ(ask(stream_of(hello)), unnamed(Parse::malformed));
  hello.session_id.clear();
  EXPECT_EQ(ask(stream_of(hello)), named("bounds.example.com"));
  hello.cipher_suites.push_back(0);
  EXPECT_EQ(ask(stream_of(hello)), unnamed(Parse::malformed));
  hello.cipher_suites.clear();
  EXPECT_EQ(ask(stream_of(hello)), unnamed(Parse::malformed));
  hello.cipher_suites = {0x13, 0x01};
  hello.compression_methods.clear();
  EXPECT_EQ(ask(stream_of(hello)), unnamed(Parse::malformed));
}

TEST(TlsClientHello, EveryShorterMessageIsMalformed) {
  Hello hello = browser_hello("short.example.com", 32, true);
  const Buffer body = hello.body();
  hello.with_extensions = false;
  const std::size_t without_extensions = hello.body().size();
  for (std::size_t length = 0; length < body.size(); ++length) {
    Buffer message{1};
    append(message, vector(3, std::span(body).first(length)));
    const Parse expected = length == without_extensions ? Parse::done : Parse::malformed;
    ASSERT_EQ(ask(record(message)), unnamed(expected)) << length;
  }
  Buffer longer{1};
  append(longer, vector(3, body));
  longer[3]++;
  longer.push_back(0);
  EXPECT_EQ(ask(record(longer)), unnamed(Parse::malformed));
}

TEST(ParseHandshake, MessageWithoutRecords) {
  const Buffer message = browser_hello("quic.example.com").message();
  ClientHello hello;
  for (std::size_t length = 0; length < message.size(); ++length) {
    const Buffer prefix(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(length));
    ASSERT_EQ(parse_handshake(prefix, hello), Parse::need_more);
  }
  ASSERT_EQ(parse_handshake(message, hello), Parse::done);
  EXPECT_EQ(hello.server_name, "quic.example.com");
  EXPECT_EQ(parse_handshake(Buffer{2}, hello), Parse::malformed);
  EXPECT_FALSE(hello.has_server_name);
}

}  // namespace
}  // namespace sallyport::classifier::names
