// How a worker with nothing to do is woken, and how the sockets are found that wake it.
#include <array>
#include <chrono>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/io/arrival_wait.h"
#include "dataplane/io/device_sockets.h"

namespace sallyport::dataplane {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class Waiting : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM, 0, ends.data()), 0); }
  void TearDown() override {
    for (const int end : ends) ::close(end);
  }
  void frame_comes() const { ASSERT_EQ(::send(ends[1], "frame", 5, 0), 5); }
  static Clock::duration lasted(ArrivalWait& waiting, std::chrono::nanoseconds longest) {
    const auto began = Clock::now();
    waiting.wait(longest);
    return Clock::now() - began;
  }

  static constexpr auto soon = 20ms;
  static constexpr auto long_enough = 900ms;
  static constexpr auto woken_before = 600ms;
  std::array<int, 2> ends{};
  Wake wake;
};

TEST_F(Waiting, EndsByItself) {
  ArrivalWait waiting({ends.data(), 1}, wake);
  EXPECT_GE(lasted(waiting, soon), soon);
}

TEST_F(Waiting, AFrameEndsIt) {
  ArrivalWait waiting({ends.data(), 1}, wake);
  std::thread sender([&] {
    std::this_thread::sleep_for(soon);
    frame_comes();
  });
  EXPECT_LT(lasted(waiting, long_enough), woken_before);
  sender.join();
  EXPECT_LT(lasted(waiting, long_enough), woken_before) << "as long as nobody has taken it";
}

TEST_F(Waiting, WhoSignalsEndsItOnce) {
  ArrivalWait waiting({ends.data(), 1}, wake);
  wake.signal();
  wake.signal();
  EXPECT_LT(lasted(waiting, long_enough), woken_before);
  EXPECT_GE(lasted(waiting, soon), soon);
  wake.signal();
  EXPECT_LT(lasted(waiting, long_enough), woken_before);
}

TEST_F(Waiting, WithoutAQueueOfItsOwnItIsSignalled) {
  ArrivalWait waiting({}, wake);
  std::thread other([&] {
    std::this_thread::sleep_for(soon);
    wake.signal();
  });
  EXPECT_LT(lasted(waiting, long_enough), woken_before);
  other.join();
}

// As of an interface that goes down: it is in the socket until somebody asks.
TEST_F(Waiting, AnErrorEndsItOnce) {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in nobody{};
  nobody.sin_family = AF_INET;
  nobody.sin_port = htons(9);
  nobody.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&nobody), sizeof nobody), 0);
  ASSERT_EQ(::send(socket, "x", 1, 0), 1);  // port unreachable
  ArrivalWait waiting({&socket, 1}, wake);
  EXPECT_LT(lasted(waiting, long_enough), woken_before);
  EXPECT_GE(lasted(waiting, soon), soon);
  ::close(socket);
}

TEST(DeviceSockets, AreThoseThatAppearedInTheirOrder) {
  const int before = ::socket(AF_INET, SOCK_DGRAM, 0);
  const DeviceSockets sockets(AF_INET);
  EXPECT_TRUE(sockets.appeared().empty());
  std::vector<int> opened = {::socket(AF_INET, SOCK_DGRAM, 0)};
  const int other_family = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  const int file = ::open("/dev/null", O_RDONLY);
  opened.push_back(::socket(AF_INET, SOCK_DGRAM, 0));
  EXPECT_EQ(sockets.appeared(), opened);
  for (const int descriptor : {before, opened[0], other_family, file, opened[1]}) ::close(descriptor);
  EXPECT_TRUE(sockets.appeared().empty());
}

}  // namespace
}  // namespace sallyport::dataplane
