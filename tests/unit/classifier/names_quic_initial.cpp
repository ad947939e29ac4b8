#include <memory>
#include <optional>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "classifier/names/quic_initial.h"
#include "classifier/names/quic_keys.h"
#include "tests/unit/classifier/names_quic_builder.h"
#include "tests/unit/classifier/names_rfc_vectors.h"

namespace sallyport::classifier::names {
namespace {

Buffer from_hex(std::string_view hex) {
  Buffer out;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
    out.push_back(static_cast<std::uint8_t>(std::stoul(std::string(hex.substr(at, 2)), nullptr, 16)));
  }
  return out;
}

Initial initial_with(Buffer frames, std::uint32_t number = 0) {
  Initial initial;
  initial.frames = std::move(frames);
  initial.number = number;
  return initial;
}

class QuicInitial : public testing::Test {
 protected:
  QuicResult read(std::span<const std::uint8_t> datagram) {
    const Buffer exact(datagram.begin(), datagram.end());
    const QuicResult result = read_client_datagram(exact, connection, *stream, *keys, hello);
    name.reset();
    if (hello.has_server_name) name.emplace(hello.server_name);
    return result;
  }
  void expect_named(std::span<const std::uint8_t> datagram, const std::string& expected) {
    EXPECT_EQ(read(datagram), QuicResult::done);
    EXPECT_EQ(name, expected);
  }
  void start_again() {
    connection = {};
    stream->clear();
  }

  std::unique_ptr<QuicKeys, QuicKeysDeleter> keys = make_quic_keys();
  std::unique_ptr<CryptoStream> stream = std::make_unique<CryptoStream>();
  QuicConnection connection;
  ClientHello hello;
  std::optional<std::string> name;
  const Buffer message = browser_hello("quic.example.com", 32).message();
  const Buffer long_message = browser_hello("long.example.com", 1216, true).message();
};

TEST_F(QuicInitial, Case99AppendixOfRfc9001) {
  expect_named(from_hex(client_initial_v1), "example.com");
  EXPECT_EQ(connection.version, quic_v1);
  EXPECT_EQ(connection.dcid_length, 8);
}

TEST_F(QuicInitial, Case99AppendixOfRfc9369) {
  expect_named(from_hex(client_initial_v2), "example.com");
  EXPECT_EQ(connection.version, quic_v2);
}

TEST_F(QuicInitial, AnyFlippedBitOfAPacketIsSeen) {
  const Buffer whole = from_hex(client_initial_v1);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    start_again();
    Buffer flipped = whole;
    flipped[at] = static_cast<std::uint8_t>(flipped[at] ^ 1u << at % 8);
    ASSERT_EQ(read(flipped), QuicResult::not_quic) << at;
  }
}

TEST_F(QuicInitial, EveryPrefixOfADatagramShowsNothing) {
  const Buffer whole = from_hex(client_initial_v1);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    ASSERT_EQ(read(std::span(whole).first(length)), QuicResult::not_quic) << length;
  }
}

TEST_F(QuicInitial, EveryKnownVersionAndPacketNumberLength) {
  for (const std::uint32_t version : {0x00000001u, 0x6b3343cfu, 0xff00001du, 0xff00001eu, 0xff00001fu, 0xff000020u,
                                      0xff000021u, 0xff000022u, 0xfaceb002u, 0x54303531u}) {
    for (std::size_t number_bytes = 1; number_bytes <= 4; ++number_bytes) {
      start_again();
      Initial initial = initial_with(crypto_frame(0, message), 0x5a);
      initial.frames[0] = find_quic_version(version)->crypto_frame;
      initial.version = version;
      initial.number_bytes = number_bytes;
      initial.token = Buffer(100, 0x70);
      expect_named(initial.protect(), "quic.example.com");
    }
  }
}

