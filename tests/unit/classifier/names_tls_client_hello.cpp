#include <array>
#include <optional>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "classifier/names/tls_client_hello.h"
#include "tests/unit/classifier/names_hello_builder.h"

namespace sallyport::classifier::names {
namespace {

struct Answer {
  Parse parse;
  std::optional<std::string> name;
  bool ech;
  bool operator==(const Answer&) const = default;
};

void PrintTo(const Answer& answer, std::ostream* out) {
  *out << "parse " << static_cast<int>(answer.parse) << " name " << answer.name.value_or("(none)") << " ech "
       << answer.ech;
}

constexpr std::size_t hello_bytes_max = 20'000;

// A fresh copy in a block of its exact size, so that a sanitizer sees every read outside.
[[nodiscard]] Answer ask(std::span<const std::uint8_t> stream, TlsProgress& progress) {
  const Buffer exact(stream.begin(), stream.end());
  Buffer scratch(hello_bytes_max);
  ClientHello hello;
  const Parse parse = parse_client_hello(exact, progress, scratch, hello);
  std::optional<std::string> name;
  if (hello.has_server_name) name.emplace(hello.server_name);
  return {parse, name, hello.ech};
}

[[nodiscard]] Answer ask(std::span<const std::uint8_t> stream) {
  TlsProgress progress;
  return ask(stream, progress);
}

[[nodiscard]] Answer named(std::string name, bool ech = false) { return {Parse::done, std::move(name), ech}; }
[[nodiscard]] Answer unnamed(Parse parse) { return {parse, std::nullopt, false}; }

[[nodiscard]] Buffer stream_of(const Hello& hello) { return record(hello.message()); }

[[nodiscard]] Hello with_extension(std::uint16_t type, Buffer content) {
  Hello hello = browser_hello("unused.example", 32);
  hello.extensions = {grease(), {type, std::move(content)}};
  return hello;
}

// Fed as it arrives: ends of the pieces in rising order.
[[nodiscard]] Answer ask_in_pieces(std::span<const std::uint8_t> stream, const std::vector<std::size_t>& ends) {
  TlsProgress progress;
  for (const std::size_t end : ends) {
    const Answer answer = ask(stream.first(end), progress);
    if (answer.parse != Parse::need_more) return answer;
  }
  return ask(stream, progress);
}

TEST(TlsClientHello, ShowsTheNameInOneRecord) {
  EXPECT_EQ(ask(stream_of(browser_hello("httpbin.org", 32))), named("httpbin.org"));
}

TEST(TlsClientHello, Case84EveryPrefixIsUnfinishedAndEverySplitGivesTheName) {
  const Buffer stream = stream_of(browser_hello("split.example.com"));
  for (std::size_t cut = 0; cut < stream.size(); ++cut) {
    TlsProgress progress;
    ASSERT_EQ(ask(std::span(stream).first(cut), progress), unnamed(Parse::need_more)) << cut;
    ASSERT_EQ(ask(stream, progress), named("split.example.com")) << cut;
  }
}

TEST(TlsClientHello, Case85EverySplitOverTwoRecords) {
  const Buffer message = browser_hello("records.example.com", 64).message();
  for (std::size_t first = 1; first < message.size(); ++first) {
    Buffer stream = record(std::span(message).first(first), 22, 0x0300);
    append(stream, record(std::span(message).subspan(first), 22, 0x0303));
    ASSERT_EQ(ask(stream), named("records.example.com")) << first;
  }
}

TEST(TlsClientHello, Case85EverySplitOverThreeRecords) {
  const Buffer message = browser_hello("a.example", 8).message();
  for (std::size_t first = 1; first + 1 < message.size(); ++first) {
    for (std::size_t second = first + 1; second < message.size(); ++second) {
      Buffer stream = record(std::span(message).first(first));
      append(stream, record(std::span(message).subspan(first, second - first)));
      append(stream, record(std::span(message).subspan(second)));
      ASSERT_EQ(ask(stream), named("a.example")) << first << ' ' << second;
    }
  }
}

TEST(TlsClientHello, Case84And85OneByteRecordsInOneByteSegments) {
  const Buffer stream = records(browser_hello("tiny.example.com").message(), 1);
  TlsProgress progress;
  for (std::size_t end = 0; end < stream.size(); ++end) {
    ASSERT_EQ(ask(std::span(stream).first(end), progress), unnamed(Parse::need_more)) << end;
  }
  EXPECT_EQ(ask(stream, progress), named("tiny.example.com"));
}

TEST(TlsClientHello, EveryRecordIsWalkedOnce) {
  const Buffer stream = records(browser_hello("tiny.example.com").message(), 7);
  TlsProgress progress;
  EXPECT_EQ(ask(std::span(stream).first(12 * 10 + 5), progress), unnamed(Parse::need_more));
  EXPECT_EQ(progress.next_record, 120u);
  EXPECT_EQ(progress.handshake_bytes, 70u);
}

TEST(TlsClientHello, Case85EmptyRecordIsMalformed) {
  const Buffer message = browser_hello("empty.example.com", 32).message();
  EXPECT_EQ(ask(record({})), unnamed(Parse::malformed));
  Buffer stream = record(std::span(message).first(20));
  append(stream, record({}));
  EXPECT_EQ(ask(stream), unnamed(Parse::malformed));
}

TEST(TlsClientHello, RecordOfAnotherKindInsideTheMessageIsMalformed) {
  const Buffer message = browser_hello("other.example.com", 32).message();
  for (const unsigned type : {20u, 21u, 23u, 24u, 0u}) {
    Buffer stream = record(std::span(message).first(20));
    append(stream, record(std::span(message).subspan(20), type));
    EXPECT_EQ(ask(stream), unnamed(Parse::malformed)) << type;
    EXPECT_EQ(ask(std::span(stream).first(26)), unnamed(Parse::malformed)) << type;
  }
  Buffer stream = record(std::span(message).first(20));
  append(stream, record(std::span(message).subspan(20), 22, 0x0401));
  EXPECT_EQ(ask(stream), unnamed(Parse::malformed));
}

TEST(TlsClientHello, Case86LargeHelloOverManyRecords) {
  const Hello hello = browser_hello("large.example.com", 16'200);
  EXPECT_EQ(ask(stream_of(browser_hello("large.example.com", 16'000))), named("large.example.com"));
  EXPECT_EQ(ask(records(hello.message(), 1000)), named("large.example.com"));
}

TEST(TlsClientHello, Case87MoreThanThereIsRoomForIsTooLarge) {
  Buffer scratch(1000);
  ClientHello hello;
  for (const std::size_t record_bytes : {std::size_t{100}, std::size_t{16'000}}) {
    const Buffer stream = records(browser_hello("large.example.com", 1200).message(), record_bytes);
    TlsProgress progress;
    EXPECT_EQ(parse_client_hello(std::span(stream).first(8), progress, scratch, hello), Parse::need_more);
    EXPECT_EQ(parse_client_hello(std::span(stream).first(9), progress, scratch, hello), Parse::too_large);
  }
}

TEST(TlsClientHello, Case87AHelloThatJustFits) {
  const Buffer message = browser_hello("fits.example.com", 200).message();
  Buffer scratch(message.size());
  ClientHello hello;
  TlsProgress progress;
  EXPECT_EQ(parse_client_hello(records(message, 100), progress, scratch, hello), Parse::done);
  EXPECT_EQ(hello.server_name, "fits.example.com");
  TlsProgress again;
  EXPECT_EQ(parse_client_hello(records(message, 100), again, std::span(scratch).first(message.size() - 1), hello),
            Parse::too_large);
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

TEST(TlsClientHello, Case92AnyRecordVersionOfMajorThree) {
  const Buffer message = browser_hello("version.example.com", 32).message();
  for (const unsigned version : {0x0300u, 0x0301u, 0x0302u, 0x0303u, 0x0304u, 0x03ffu}) {
    EXPECT_EQ(ask(record(message, 22, version)), named("version.example.com")) << version;
  }
  for (const unsigned version : {0x0002u, 0x0200u, 0x0400u, 0xfeffu}) {
    EXPECT_EQ(ask(record(message, 22, version)), unnamed(Parse::not_this)) << version;
  }
}

TEST(TlsClientHello, Case93Sslv2HelloIsAnotherProtocol) {
  const Buffer hello{0x80, 0x2e, 0x01, 0x03, 0x01, 0x00, 0x15, 0x00, 0x00, 0x00, 0x10};
  EXPECT_EQ(ask(hello), unnamed(Parse::not_this));
}

TEST(TlsClientHello, Case93OtherHandshakeMessageFirst) {
  Buffer message = browser_hello("type.example.com", 32).message();
  for (const unsigned type : {0u, 2u, 11u, 20u, 255u}) {
    message[0] = static_cast<std::uint8_t>(type);
    EXPECT_EQ(ask(record(message)), unnamed(Parse::malformed)) << type;
    EXPECT_EQ(ask(std::span<const std::uint8_t>(record(message)).first(6)), unnamed(Parse::malformed)) << type;
  }
}

TEST(TlsClientHello, Case93HandshakeLengthBeyond65535) {
  Buffer message = browser_hello("length.example.com", 32).message();
  message[1] = 1;
  EXPECT_EQ(ask(record(message)), unnamed(Parse::too_large));
}

TEST(TlsClientHello, Case95SecondHelloInTheSameRecordIsMalformed) {
  const Buffer message = browser_hello("good.example", 32).message();
  Buffer two = message;
  append(two, browser_hello("bad.example", 32).message());
  EXPECT_EQ(ask(record(two)), unnamed(Parse::malformed));
  Buffer cut = record(std::span(two).first(30));
  append(cut, record(std::span(two).subspan(30)));
  EXPECT_EQ(ask(cut), unnamed(Parse::malformed));
}

TEST(TlsClientHello, RecordsBehindTheHelloAreNotLookedAt) {
  Buffer stream = stream_of(browser_hello("early.example.com", 32));
  append(stream, record(Buffer{1}, 20));
  append(stream, record(Buffer(100, 0xda), 23));
  EXPECT_EQ(ask(stream), named("early.example.com"));
}

TEST(TlsClientHello, OtherProtocolsAreKnownByTheFirstByte) {
  for (int first = 0; first < 256; ++first) {
    const Buffer byte{static_cast<std::uint8_t>(first)};
    EXPECT_EQ(ask(byte), unnamed(first == 22 ? Parse::need_more : Parse::not_this)) << first;
  }
  EXPECT_EQ(ask({}), unnamed(Parse::need_more));
  EXPECT_EQ(ask(Buffer{22, 2}), unnamed(Parse::not_this));
  EXPECT_EQ(ask(record(Buffer(10, 0), 21)), unnamed(Parse::not_this));
  EXPECT_EQ(ask(record(Buffer(10, 0), 23)), unnamed(Parse::not_this));
}

TEST(TlsClientHello, RecordLongerThanAnyPlaintextIsMalformed) {
  EXPECT_EQ(ask(Buffer{22, 3, 1, 0x40, 0x00}), unnamed(Parse::need_more));
  EXPECT_EQ(ask(Buffer{22, 3, 1, 0x40, 0x01}), unnamed(Parse::malformed));
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

// The first answer other than need_more stands, wherever the stream was cut: for right hellos and for broken ones.
TEST(TlsClientHello, MutationsGiveOneAnswerHoweverTheyArrive) {
  std::mt19937 random(2026);
  const Buffer whole = records(browser_hello("mutant.example.com", 24).message(), 50);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      Buffer stream = whole;
      stream[at] = static_cast<std::uint8_t>(stream[at] ^ flip);
      std::array<std::size_t, 4> cuts{};
      for (std::size_t& cut : cuts) cut = random() % stream.size();
      std::sort(cuts.begin(), cuts.end());
      ASSERT_EQ(ask_in_pieces(stream, {cuts.begin(), cuts.end()}), ask(stream)) << at << ' ' << flip;
    }
  }
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
