// What is written is read again: frames, their lengths, and the comments beside them.
#include "src/capture_writer.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "src/capture_reader.h"

namespace sallyport {
namespace {

using Frame = std::vector<std::uint8_t>;

class CaptureWriterTest : public testing::Test {
 protected:
  ~CaptureWriterTest() override { std::filesystem::remove(path_); }
  const std::string path_ = testing::TempDir() + "sallyport-capture-" + std::to_string(getpid()) + ".pcapng";
  const std::vector<std::string> names_ = {"inside", "outside"};
};

TEST_F(CaptureWriterTest, CutFramesAndCommentsOfEveryLength) {
  CaptureWriter writer;
  ASSERT_TRUE(writer.open(path_, names_));
  for (std::uint32_t i = 0; i < 9; ++i) {
    writer.write(i % 2, 1'700'000'000'000'000'000 + i, Frame(60 + i, static_cast<std::uint8_t>(i)), 1500 + i,
                 std::string(i, 'c'));
  }
  ASSERT_TRUE(writer.close());

  CaptureReader reader(path_);
  CapturedFrame frame;
  for (std::uint32_t i = 0; i < 9; ++i) {
    ASSERT_TRUE(reader.next(frame)) << i;
    EXPECT_EQ(frame.time_ns, 1'700'000'000'000'000'000 + i);
    EXPECT_EQ(frame.original_length, 1500 + i);
    EXPECT_EQ(Frame(frame.data.begin(), frame.data.end()), Frame(60 + i, static_cast<std::uint8_t>(i)));
  }
  EXPECT_FALSE(reader.next(frame));
  EXPECT_FALSE(reader.error());
}

// opt_comment is 1; draft-ietf-opsawg-pcapng section 3.5.
TEST_F(CaptureWriterTest, ACommentIsAnOptionOfItsPacket) {
  CaptureWriter writer;
  ASSERT_TRUE(writer.open(path_, names_));
  writer.write(0, 5, Frame(61, 7), 61, "ended: no_route");
  ASSERT_TRUE(writer.close());
  std::ifstream file(path_, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const std::size_t at = bytes.find("ended: no_route");
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(at % 4, 0U);
  EXPECT_EQ(bytes.substr(at - 4, 4), std::string("\x01\x00\x0f\x00", 4));
  std::uint32_t length = 0;
  std::memcpy(&length, bytes.data() + bytes.size() - 4, 4);
  EXPECT_EQ(length, 32U + 64U + 4U + 16U + 4U);
}

TEST_F(CaptureWriterTest, WhatIsFlushedIsThere) {
  CaptureWriter writer;
  ASSERT_TRUE(writer.open(path_, names_));
  writer.write(0, 5, Frame(60, 7));
  writer.flush();
  CaptureReader reader(path_);
  CapturedFrame frame;
  EXPECT_TRUE(reader.next(frame));
  EXPECT_FALSE(writer.failed());
  EXPECT_TRUE(writer.close());
}

}  // namespace
}  // namespace sallyport