TEST_F(QuicInitial, ConnectionIdsOfAnyLegalLength) {
  for (std::size_t length = 1; length <= 20; ++length) {
    start_again();
    Initial initial = initial_with(crypto_frame(0, message));
    initial.dcid = Buffer(length, 0xd0);
    expect_named(initial.protect(), "quic.example.com");
  }
  start_again();
  Initial initial = initial_with(crypto_frame(0, message));
  initial.dcid = Buffer(21, 0xd0);
  EXPECT_EQ(read(initial.protect()), QuicResult::not_quic);
}

TEST_F(QuicInitial, Case101UnknownVersionAndShortHeaderAreNotQuic) {
  Buffer unknown = from_hex(client_initial_v1);
  unknown[1] = 0x1a;
  EXPECT_EQ(read(unknown), QuicResult::not_quic);
  EXPECT_EQ(read(Buffer(1200, 0x40)), QuicResult::not_quic);
  EXPECT_EQ(read(other_packet(quic_v1, 2, Buffer(8, 1))), QuicResult::not_quic);  // a Handshake packet first
  EXPECT_EQ(read({}), QuicResult::not_quic);
  expect_named(from_hex(client_initial_v1), "example.com");
}

TEST_F(QuicInitial, Case100HelloOverSeveralDatagramsInAnyOrder) {
  const auto bytes = std::span(long_message);
  const Buffer first = initial_with(crypto_frame(0, bytes.first(500)), 0).protect();
  const Buffer second = initial_with(crypto_frame(500, bytes.subspan(500, 600)), 1).protect();
  const Buffer third = initial_with(crypto_frame(1100, bytes.subspan(1100)), 2).protect();
  for (const auto& order : {std::array{&first, &second, &third}, std::array{&third, &first, &second},
                            std::array{&second, &third, &first}}) {
    start_again();
    EXPECT_EQ(read(*order[0]), QuicResult::need_more);
    EXPECT_FALSE(name);
    EXPECT_EQ(read(*order[0]), QuicResult::need_more);  // once more, as a retransmission
    EXPECT_EQ(read(*order[1]), QuicResult::need_more);
    expect_named(*order[2], "long.example.com");
  }
}

TEST_F(QuicInitial, Case100FramesScrambledInOnePacket) {
  std::mt19937 random(100);
  for (int round = 0; round < 50; ++round) {
    start_again();
    std::vector<Buffer> frames;
    for (std::size_t at = 0; at < message.size();) {
      const std::size_t length = std::min<std::size_t>(1 + random() % 40, message.size() - at);
      frames.push_back(crypto_frame(at, std::span(message).subspan(at, length)));
      at += length;
    }
    frames.push_back({0x01});                                            // PING
    frames.push_back(Buffer(random() % 30, 0x00));                       // PADDING
    frames.push_back({0x02, 0x05, 0x00, 0x01, 0x01, 0x00, 0x01});        // ACK with one more range
    frames.push_back({0x03, 0x00, 0x00, 0x00, 0x00, 0x01, 0x02, 0x03});  // ACK with ECN counts
    std::shuffle(frames.begin(), frames.end(), random);
    Buffer all;
    for (const Buffer& frame : frames) append(all, frame);
    expect_named(initial_with(all).protect(), "quic.example.com");
  }
}

TEST_F(QuicInitial, CoalescedInitialsAreAllRead) {
  Initial first = initial_with(crypto_frame(100, std::span(message).subspan(100)), 0);
  first.datagram_bytes = 0;
  const Initial second = initial_with(crypto_frame(0, std::span(message).first(100)), 1);
  expect_named(joined({first.protect(), second.protect()}), "quic.example.com");
}

TEST_F(QuicInitial, Case101ZeroRttBeforeOrBehindTheInitialIsSkipped) {
  const Initial initial = initial_with(crypto_frame(0, message));
  const Buffer zero_rtt = other_packet(quic_v1, 1, initial.dcid);
  expect_named(joined({zero_rtt, initial.protect()}), "quic.example.com");
  start_again();
  expect_named(joined({initial.protect(), zero_rtt}), "quic.example.com");
  start_again();
  EXPECT_EQ(read(zero_rtt), QuicResult::need_more);
  expect_named(initial.protect(), "quic.example.com");
}

