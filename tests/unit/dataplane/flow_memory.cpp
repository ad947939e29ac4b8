#include <algorithm>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dataplane/flow/memory.h"

namespace sallyport::dataplane {
namespace {

// Pages of the block that the kernel has found memory for.
template <typename T>
[[nodiscard]] std::size_t pages_there(Block<T>& block) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> there((block.bytes() + page - 1) / page);
  EXPECT_EQ(::mincore(block.data(), block.bytes(), there.data()), 0);
  return static_cast<std::size_t>(std::ranges::count_if(there, [](unsigned char one) { return (one & 1U) != 0; }));
}

TEST(TablesTaken, AreThereBeforeTheyAreTouched) {
  constexpr std::size_t count = 3'000'000;
  Block<std::uint64_t> before(count);
  const TablesTaken tables;
  Block<std::uint64_t> first(count);
  Block<std::uint8_t> second(1);
  first[1] = 7;
  ASSERT_LT(pages_there(first), first.bytes() / 4096);
  if (!tables.populate()) GTEST_SKIP() << "this kernel has no MADV_POPULATE_WRITE";
  EXPECT_EQ(pages_there(first), (first.bytes() + 4095) / 4096);
  EXPECT_EQ(pages_there(second), 1U);
  EXPECT_LT(pages_there(before), before.bytes() / 4096);  // a huge page may reach into it
  EXPECT_EQ(first[1], 7U);
  EXPECT_EQ(first[count - 1], 0U);
}

TEST(TablesTaken, EndWithTheirScope) {
  { const TablesTaken tables; }
  Block<std::uint64_t> later(3'000'000);
  const TablesTaken tables;
  EXPECT_TRUE(tables.populate());
  EXPECT_LT(pages_there(later), later.bytes() / 4096);
}

}  // namespace
}  // namespace sallyport::dataplane
