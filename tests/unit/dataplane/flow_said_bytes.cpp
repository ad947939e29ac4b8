// What is remembered of a followed connection: the client's bytes until they are acknowledged, the server's frames.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/flow/frame_walk.h"
#include "dataplane/flow/said_bytes.h"
#include "tests/unit/classifier/names_http2_builder.h"

namespace sallyport::dataplane {
namespace {

std::span<const std::uint8_t> bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

class Said : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  [[nodiscard]] bool agrees(std::uint32_t at, std::string_view text) const {
    return book.agrees(said, GetParam() + at, bytes(text));
  }
  void add(std::uint32_t at, std::string_view text) { book.add(said, GetParam() + at, bytes(text)); }

  SaidBook book{16};
  SaidBytes said;
};
// Where sequence numbers begin, also shortly before they begin anew.
INSTANTIATE_TEST_SUITE_P(SequenceNumbers, Said, ::testing::Values(0U, 1000U, 0xfffffff8U, 0xffffffffU, 0x7ffffffcU));

TEST_P(Said, InAnyCut) {
  add(0, "hello");
  add(5, " world");
  EXPECT_TRUE(agrees(0, "hello world"));
  EXPECT_TRUE(agrees(3, "lo wo"));
  EXPECT_TRUE(agrees(8, "rld and more"));
  EXPECT_FALSE(agrees(3, "lo xo"));
  EXPECT_FALSE(agrees(10, "x"));
}

TEST_P(Said, WhatLiesBetweenMayBeAnything) {
  add(0, "head");
  add(20, "head");
  EXPECT_TRUE(agrees(0, "headANYTHING........headANYTHING"));
  EXPECT_FALSE(agrees(0, "headANYTHING........heaX"));
  EXPECT_TRUE(agrees(4, "................"));
}

TEST_P(Said, LongerThanABlock) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += static_cast<char>(i * 7);
  add(0, text);
  for (const std::size_t at : {0U, 499U, 500U, 501U, 1999U}) {
    EXPECT_TRUE(agrees(static_cast<std::uint32_t>(at), std::string_view(text).substr(at)));
    std::string other = text;
    other[at] = static_cast<char>(other[at] + 1);
    EXPECT_FALSE(agrees(0, other)) << at;
  }
}

TEST_P(Said, AcknowledgedIsForgotten) {
  add(0, "head");
  add(20, "head");
  book.acknowledge(said, GetParam() + 3);
  EXPECT_FALSE(agrees(0, "xxxx")) << "not all of it";
  book.acknowledge(said, GetParam() + 4);
  EXPECT_TRUE(agrees(0, "xxxx"));
  EXPECT_FALSE(agrees(20, "xxxx"));
  book.acknowledge(said, GetParam() + 24);
  EXPECT_EQ(said.blocks, 0U);
}

TEST(SaidBytes, RoomIsGivenBack) {
  SaidBook book(4);
  SaidBytes a, b;
  EXPECT_TRUE(book.has_room(a, 1999));
  EXPECT_FALSE(book.has_room(a, 2000));
  const std::string text(1200, 'x');
  book.add(a, 1, bytes(text));
  EXPECT_FALSE(book.has_room(b, 600));
  book.forget(a);
  EXPECT_TRUE(book.has_room(b, 1999));
}

TEST(FrameWalk, BetweenFramesOnly) {
  using classifier::names::frame;
  const std::string stream = frame(4, 0, 0, "") + frame(1, 1, 1, "xx") + frame(9, 4, 1, "yy") + frame(0, 1, 1, "body");
  const std::vector<std::size_t> between{9, 9 + 11 + 11, 9 + 11 + 11 + 13};
  for (std::size_t cut = 1; cut <= stream.size(); ++cut) {
    FrameWalk walk;
    walk.begin(1000);
    EXPECT_TRUE(walk.is_between(1000));
    walk.walk(1000, bytes(stream.substr(0, cut)));
    const bool expected = std::find(between.begin(), between.end(), cut) != between.end();
    EXPECT_EQ(walk.is_between(static_cast<std::uint32_t>(1000 + cut)), expected) << cut;
    walk.walk(1000, bytes(stream));  // again, and more
    EXPECT_TRUE(walk.is_between(static_cast<std::uint32_t>(1000 + stream.size())));
    EXPECT_FALSE(walk.is_other());
    walk.walk(static_cast<std::uint32_t>(1001 + stream.size()), bytes("x"));
    EXPECT_FALSE(walk.is_between(static_cast<std::uint32_t>(1002 + stream.size()))) << "there is a gap";
  }
}

TEST(FrameWalk, HeaderTablesThatAreOffered) {
  using classifier::names::frame;
  using namespace std::string_literals;
  const std::string larger = "\0\3\0\0\0\x64\0\1\0\1\0\0"s, smaller = "\0\1\0\0\x10\0"s, foreign = "\1\1\0\2\0\0"s;
  const std::string stream = frame(4, 0, 0, larger) + frame(4, 1, 0, "\0\1\0\2\0\0"s) +
                             frame(6, 0, 0, "\0\1\0\2\0\0\0\0"s) + frame(4, 0, 0, smaller + foreign);
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    FrameWalk walk;
    walk.begin(7);
    EXPECT_EQ(walk.header_table_bytes(), 0U);
    EXPECT_TRUE(walk.is_early(8));
    walk.walk(7, bytes(stream.substr(0, cut)));
    EXPECT_FALSE(walk.is_early(7)) << "what was read already";
    EXPECT_EQ(walk.is_early(static_cast<std::uint32_t>(8 + cut)), cut < 9 + larger.size())
        << "until its first frame is whole";
    walk.walk(static_cast<std::uint32_t>(7 + cut), bytes(stream.substr(cut)));
    EXPECT_EQ(walk.header_table_bytes(), 65536U);
  }
}

TEST(FrameWalk, ServersOfOtherProtocols) {
  FrameWalk walk;
  walk.begin(1);
  walk.walk(1, bytes("HTTP/1.1 400 Bad Request\r\n\r\n"));
  EXPECT_TRUE(walk.is_other());
}

}  // namespace
}  // namespace sallyport::dataplane
