// What passes between the control plane and workers that never wait: snapshots and letters.
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/io/quiescence.h"
#include "dataplane/mailbox.h"
#include "dataplane/snapshot.h"

namespace sallyport::dataplane {
namespace {

std::unique_ptr<const Snapshot> snapshot(std::uint32_t generation) {
  Snapshot made;
  made.routing = Routing::two_wires(0, 1);
  made.generation = generation;
  return std::make_unique<const Snapshot>(std::move(made));
}

TEST(Quiescence, PublishWaitsForAWorkerInTheMiddleOfATurn) {
  Quiescence quiescence(2, snapshot(1));
  quiescence.online(0);  // worker 1 stays offline: it holds nothing
  const std::weak_ptr<const Routing> old = quiescence.current().routing;
  std::atomic<bool> published{false};
  std::thread control([&] {
    quiescence.publish(snapshot(2));
    published = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_FALSE(published);
  EXPECT_FALSE(old.expired());
  EXPECT_EQ(quiescence.current().generation, 2U);
  quiescence.quiescent(0);
  control.join();
  EXPECT_TRUE(old.expired());
  quiescence.offline(0);
  quiescence.publish(snapshot(3));  // nobody to wait for
  EXPECT_EQ(quiescence.current().generation, 3U);
}

TEST(Quiescence, WorkersNeverSeeASnapshotThatWasFreed) {
  constexpr std::uint32_t workers = 3;
  Quiescence quiescence(workers, snapshot(1));
  std::atomic<bool> ended{false};
  std::vector<std::thread> threads;
  for (std::uint32_t worker = 0; worker < workers; ++worker) {
    threads.emplace_back([&, worker] {
      quiescence.online(worker);
      std::uint32_t last = 0;
      while (!ended) {
        const Snapshot& seen = quiescence.current();
        EXPECT_GE(seen.generation, last);
        last = seen.generation;
        EXPECT_EQ(seen.routing->next(IpAddress{}, true).port, 1);  // freed memory: caught by the sanitizers
        quiescence.quiescent(worker);
        if (last % 16 == 0) {
          quiescence.offline(worker);
          quiescence.online(worker);
        }
      }
      quiescence.offline(worker);
    });
  }
  std::thread second([&] {
    for (int i = 0; i < 100; ++i) quiescence.publish(snapshot(1'000'000));
  });
  second.join();
  for (std::uint32_t generation = 1'000'001; generation < 1'000'200; ++generation) {
    quiescence.publish(snapshot(generation));
  }
  ended = true;
  for (std::thread& thread : threads) thread.join();
}

TEST(Mailbox, TasksRunOnTheWorkersThreadOneAtATime) {
  Wake wake;
  Mailbox mailbox(wake);
  std::atomic<bool> ended{false};
  std::thread::id worker_id;
  std::thread worker([&] {
    worker_id = std::this_thread::get_id();
    while (!ended) (void)mailbox.serve();
    mailbox.close();
  });
  int calls = 0;  // touched by tasks alone
  std::vector<std::thread> askers;
  for (int i = 0; i < 3; ++i) {
    askers.emplace_back([&] {
      for (int k = 0; k < 50; ++k) {
        std::thread::id ran_on;
        EXPECT_TRUE(mailbox.ask([&]() noexcept {
          ran_on = std::this_thread::get_id();
          ++calls;
        }));
        EXPECT_EQ(ran_on, worker_id);
      }
    });
  }
  for (std::thread& asker : askers) asker.join();
  ended = true;
  worker.join();
  EXPECT_EQ(calls, 150);
}

TEST(Mailbox, AnEndedWorkerAnswersNoLetter) {
  Wake wake;
  Mailbox mailbox(wake);
  mailbox.close();
  bool called = false;
  EXPECT_FALSE(mailbox.ask([&]() noexcept { called = true; }));
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace sallyport::dataplane
