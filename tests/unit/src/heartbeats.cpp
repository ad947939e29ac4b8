// Which workers stand still, and which only seem to.
#include "src/heartbeats.h"

#include <vector>

#include <gtest/gtest.h>

namespace sallyport {
namespace {

using Workers = std::vector<unsigned>;

TEST(Heartbeats, WhoStandsIsNamedUntilAllTurn) {
  Heartbeats beats;
  EXPECT_EQ(beats.standing({0, 0, 0}), Workers{}) << "nothing to compare with yet";
  EXPECT_EQ(beats.standing({1, 1, 1}), Workers{});
  EXPECT_EQ(beats.standing({2, 1, 2}), Workers{1});
  EXPECT_EQ(beats.standing({3, 1, 2}), Workers{1}) << "the third has turned since all did";
  EXPECT_EQ(beats.standing({1, 1, 1}), (Workers{0, 1, 2}));
  EXPECT_EQ(beats.standing({4, 2, 3}), Workers{});
  EXPECT_EQ(beats.standing({4, 2}), (Workers{0, 1}));
}

}  // namespace
}  // namespace sallyport
