// Server and client over a real socket.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "dataplane/io/environment_error.h"
#include "src/control_client.h"
#include "src/control_server.h"

namespace sallyport {
namespace {

class ControlSocketTest : public testing::Test {
 protected:
  ControlSocketTest() { std::filesystem::create_directories(folder_); }
  ~ControlSocketTest() override { std::filesystem::remove_all(folder_); }

  const std::string folder_ = fmt::format("{}/sallyport-control-{}", testing::TempDir(), getpid());
  const std::string path_ = folder_ + "/control.sock";
};

End ask(const std::string& path, const std::string& what, std::vector<std::string>& lines) {
  return ask_gateway(path, {what}, [&](std::string_view line) {
    lines.emplace_back(line);
    return true;
  });
}

TEST_F(ControlSocketTest, AMillionLinesComeThrough) {
  const ControlSocket socket(path_);
  const ControlServer server(socket, [](const Request& request, AnswerLines& lines) {
    for (int i = 0; i < 1'000'000; ++i) lines.send(fmt::format("{{\"{}\":{}}}", request.ask, i));
    return End{ExitCode::done, "that was all"};
  });
  std::size_t count = 0;
  std::string last;
  const End end = ask_gateway(path_, {"n"}, [&](std::string_view line) {
    ++count;
    last = line;
    return true;
  });
  EXPECT_EQ(end.status, ExitCode::done);
  EXPECT_EQ(end.message, "that was all");
  EXPECT_EQ(count, 1'000'000U);
  EXPECT_EQ(last, "{\"n\":999999}");
}

TEST_F(ControlSocketTest, WhoIsSilentIsGivenUp) {
  const ControlSocket socket(path_);  // takes connections, as that of a stopped process does
  const End end = ask_gateway(
      path_, {"ha status"}, [](std::string_view) { return true; }, std::chrono::milliseconds(50));
  EXPECT_EQ(end.status, ExitCode::environment);
  EXPECT_NE(end.message.find("no answer within 50 ms"), std::string::npos) << end.message;
}

TEST_F(ControlSocketTest, WhatWasAskedByOneWhoLeftIsNotDone) {
  const ControlSocket socket(path_);
  std::vector<std::string> lines;
  // Nobody takes the connection while this one waits.
  EXPECT_EQ(ask_gateway(
                path_, {"old"}, [](std::string_view) { return true; }, std::chrono::milliseconds(20))
                .status,
            ExitCode::environment);
  std::atomic<int> old = 0;
  const ControlServer server(socket, [&](const Request& request, AnswerLines&) {
    old += request.ask == "old" ? 1 : 0;
    return End{};
  });
  EXPECT_EQ(ask(path_, "new", lines).status, ExitCode::done);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(old, 0);
}

TEST_F(ControlSocketTest, OnlyOwnerAndGroupMayAsk) {
  const mode_t before = umask(0);
  const ControlSocket socket(path_);
  umask(before);
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0660U);
  EXPECT_EQ(status.st_gid, getegid());
}

TEST_F(ControlSocketTest, AStrictUmaskTakesNothingFromTheGroup) {
  const mode_t before = umask(077);
  const ControlSocket socket(path_);
  umask(before);
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0660U);
}

TEST_F(ControlSocketTest, ASecondGatewayIsToldOfTheFirst) {
  const ControlSocket first(path_);
  EXPECT_THROW(ControlSocket second(path_), dataplane::EnvironmentError);
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(ControlSocketTest, WhatAKilledGatewayLeftIsReplaced) {
  {
    // As kill -9 leaves it: bound, and nobody behind it.
    const Descriptor dead(socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path_.copy(name.sun_path, sizeof name.sun_path - 1);
    ASSERT_EQ(bind(dead.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  }
  const ControlSocket socket(path_);
  const ControlServer server(socket, [](const Request&, AnswerLines&) { return End{}; });
  std::vector<std::string> lines;
  EXPECT_EQ(ask(path_, "x", lines).status, ExitCode::done);
}

TEST_F(ControlSocketTest, AFileThatIsNoSocketIsKept) {
  fclose(fopen(path_.c_str(), "w"));
  EXPECT_THROW(ControlSocket socket(path_), dataplane::EnvironmentError);
  EXPECT_TRUE(std::filesystem::is_regular_file(path_));
}

TEST_F(ControlSocketTest, NobodyThereIsAnErrorOfTheEnvironment) {
  std::vector<std::string> lines;
  const End end = ask(path_, "flows", lines);
  EXPECT_EQ(end.status, ExitCode::environment);
  EXPECT_NE(end.message.find(path_), std::string::npos);
}

// As a gateway that is killed: the connection is taken, and nobody says a word.
TEST_F(ControlSocketTest, AGatewayThatDiesBeforeItsFirstWordIsNone) {
  const Descriptor listening(socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path_.copy(name.sun_path, sizeof name.sun_path - 1);
  ASSERT_EQ(bind(listening.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  ASSERT_EQ(listen(listening.get(), 1), 0);
  std::thread dies([&] { const Descriptor taken(accept(listening.get(), nullptr, nullptr)); });
  std::vector<std::string> lines;
  const End end = ask(path_, "flows", lines);
  dies.join();
  EXPECT_EQ(end.status, ExitCode::environment);
  EXPECT_NE(end.message.find("no gateway to ask"), std::string::npos) << end.message;
}

TEST_F(ControlSocketTest, GarbageIsAnsweredAndTheNextClientServed) {
  const ControlSocket socket(path_);
  const ControlServer server(socket, [](const Request&, AnswerLines&) { return End{}; });
  std::vector<std::string> lines;
  EXPECT_EQ(ask(path_, std::string(request_bytes_max * 2, 'x'), lines).status, ExitCode::environment);
  EXPECT_EQ(ask(path_, "x", lines).status, ExitCode::done);
}

TEST_F(ControlSocketTest, StoppingDoesNotWaitForAClientThatReadsNothing) {
  const ControlSocket listening(path_);
  ControlServer server(listening, [](const Request&, AnswerLines& lines) {
    while (lines.send(std::string(1000, 'x'))) continue;
    return End{};
  });
  std::size_t taken = 0;
  // Leaves in the middle of an endless answer.
  const End end = ask_gateway(path_, {"x"}, [&](std::string_view) { return ++taken < 10; });
  EXPECT_EQ(end.status, ExitCode::done);
  server.stop();
  EXPECT_EQ(taken, 10U);
}

TEST_F(ControlSocketTest, WhoHasHadEnoughStillHearsTheEnd) {
  const ControlSocket socket(path_);
  const ControlServer server(socket, [](const Request&, AnswerLines& lines) {
    int told = 0;
    while (!lines.wait_for_leave(std::chrono::milliseconds(1))) {
      lines.send(fmt::format("{{\"line\":{}}}", ++told));
      if (!lines.flush()) return End{ExitCode::no, "gone"};
    }
    return End{ExitCode::done, fmt::format("{} lines", told)};
  });
  int taken = 0;
  const auto take = [&](std::string_view) {
    ++taken;
    return true;
  };
  const End end = follow_gateway(path_, {"x"}, take, [&] { return taken >= 3; });
  EXPECT_EQ(end.status, ExitCode::done);
  EXPECT_EQ(end.message, fmt::format("{} lines", taken)) << "what was said before it heard";
  EXPECT_GE(taken, 3);
}

}  // namespace
}  // namespace sallyport
