// Segments and records: how a hello arrives.
#include <algorithm>
#include <array>
#include <random>

#include <gtest/gtest.h>

#include "tests/unit/classifier/names_tls_asking.h"

namespace sallyport::classifier::names {
namespace {

TEST(TlsRecords, Case84EveryPrefixIsUnfinishedAndEverySplitGivesTheName) {
  const Buffer stream = stream_of(browser_hello("split.example.com"));
  for (std::size_t cut = 0; cut < stream.size(); ++cut) {
    TlsProgress progress;
    ASSERT_EQ(ask(std::span(stream).first(cut), progress), unnamed(Parse::need_more)) << cut;
    ASSERT_EQ(ask(stream, progress), named("split.example.com")) << cut;
  }
}

TEST(TlsRecords, Case85EverySplitOverTwoRecords) {
  const Buffer message = browser_hello("records.example.com", 64).message();
  for (std::size_t first = 1; first < message.size(); ++first) {
    Buffer stream = record(std::span(message).first(first), 22, 0x0300);
    append(stream, record(std::span(message).subspan(first), 22, 0x0303));
    ASSERT_EQ(ask(stream), named("records.example.com")) << first;
  }
}

TEST(TlsRecords, Case85EverySplitOverThreeRecords) {
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

TEST(TlsRecords, Case84And85OneByteRecordsInOneByteSegments) {
  const Buffer stream = records(browser_hello("tiny.example.com").message(), 1);
  TlsProgress progress;
  for (std::size_t end = 0; end < stream.size(); ++end) {
    ASSERT_EQ(ask(std::span(stream).first(end), progress), unnamed(Parse::need_more)) << end;
  }
  EXPECT_EQ(ask(stream, progress), named("tiny.example.com"));
}

TEST(TlsRecords, EveryRecordIsWalkedOnce) {
  const Buffer stream = records(browser_hello("tiny.example.com").message(), 7);
  TlsProgress progress;
  EXPECT_EQ(ask(std::span(stream).first(12 * 10 + 5), progress), unnamed(Parse::need_more));
  EXPECT_EQ(progress.next_record, 120u);
  EXPECT_EQ(progress.handshake_bytes, 70u);
}

TEST(TlsRecords, Case85EmptyRecordIsMalformed) {
  const Buffer message = browser_hello("empty.example.com", 32).message();
  EXPECT_EQ(ask(record({})), unnamed(Parse::malformed));
  Buffer stream = record(std::span(message).first(20));
  append(stream, record({}));
  EXPECT_EQ(ask(stream), unnamed(Parse::malformed));
}

TEST(TlsRecords, RecordOfAnotherKindInsideTheMessageIsMalformed) {
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

TEST(TlsRecords, Case86LargeHelloOverManyRecords) {
  const Hello hello = browser_hello("large.example.com", 16'200);
  EXPECT_EQ(ask(stream_of(browser_hello("large.example.com", 16'000))), named("large.example.com"));
  EXPECT_EQ(ask(records(hello.message(), 1000)), named("large.example.com"));
}

TEST(TlsRecords, Case87MoreThanThereIsRoomForIsTooLarge) {
  Buffer scratch(1000);
  ClientHello hello;
  for (const std::size_t record_bytes : {std::size_t{100}, std::size_t{16'000}}) {
    const Buffer stream = records(browser_hello("large.example.com", 1200).message(), record_bytes);
    TlsProgress progress;
    EXPECT_EQ(parse_client_hello(std::span(stream).first(8), progress, scratch, hello), Parse::need_more);
    EXPECT_EQ(parse_client_hello(std::span(stream).first(9), progress, scratch, hello), Parse::too_large);
  }
}

TEST(TlsRecords, Case87AHelloThatJustFits) {
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

TEST(TlsRecords, Case92AnyRecordVersionOfMajorThree) {
  const Buffer message = browser_hello("version.example.com", 32).message();
  for (const unsigned version : {0x0300u, 0x0301u, 0x0302u, 0x0303u, 0x0304u, 0x03ffu}) {
    EXPECT_EQ(ask(record(message, 22, version)), named("version.example.com")) << version;
  }
  for (const unsigned version : {0x1000u, 0x3a01u, 0xfeffu}) {
    EXPECT_EQ(ask(record(message, 22, version)), unnamed(Parse::not_this)) << version;
  }
}

// Go's crypto/tls takes any version below 0x1000 in the first record.
TEST(TlsRecords, Case92AHelloInARecordOfNoVersionIsMalformed) {
  const Buffer message = browser_hello("denied.example", 32).message();
  for (const unsigned version : {0x0002u, 0x0201u, 0x0401u, 0x0fffu}) {
    const Buffer stream = record(message, 22, version);
    for (std::size_t size = 1; size < 5; ++size) {
      EXPECT_EQ(ask(std::span(stream).first(size)), unnamed(Parse::need_more)) << version;
    }
    EXPECT_EQ(ask(stream), unnamed(Parse::malformed)) << version;
  }
  for (const unsigned version : {0x0305u, 0x037fu, 0x0201u, 0x0fffu}) {
    Buffer stream = record(Buffer{1, 90}, 21, version);
    append(stream, stream_of(browser_hello("denied.example", 32)));
    EXPECT_EQ(ask(stream), unnamed(Parse::malformed)) << version;
  }
}

TEST(TlsRecords, Case93Sslv2HelloIsAnotherProtocol) {
  const Buffer hello{0x80, 0x2e, 0x01, 0x03, 0x01, 0x00, 0x15, 0x00, 0x00, 0x00, 0x10};
  EXPECT_EQ(ask(hello), unnamed(Parse::not_this));
}

TEST(TlsRecords, Case93OtherHandshakeMessageFirst) {
  Buffer message = browser_hello("type.example.com", 32).message();
  for (const unsigned type : {0u, 2u, 11u, 20u, 255u}) {
    message[0] = static_cast<std::uint8_t>(type);
    EXPECT_EQ(ask(record(message)), unnamed(Parse::malformed)) << type;
    EXPECT_EQ(ask(std::span<const std::uint8_t>(record(message)).first(6)), unnamed(Parse::malformed)) << type;
  }
}

TEST(TlsRecords, Case93HandshakeLengthBeyond65535) {
  Buffer message = browser_hello("length.example.com", 32).message();
  message[1] = 1;
  EXPECT_EQ(ask(record(message)), unnamed(Parse::too_large));
}

TEST(TlsRecords, Case95SecondHelloInTheSameRecordIsMalformed) {
  const Buffer message = browser_hello("good.example", 32).message();
  Buffer two = message;
  append(two, browser_hello("bad.example", 32).message());
  EXPECT_EQ(ask(record(two)), unnamed(Parse::malformed));
  Buffer cut = record(std::span(two).first(30));
  append(cut, record(std::span(two).subspan(30)));
  EXPECT_EQ(ask(cut), unnamed(Parse::malformed));
}

TEST(TlsRecords, RecordsBehindTheHelloAreNotLookedAt) {
  Buffer stream = stream_of(browser_hello("early.example.com", 32));
  append(stream, record(Buffer{1}, 20));
  append(stream, record(Buffer(100, 0xda), 23));
  EXPECT_EQ(ask(stream), named("early.example.com"));
}

TEST(TlsRecords, OtherProtocolsAreKnownByTheFirstByte) {
  for (int first = 0; first < 256; ++first) {
    const Buffer byte{static_cast<std::uint8_t>(first)};
    EXPECT_EQ(ask(byte), unnamed(first >= 20 && first <= 24 ? Parse::need_more : Parse::not_this)) << first;
  }
  EXPECT_EQ(ask({}), unnamed(Parse::need_more));
  EXPECT_EQ(ask(Buffer{22, 16}), unnamed(Parse::not_this));
}

// Servers skip some records in front of a hello, Go's up to eight warnings, and read the hello behind them.
TEST(TlsRecords, AnotherRecordInFrontOfTheHelloIsMalformed) {
  constexpr std::array<std::uint8_t, 4> others{20, 21, 23, 24};
  for (const std::uint8_t type : others) {
    Buffer stream = record(Buffer{1, 90}, type);
    for (std::size_t size = 1; size < 5; ++size) {
      EXPECT_EQ(ask(Buffer(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(size))),
                unnamed(Parse::need_more));
    }
    append(stream, stream_of(browser_hello("denied.example", 32)));
    EXPECT_EQ(ask(stream), unnamed(Parse::malformed)) << int{type};
    EXPECT_EQ(ask(Buffer{type, 3, 1, 0, 0}), unnamed(Parse::malformed)) << "an empty one";
    const Parse odd = type == 21 ? Parse::need_more : Parse::not_this;  // a warning may be of any version
    EXPECT_EQ(ask(Buffer{type, 2}), unnamed(odd));
    EXPECT_EQ(ask(Buffer{type, 3, 5}), unnamed(odd));
    EXPECT_EQ(ask(Buffer{type, 16, 1}), unnamed(Parse::not_this));
    EXPECT_EQ(ask(Buffer{type, 3, 3, 0x48, 0x01}), unnamed(Parse::not_this)) << "longer than any record";
  }
}

TEST(TlsRecords, RecordLongerThanAnyPlaintextIsMalformed) {
  EXPECT_EQ(ask(Buffer{22, 3, 1, 0x40, 0x00}), unnamed(Parse::need_more));
  EXPECT_EQ(ask(Buffer{22, 3, 1, 0x40, 0x01}), unnamed(Parse::malformed));
}

// The first answer other than need_more stands, wherever the stream was cut: for right hellos and for broken ones.
TEST(TlsRecords, MutationsGiveOneAnswerHoweverTheyArrive) {
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

}  // namespace
}  // namespace sallyport::classifier::names
