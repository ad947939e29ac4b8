#include "src/reload_queue.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace sallyport {
namespace {

using Kind = ReloadResult::Kind;

TEST(ReloadQueue, OneAskingIsTakenOnce) {
  ReloadQueue queue;
  const auto asked = queue.ask();
  const auto taken = queue.take();
  ASSERT_EQ(taken, asked);
  queue.finish(*taken, {Kind::published, "done"});
  EXPECT_EQ(queue.wait(asked)->text, "done");
}

TEST(ReloadQueue, Case142AskingTwiceDuringALoadCoalescesIntoOneMore) {
  ReloadQueue queue;
  const auto first = queue.ask();
  const auto taken_first = queue.take();
  const auto second = queue.ask();
  const auto third = queue.ask();
  queue.finish(*taken_first, {Kind::published, "one"});
  EXPECT_EQ(queue.wait(first)->text, "one");

  const auto taken_both = queue.take();
  ASSERT_EQ(taken_both, third);
  queue.finish(*taken_both, {Kind::refused, "two"});
  EXPECT_EQ(queue.wait(second)->text, "two");
  EXPECT_EQ(queue.wait(third)->text, "two");

  queue.stop();
  EXPECT_FALSE(queue.take()) << "nothing is left to be loaded";
}

TEST(ReloadQueue, ALoadThatHadBegunDoesNotAnswerWhoCameLater) {
  ReloadQueue queue;
  (void)queue.ask();
  const auto taken = queue.take();
  const auto late = queue.ask();
  queue.finish(*taken, {Kind::published, "old file"});
  std::atomic<bool> answered = false;
  std::string text;
  std::thread waiter([&] {
    text = queue.wait(late)->text;
    answered = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(answered);
  queue.finish(*queue.take(), {Kind::published, "new file"});
  waiter.join();
  EXPECT_EQ(text, "new file");
}

TEST(ReloadQueue, StoppingLetsEverybodyGo) {
  ReloadQueue queue;
  std::thread loader([&] { EXPECT_FALSE(queue.take()); });
  std::vector<std::thread> waiters;
  queue.stop();
  loader.join();
  EXPECT_FALSE(queue.wait(queue.ask()));
}

TEST(ReloadQueue, AStormOfAskersIsAnsweredByFewLoads) {
  ReloadQueue queue;
  std::atomic<int> loads = 0;
  std::thread loader([&] {
    while (const auto ticket = queue.take()) {
      ++loads;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      queue.finish(*ticket, {Kind::published, "done"});
    }
  });
  std::vector<std::thread> askers;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 8; ++i) {
    askers.emplace_back([&] {
      for (int turn = 0; turn < 5; ++turn) answered += queue.wait(queue.ask()) ? 1 : 0;
    });
  }
  for (std::thread& asker : askers) asker.join();
  queue.stop();
  loader.join();
  EXPECT_EQ(answered, 40);
  EXPECT_LE(loads, 20);
  EXPECT_GE(loads, 5);
}

}  // namespace
}  // namespace sallyport
