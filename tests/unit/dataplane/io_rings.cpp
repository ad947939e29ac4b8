// The queues between threads: nothing lost, nothing twice, nothing out of order, full is full.
#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/flow_record.h"
#include "dataplane/io/pointer_ring.h"
#include "dataplane/io/spsc_ring.h"

namespace sallyport::dataplane {
namespace {

// Rings carry pointers, and tell ThreadSanitizer of what they point to: it has to exist.
constexpr std::size_t each = 100'000;
constexpr std::size_t writers = 3;
std::array<char, writers * each> things;
std::size_t number(const void* pointer) {
  return static_cast<std::size_t>(static_cast<const char*>(pointer) - things.data());
}
void* pointer(std::size_t number) { return &things[number]; }

TEST(SpscRing, HoldsAsManyAsItSaysAndThenIsFull) {
  SpscRing<int> ring(5);
  ASSERT_EQ(ring.capacity(), 8U);
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(ring.push(i));
  EXPECT_FALSE(ring.push(8));
  std::array<int, 3> some{};
  ASSERT_EQ(ring.pop(some), 3U);
  EXPECT_EQ(some, (std::array{0, 1, 2}));
  for (int i = 8; i < 11; ++i) ASSERT_TRUE(ring.push(i));
  EXPECT_FALSE(ring.push(11));
  std::array<int, 16> rest{};
  ASSERT_EQ(ring.pop(rest), 8U);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(rest[static_cast<std::size_t>(i)], i + 3);
  EXPECT_EQ(ring.pop(rest), 0U);
}

// Where a place of the ring has held a longer one before, too.
TEST(SpscRing, RecordsCarryTheirTextsAndNoneOfAnothers) {
  SpscRing<FlowRecord> ring(1);
  const auto passed = [&](std::string_view name, std::string_view method, std::string_view url) {
    FlowRecord record;
    record.bytes = {1, name.size()};
    record.name_length = static_cast<std::uint16_t>(name.copy(record.name.data(), record.name.size()));
    record.method_length = static_cast<std::uint8_t>(method.copy(record.method.data(), record.method.size()));
    record.url_length = static_cast<std::uint16_t>(url.copy(record.url.data(), record.url.size()));
    std::array<FlowRecord, 1> out;
    const bool through = ring.push(record) && ring.pop(out) == 1;
    return through && out[0].bytes == record.bytes && out[0].server_name() == name && out[0].http_method() == method &&
           out[0].http_url() == url;
  };
  const std::string longest(record_name_bytes, 'u');
  EXPECT_TRUE(passed("a.example", "GET", longest));
  EXPECT_TRUE(passed("", "", ""));
  EXPECT_TRUE(passed("b.example", "", ""));
  EXPECT_TRUE(passed("", "PUT", ""));
  EXPECT_TRUE(passed("", "", "/"));
}

TEST(SpscRing, TwoThreadsSeeEveryValueOnceAndInOrder) {
  constexpr std::uint64_t count = 300'000;
  struct Wide {
    std::uint64_t first, second;
  };
  SpscRing<Wide> ring(64);
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < count;) {
      if (ring.push({i, ~i})) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
  });
  std::uint64_t next = 0;
  std::array<Wide, 17> batch;
  while (next < count) {
    const std::size_t taken = ring.pop(batch);
    for (std::size_t i = 0; i < taken; ++i, ++next) {
      ASSERT_EQ(batch[i].first, next);
      ASSERT_EQ(batch[i].second, ~next);
    }
    if (taken == 0) std::this_thread::yield();
  }
  writer.join();
}

TEST(PointerRing, TakesTheFirstOnesThatFit) {
  PointerRing ring(5);
  EXPECT_TRUE(ring.empty());
  std::array<void*, 8> in;
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = pointer(i + 1);
  EXPECT_EQ(ring.push(in), 5U);
  EXPECT_FALSE(ring.empty());
  EXPECT_EQ(ring.push(in), 0U);
  std::array<void*, 8> out{};
  ASSERT_EQ(ring.pop(out), 5U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(out[i], in[i]);
  EXPECT_TRUE(ring.empty());
}

TEST(PointerRing, SeveralWritersLoseNothingAndKeepTheirOrder) {
  PointerRing ring(64);
  std::vector<std::thread> threads;
  for (std::size_t writer = 0; writer < writers; ++writer) {
    threads.emplace_back([&ring, writer] {
      for (std::size_t i = 0; i < each;) {
        std::array<void*, 4> burst;
        const auto count = std::min(burst.size(), each - i);
        for (std::size_t k = 0; k < count; ++k) burst[k] = pointer(writer * each + i + k);
        const std::size_t taken = ring.push(std::span(burst).first(count));
        i += taken;
        if (taken == 0) std::this_thread::yield();
      }
    });
  }
  std::array<std::size_t, writers> next{};
  std::array<void*, 32> batch;
  for (std::size_t seen = 0; seen < writers * each;) {
    const std::size_t taken = ring.pop(batch);
    for (std::size_t i = 0; i < taken; ++i, ++seen) {
      const std::size_t writer = number(batch[i]) / each;
      ASSERT_LT(writer, writers);
      ASSERT_EQ(number(batch[i]) % each, next[writer]++);
    }
    if (taken == 0) std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace sallyport::dataplane