TEST_F(QuicInitial, BytesThatAreNoPacketBehindTheInitial) {
  expect_named(joined({initial_with(crypto_frame(0, message)).protect(), Buffer(50, 0)}), "quic.example.com");
}

TEST_F(QuicInitial, InitialInASmallDatagramBeginsNothing) {
  Initial initial = initial_with(crypto_frame(0, message));
  initial.datagram_bytes = 1199;
  EXPECT_EQ(read(initial.protect()), QuicResult::malformed);
  initial.datagram_bytes = 1200;
  expect_named(initial.protect(), "quic.example.com");
}

// Not every server is strict once it knows the connection.
TEST_F(QuicInitial, InitialInASmallDatagramOfAKnownConnectionIsRead) {
  EXPECT_EQ(read(initial_with(crypto_frame(0, std::span(message).first(120))).protect()), QuicResult::need_more);
  Initial small = initial_with(crypto_frame(100, browser_hello("evil.example.com", 32).message()), 1);
  small.datagram_bytes = 400;
  EXPECT_EQ(read(small.protect()), QuicResult::conflict);
}

TEST_F(QuicInitial, ConflictingCryptoFrames) {
  const Buffer other = browser_hello("evil.example.com", 32).message();
  EXPECT_EQ(read(initial_with(crypto_frame(0, std::span(message).first(120))).protect()), QuicResult::need_more);
  EXPECT_EQ(read(initial_with(crypto_frame(0, other), 1).protect()), QuicResult::conflict);
}

TEST_F(QuicInitial, Case95TwoHellosInOneStream) {
  const Buffer other = browser_hello("evil.example.com", 32).message();
  EXPECT_EQ(read(initial_with(joined({crypto_frame(0, message), crypto_frame(message.size(), other)})).protect()),
            QuicResult::conflict);
  EXPECT_FALSE(name);
  start_again();
  EXPECT_EQ(read(initial_with(crypto_frame(0, joined({message, {0x01}}))).protect()), QuicResult::conflict);
  start_again();  // behind a gap, and first
  EXPECT_EQ(read(initial_with(crypto_frame(message.size() + 9, other)).protect()), QuicResult::need_more);
  EXPECT_EQ(read(initial_with(crypto_frame(0, message), 1).protect()), QuicResult::conflict);
  start_again();
  expect_named(initial_with(crypto_frame(0, message)).protect(), "quic.example.com");
  EXPECT_EQ(read(initial_with(crypto_frame(message.size(), other), 1).protect()), QuicResult::conflict);
}

TEST_F(QuicInitial, Case95TheHelloThatAServerAskedFor) {
  expect_named(initial_with(crypto_frame(0, message)).protect(), "quic.example.com");
  const Buffer retry = server_message(Answer::retry_request);
  Initial answer = initial_with(crypto_frame(0, retry));
  answer.from_server = true;
  read_server_datagram(answer.protect(), connection, *keys);
  EXPECT_TRUE(connection.asked_again);
  expect_named(initial_with(crypto_frame(0, message)).protect(), "quic.example.com");
  EXPECT_FALSE(connection.second_hello);
  const std::size_t at = message.size();
  EXPECT_EQ(read(initial_with(crypto_frame(at, std::span(long_message).first(700)), 1).protect()),
            QuicResult::need_more);
  EXPECT_TRUE(connection.second_hello);
  expect_named(initial_with(crypto_frame(at + 700, std::span(long_message).subspan(700)), 2).protect(),
               "long.example.com");
  answer.frames = crypto_frame(0, retry);
  read_server_datagram(answer.protect(), connection, *keys);
  EXPECT_FALSE(connection.accepted);
  answer.frames = crypto_frame(retry.size(), server_message(Answer::server_hello));
  read_server_datagram(answer.protect(), connection, *keys);
  EXPECT_TRUE(connection.accepted);
  EXPECT_EQ(read(initial_with(crypto_frame(at + long_message.size(), message), 3).protect()), QuicResult::conflict);
}

