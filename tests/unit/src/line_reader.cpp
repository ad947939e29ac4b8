#include "src/line_reader.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

namespace sallyport {
namespace {

class LineReaderTest : public testing::Test {
 protected:
  LineReaderTest() : path_(std::filesystem::temp_directory_path() / ("line_reader." + std::to_string(getpid()))) {}
  ~LineReaderTest() override { std::filesystem::remove(path_); }
  std::string path(const std::string& contents) {
    std::ofstream(path_, std::ios::binary) << contents;
    return path_;
  }
  std::filesystem::path path_;
};

TEST_F(LineReaderTest, LinesComeWithTheirNumbersTheLastOneWithoutAnEndToo) {
  LineReader reader(path("one\n\nthree"));
  ASSERT_EQ(reader.open(), "");
  EXPECT_EQ(reader.next()->text, "one");
  EXPECT_EQ(reader.next()->text, "");
  const auto last = reader.next();
  EXPECT_EQ(last->text, "three");
  EXPECT_EQ(last->number, 3U);
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.problem(), "");
}

TEST_F(LineReaderTest, ALineLongerThanTheBufferIsToldAndTheNextOneIsWhole) {
  LineReader reader(path(std::string(1'000'000, 'x') + "\nnext\n" + std::string(LineReader::line_bytes_max, 'y')));
  ASSERT_EQ(reader.open(), "");
  EXPECT_TRUE(reader.next()->too_long);
  const auto next = reader.next();
  EXPECT_EQ(next->text, "next");
  EXPECT_FALSE(next->too_long);
  EXPECT_FALSE(reader.next()->too_long) << "as long as allowed";
  EXPECT_FALSE(reader.next());
}

TEST_F(LineReaderTest, WhatCannotBeReadSaysSo) {
  EXPECT_NE(LineReader("/nonexistent/file").open().find("No such file"), std::string::npos);
  LineReader folder("/");
  EXPECT_EQ(folder.open(), "");
  EXPECT_FALSE(folder.next());
  EXPECT_NE(folder.problem(), "");
}

}  // namespace
}  // namespace sallyport
