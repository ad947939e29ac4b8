// The wheel: who comes up when, and who is told of ahead.
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/flow/flow_table.h"
#include "dataplane/flow/timer_wheel.h"

namespace sallyport::dataplane {
namespace {

class Wheels : public ::testing::Test {
 protected:
  static constexpr std::uint32_t capacity = 8;
  using Numbers = std::vector<FlowNumber>;

  Wheels() { wheel.start(0); }
  FlowNumber add(std::uint32_t delay_ms) {
    (void)flows.begin_draft(FlowKey{});
    const FlowNumber number = flows.keep_draft();
    wheel.add(number, 0, delay_ms);
    return number;
  }
  // Those that have come up by then, who end.
  Numbers come_up(Tick now, std::uint32_t budget = capacity) {
    Numbers due;
    expected.clear();
    wheel.turn(
        now, budget,
        [&](FlowNumber number) {
          wheel.remove(number);
          due.push_back(number);
        },
        [&](FlowNumber number) { expected.push_back(number); });
    return due;
  }

  Random random{1};
  const KeyHash hash{random};
  AddressBook addresses{1, hash};
  FlowTable flows{capacity, hash, addresses};
  TimerWheel wheel{flows};
  Numbers expected;
};

TEST_F(Wheels, BringUpWhoseTimeHasComeAndNobodyElse) {
  const FlowNumber soon = add(300);
  const FlowNumber late = add(5000);
  EXPECT_EQ(come_up(200), Numbers{});
  EXPECT_EQ(come_up(1000), Numbers{soon});
  EXPECT_EQ(expected, Numbers{});
  EXPECT_EQ(come_up(6000), Numbers{late});
}

TEST_F(Wheels, TellOfEachThatComesAfterAnother) {
  for (int i = 0; i < 5; ++i) (void)add(300);
  const Numbers due = come_up(1000);
  ASSERT_EQ(due.size(), 5U);
  EXPECT_EQ(expected, Numbers(due.begin() + 1, due.end()));
}

TEST_F(Wheels, LeaveWhatIsOverTheBudgetToTheNextTurn) {
  for (int i = 0; i < 5; ++i) (void)add(300);
  const Numbers first = come_up(1000, 3);
  EXPECT_EQ(first.size(), 3U);
  const FlowNumber told = expected.back();
  const Numbers rest = come_up(1000, 3);
  ASSERT_EQ(rest.size(), 2U);
  EXPECT_EQ(rest.front(), told);
}

// Who lives on is put ahead while the rest of its list is still to come.
TEST_F(Wheels, GoOnBehindOneThatIsPutAhead) {
  for (int i = 0; i < 4; ++i) (void)add(300);
  Numbers due;
  wheel.turn(
      1000, capacity,
      [&](FlowNumber number) {
        wheel.remove(number);
        wheel.add(number, 1000, 400);
        due.push_back(number);
      },
      [](FlowNumber) {});
  EXPECT_EQ(due.size(), 4U);
  EXPECT_EQ(come_up(2000).size(), 4U);
}

}  // namespace
}  // namespace sallyport::dataplane