TEST_F(QuicInitial, ServerInitialOfTheAppendixAcceptsTheHello) {
  const Buffer answer = from_hex(server_initial_v1);
  expect_named(initial_with(crypto_frame(0, message)).protect(), "quic.example.com");
  connection.original_dcid[0] ^= 1;
  read_server_datagram(answer, connection, *keys);
  EXPECT_FALSE(connection.accepted) << "of another connection";
  connection.original_dcid[0] ^= 1;
  read_server_datagram(answer, connection, *keys);
  EXPECT_TRUE(connection.accepted);
  EXPECT_FALSE(connection.asked_again);
}

TEST_F(QuicInitial, AnotherVersionUnderTheKeysOfTheFirstIdIsOfTheSameConnection) {
  EXPECT_EQ(read(initial_with(crypto_frame(0, std::span(message).first(120))).protect()), QuicResult::need_more);
  Initial next = initial_with(crypto_frame(120, std::span(message).subspan(120)), 1);
  next.key_dcid = next.dcid;
  next.dcid = Buffer(4, 0x5e);
  next.version = quic_v2;
  expect_named(next.protect(), "quic.example.com");
}

TEST_F(QuicInitial, KeysStayThoseOfTheFirstDcidWhenTheServerHasChosenAnother) {
  EXPECT_EQ(read(initial_with(crypto_frame(0, std::span(long_message).first(900))).protect()), QuicResult::need_more);
  Initial second = initial_with(crypto_frame(900, std::span(long_message).subspan(900)), 1);
  second.key_dcid = second.dcid;
  second.dcid = Buffer(4, 0x5e);
  expect_named(second.protect(), "long.example.com");
}

TEST_F(QuicInitial, Case100InitialAfterRetryUsesTheKeysOfTheServersId) {
  EXPECT_EQ(read(initial_with(crypto_frame(0, std::span(long_message).first(900))).protect()), QuicResult::need_more);
  const Buffer retry = from_hex("ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba");
  read_server_datagram(retry, connection, *keys);
  Initial again = initial_with(crypto_frame(0, std::span(long_message).first(1000)), 1);
  again.dcid = from_hex("f067a5502a4262b5");
  again.token = text("token");
  EXPECT_EQ(read(again.protect()), QuicResult::need_more);
  again.frames = crypto_frame(1000, std::span(long_message).subspan(1000));
  again.number = 2;
  expect_named(again.protect(), "long.example.com");
}

TEST_F(QuicInitial, Case101AnotherVersionAfterVersionNegotiation) {
  EXPECT_EQ(read(initial_with(crypto_frame(0, std::span(long_message).first(900))).protect()), QuicResult::need_more);
  read_server_datagram(from_hex("80000000000000"
                                "6b3343cf"),
                       connection, *keys);
  Initial again = initial_with(crypto_frame(0, message));
  again.version = quic_v2;
  expect_named(again.protect(), "quic.example.com");
}

TEST_F(QuicInitial, SecondConnectionBesideAnUnfinishedHelloIsAConflict) {
  EXPECT_EQ(read(initial_with(crypto_frame(0, std::span(long_message).first(900))).protect()), QuicResult::need_more);
  read_server_datagram(from_hex("cf000000010008f067a5502a4262b5004075c0d9"), connection,
                       *keys);  // an Initial: no reason
  Initial second = initial_with(crypto_frame(0, message));
  second.dcid = Buffer(8, 0x22);
  EXPECT_EQ(read(second.protect()), QuicResult::conflict);
}

TEST_F(QuicInitial, UnreadablePacketsOfAKnownConnectionChangeNothing) {
  EXPECT_EQ(read(initial_with(crypto_frame(0, std::span(long_message).first(900))).protect()), QuicResult::need_more);
  Buffer broken = initial_with(crypto_frame(0, message), 1).protect();
  broken.back() = static_cast<std::uint8_t>(broken.back() ^ 1);
  EXPECT_EQ(read(broken), QuicResult::unopened);
  EXPECT_EQ(read(Buffer(100, 0x41)), QuicResult::need_more);
  expect_named(initial_with(crypto_frame(900, std::span(long_message).subspan(900)), 2).protect(), "long.example.com");
}

