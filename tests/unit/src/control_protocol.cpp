#include "src/control_protocol.h"

#include <string>

#include <gtest/gtest.h>

namespace sallyport {
namespace {

TEST(ControlProtocol, ARequestIsReadAsItWasWritten) {
  const std::optional<Request> request = parse_request(to_line(Request{"flows"}));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->ask, "flows");
}

TEST(ControlProtocol, ATapIsReadAsItWasAskedFor) {
  const std::optional<Request> request = parse_request(to_line(Request{"tap", {"host 10.1.2.3 or \"x\"", 96, true}}));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->ask, "tap");
  EXPECT_EQ(request->tap.filter, "host 10.1.2.3 or \"x\"");
  EXPECT_EQ(request->tap.snap_bytes, 96U);
  EXPECT_TRUE(request->tap.only_ended);
  for (const char* line : {R"({"ask":"tap"})", R"({"ask":"tap","filter":5,"snap_bytes":0,"only_ended":false})",
                           R"({"ask":"tap","filter":"","snap_bytes":-1,"only_ended":false})",
                           R"({"ask":"tap","filter":"","snap_bytes":4294967296,"only_ended":false})",
                           R"({"ask":"tap","filter":"","snap_bytes":0,"only_ended":"no"})"}) {
    EXPECT_FALSE(parse_request(line)) << line;
  }
}

TEST(ControlProtocol, WhatIsNoRequestIsNone) {
  for (const char* line : {"", "{", "[]", "{}", "5", "{\"ask\":5}", "{\"ask\":null}", "flows", "\xff\xfe"}) {
    EXPECT_FALSE(parse_request(line)) << line;
  }
}

TEST(ControlProtocol, AnEndIsReadAsItWasWritten) {
  const std::optional<End> end = parse_end(to_line(End{ExitCode::no, "refused: \"x\"\nand a second line"}));
  ASSERT_TRUE(end);
  EXPECT_EQ(end->status, ExitCode::no);
  EXPECT_EQ(end->message, "refused: \"x\"\nand a second line");
  EXPECT_EQ(to_line(*end).find('\n'), std::string::npos) << "a line is a line whatever stands in it";
}

TEST(ControlProtocol, AnEndWithBytesThatAreNoUtf8IsStillALine) {
  EXPECT_TRUE(parse_end(to_line(End{ExitCode::no, "\xff\xc3("})));
}

TEST(ControlProtocol, ARecordIsNoEnd) {
  for (const char* line : {"{\"flow_id\":1}", "{\"end\":{\"status\":9,\"message\":\"\"}}", "{\"end\":{}}",
                           "{\"end\":5}", "{\"end\":{\"status\":-1,\"message\":\"\"}}", "{\"end\":"}) {
    EXPECT_FALSE(parse_end(line)) << line;
  }
}

TEST(LineBuffer, LinesComeOutWhateverThePieces) {
  const std::string stream = "one\ntwo\n\nfour\nunfinished";
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    LineBuffer lines(100);
    std::string seen;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      ASSERT_TRUE(lines.append(stream.substr(at, piece)));
      while (const std::optional<std::string> line = lines.next()) seen += '<' + *line + '>';
    }
    EXPECT_EQ(seen, "<one><two><><four>") << piece;
  }
}

TEST(LineBuffer, ALineOverTheLimitIsRefusedOnceItIsOver) {
  LineBuffer lines(4);
  EXPECT_TRUE(lines.append("1234"));
  EXPECT_FALSE(lines.append("5"));
}

TEST(LineBuffer, TheLimitIsForALineNotForTheStream) {
  LineBuffer lines(4);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(lines.append("1234\n1234\n"));
    EXPECT_EQ(lines.next(), "1234");
    EXPECT_EQ(lines.next(), "1234");
    ASSERT_FALSE(lines.next());
  }
}

}  // namespace
}  // namespace sallyport
