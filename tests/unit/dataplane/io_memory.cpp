#include <sstream>

#include <gtest/gtest.h>

#include "dataplane/io/memory_limit.h"

namespace sallyport::dataplane {
namespace {

TEST(MemoryLimit, WhatTheMachineHas) {
  std::istringstream meminfo("MemTotal:       16000000 kB\nMemFree: 5 kB\nMemAvailable:    2048 kB\nBuffers: 1 kB\n");
  EXPECT_EQ(parse_memory_available(meminfo), 2048U << 10U);
  std::istringstream nothing("MemTotal: 1 kB\n");
  EXPECT_FALSE(parse_memory_available(nothing));
}

TEST(MemoryLimit, WhatTheControlGroupLeaves) {
  const auto left = [](const char* max, const char* current) {
    std::istringstream of_max(max), of_current(current);
    return parse_control_group(of_max, of_current);
  };
  EXPECT_EQ(left("1000\n", "400\n"), 600U);
  EXPECT_EQ(left("1000\n", "4000\n"), 0U);
  EXPECT_FALSE(left("max\n", "400\n"));
  EXPECT_FALSE(left("", ""));
}

TEST(MemoryLimit, ThereIsSome) { EXPECT_GT(available_memory_bytes(), 1U << 20U); }

}  // namespace
}  // namespace sallyport::dataplane