// RFC 9000 appendix A.3, with numbers of one byte: on the wire they are 0xc8, 0x10, 0xff and 0x80.
TEST_F(QuicInitial, APacketNumberIsTheOneNearestToThoseBefore) {
  std::size_t at = 0;
  for (const std::uint32_t number : {200u, 272u, 255u, 384u}) {
    Initial piece = initial_with(crypto_frame(at, std::span(long_message).subspan(at, 100)), number);
    piece.number_bytes = 1;
    EXPECT_EQ(read(piece.protect()), QuicResult::need_more) << number;
    at += 100;
  }
  EXPECT_EQ(connection.next_number, 385u);
  Initial restarted = initial_with(crypto_frame(at, std::span(long_message).subspan(at)), 5);
  restarted.number_bytes = 1;
  expect_named(restarted.protect(), "long.example.com");
}

TEST_F(QuicInitial, WhatMayNotStandInAnInitialIsMalformed) {
  const Buffer frames[] = {{0x08, 0x00},                    // STREAM
                           {0x1e},                          // HANDSHAKE_DONE
                           {0x06, 0x00},                    // CRYPTO, cut
                           {0x06, 0x00, 0x7f, 0xff, 0x01},  // CRYPTO, longer than the packet
                           {0x02, 0x00, 0x00, 0xff, 0xff},  // ACK of 2^62 ranges
                           {0x1c, 0x00, 0x00, 0x7f, 0xff}};
  for (const Buffer& frame : frames) {
    start_again();
    Initial initial = initial_with(joined({Buffer(1200, 0), frame}));
    initial.datagram_bytes = 0;
    EXPECT_EQ(read(initial.protect()), QuicResult::malformed) << int{frame[0]};
  }
  start_again();
  Initial reserved = initial_with(crypto_frame(0, message));
  reserved.reserved_bits = 0x04;
  EXPECT_EQ(read(reserved.protect()), QuicResult::malformed);
}

TEST_F(QuicInitial, ConnectionCloseIsNoHello) {
  EXPECT_EQ(read(initial_with({0x1c, 0x00, 0x00, 0x03, 'b', 'y', 'e'}).protect()), QuicResult::need_more);
}

TEST_F(QuicInitial, BrokenHelloIsMalformed) {
  Buffer broken = message;
  broken[0] = 2;
  EXPECT_EQ(read(initial_with(crypto_frame(0, broken)).protect()), QuicResult::malformed);
}

TEST_F(QuicInitial, Case87TooLarge) {
  EXPECT_EQ(read(initial_with(crypto_frame(CryptoStream::capacity, Buffer(1))).protect()), QuicResult::too_large);
  start_again();
  EXPECT_EQ(read(initial_with(crypto_frame(0, Buffer{1, 0x00, 0x3f, 0xfd})).protect()), QuicResult::too_large);
  start_again();
  EXPECT_EQ(read(initial_with(crypto_frame(0, Buffer{1, 0x00, 0x3f, 0xfc})).protect()), QuicResult::need_more);
  start_again();
  const Buffer datagram = initial_with(crypto_frame(0, message)).protect();
  EXPECT_EQ(read_client_datagram(datagram, connection, *stream, *keys, hello, message.size() - 1),
            QuicResult::too_large);
  start_again();
  EXPECT_EQ(read_client_datagram(datagram, connection, *stream, *keys, hello, message.size()), QuicResult::done);
}

TEST_F(QuicInitial, Case104EchIsReported) {
  Hello outer = browser_hello("cloudflare-ech.com", 32);
  outer.extensions.push_back(encrypted_client_hello());
  expect_named(initial_with(crypto_frame(0, outer.message())).protect(), "cloudflare-ech.com");
  EXPECT_TRUE(hello.ech);
}

}  // namespace
}  // namespace sallyport::classifier::names
