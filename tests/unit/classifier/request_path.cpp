// Corner case 80: one path in many writings.
#include "classifier/request_path.h"

#include <array>

#include <gtest/gtest.h>

namespace sallyport::classifier {
namespace {

struct Read {
  std::string_view written, strict, lenient;
};

TEST(RequestPath, Case80Readings) {
  constexpr std::array reads{
      Read{"/", "/", "/"},
      Read{"/a/b", "/a/b", "/a/b"},
      Read{"*", "*", "*"},
      Read{"", "", ""},
      Read{"/%61dmin", "/admin", "/admin"},
      Read{"/a%2fb", "/a%2Fb", "/a/b"},
      Read{"/a%5cb", "/a%5Cb", "/a/b"},
      Read{"/a\\b", "/a\\b", "/a/b"},
      Read{"/a%20b", "/a b", "/a b"},
      Read{"/a%3Fb", "/a%3Fb", "/a"},
      Read{"/a%00", "/a%00", std::string_view("/a\0", 3)},
      Read{"//a///b//", "/a/b/", "/a/b/"},
      Read{"/./a/.", "/a/", "/a/"},
      Read{"/a/../b", "/b", "/b"},
      Read{"/a/..", "/", "/"},
      Read{"/../../a", "/a", "/a"},
      Read{"/a//../b", "/a/b", "/b"},
      Read{"/a/%2e%2E/b", "/b", "/b"},
      Read{"/a/%252e%252e/b", "/a/%252e%252e/b", "/b"},
      Read{"/a;v=1/b", "/a;v=1/b", "/a/b"},
      Read{"/public/..;x/admin", "/public/..;x/admin", "/admin"},
      Read{"/a%3b/b", "/a%3B/b", "/a/b"},
      Read{"/%zz%4", "/%zz%4", "/%zz%4"},
      Read{"/..a/.b/c..", "/..a/.b/c..", "/..a/.b/c.."},
  };
  for (const Read& read : reads) {
    EXPECT_EQ(read_path(read.written, Reading::strict), read.strict) << read.written;
    EXPECT_EQ(read_path(read.written, Reading::lenient), read.lenient) << read.written;
  }
}

// Escapes of escapes end, and in linear time.
TEST(RequestPath, EscapesOfEscapes) {
  std::string path = "/%";
  for (int i = 0; i < 20'000; ++i) path += "25";
  path += "41";
  EXPECT_EQ(read_path(path, Reading::lenient).substr(0, 10), "/A");
  EXPECT_EQ(read_path("/%25252e", Reading::lenient), "/");
}

TEST(RequestPath, AReadingOfAReadingIsTheSame) {
  for (const std::string_view path : {"/a/../b//c", "/%61/./x", "/a%2Fb;p/../c"})
    for (const Reading reading : {Reading::strict, Reading::lenient}) {
      const std::string once = read_path(path, reading);
      EXPECT_EQ(read_path(once, reading), once) << path;
    }
}

TEST(RequestPath, LiterallyNothingIsResolved) {
  EXPECT_EQ(read_path("/a/../b//c/./%61", Reading::literal), "/a/../b/c/./a");
  EXPECT_EQ(read_path("/a/%2e%2E/b", Reading::literal), "/a/../b");
  EXPECT_EQ(read_path("/a%2fb", Reading::literal), "/a%2Fb");
}

TEST(RequestPath, UnclearIsWhatGoesUpBesideWhatServersReadDifferently) {
  const auto unclear = [](std::string_view path) {
    std::string room(path.size(), '\0');
    return is_unclear_path(path, room.data());
  };
  for (const std::string_view path : {"/p/%3f/..%2f..%2fa", "/p/%23/..;/..;/a", "/p/..;/a/%252e%252e/p",
                                      "/p/..%5ca/..;x/p", "/a;x/../b", "/%25/..", "/a\\..\\b", "/..%3fx", "/%2e%2e%2f"})
    EXPECT_TRUE(unclear(path)) << path;
  for (const std::string_view path : {"/", "*", "/a/../b", "/a%2fb", "/a;x/b", "/%25", "/a%20b/../c", "/..a/%2f",
                                      "/a../;", "/a\\b", "/%61/..", "/.%2f"})
    EXPECT_FALSE(unclear(path)) << path;
}

}  // namespace
}  // namespace sallyport::classifier
