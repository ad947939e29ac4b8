// An eighth of an overloaded worker's time: the account, and what a pipeline makes of it.
#include "dataplane/opening_budget.h"

#include <array>
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/dataplane/pipeline_harness.h"
#include "tests/unit/dataplane/policies.h"

namespace sallyport::dataplane {
namespace {

constexpr std::size_t burst = 32;
constexpr std::size_t some_new = 16;  // of a burst
constexpr OpeningBudget::Cycles whole = 30'000;
constexpr OpeningBudget::Cycles eighth = whole / OpeningBudget::share;

TEST(OpeningBudgets, AreOverdrawnByMoreThanAnEighthOfTheTime) {
  OpeningBudget budget;
  budget.set_strained(true);
  for (int i = 0; i < 10'000; ++i) budget.settle(burst, some_new, whole, eighth);
  EXPECT_FALSE(budget.overdrawn());
  for (int i = 0; i < 10'000; ++i) budget.settle(burst, some_new, whole, eighth + 1000);
  EXPECT_TRUE(budget.overdrawn());
}

TEST(OpeningBudgets, ArePaidBackBeforeTheNextFlowIsOpened) {
  OpeningBudget budget;
  budget.set_strained(true);
  budget.settle(burst, some_new, whole, OpeningBudget::credit + 2 * eighth);
  ASSERT_TRUE(budget.overdrawn());
  budget.settle(burst, 0, whole, 0);
  EXPECT_FALSE(budget.overdrawn());
}

// Who was kept from working for long pays no longer than for what a millisecond costs.
TEST(OpeningBudgets, OweNoMoreThanTheirCredit) {
  OpeningBudget budget;
  budget.set_strained(true);
  budget.settle(burst, some_new, 1000 * OpeningBudget::credit, 1000 * OpeningBudget::credit);
  ASSERT_TRUE(budget.overdrawn());
  budget.settle(burst, some_new, OpeningBudget::share * OpeningBudget::credit, 0);
  EXPECT_FALSE(budget.overdrawn());
}

// What was left over long ago is nothing to spend at once.
TEST(OpeningBudgets, SaveUpNoMoreThanTheirCredit) {
  OpeningBudget budget;
  budget.set_strained(true);
  for (int i = 0; i < 10'000; ++i) budget.settle(burst, 0, whole, 0);
  budget.settle(burst, some_new, whole, OpeningBudget::credit + eighth + 1);
  EXPECT_TRUE(budget.overdrawn());
}

TEST(OpeningBudgets, HaveAllTheTimeWhereNobodyElseNeedsIt) {
  OpeningBudget budget;
  budget.set_strained(true);
  for (int i = 0; i < 10'000; ++i) budget.settle(burst, burst - 1, whole, whole);
  EXPECT_FALSE(budget.overdrawn());
}

TEST(OpeningBudgets, AreNewWhenNoPacketsWait) {
  OpeningBudget budget;
  budget.set_strained(true);
  budget.settle(burst, some_new, whole, 2 * OpeningBudget::credit);
  ASSERT_TRUE(budget.overdrawn());
  budget.set_strained(false);
  EXPECT_FALSE(budget.overdrawn());
}

// Bursts of packets of an established flow and of new ones, half and half, at a gateway with room for all.
class OverloadedGateways : public ::testing::Test {
 protected:
  static constexpr std::uint32_t rounds = 400;

  static PipelineSettings roomy() {
    PipelineSettings settings = test::two_ports();
    settings.limits.flows = 2 * rounds * burst;
    return settings;
  }
  // Of the established flow those that passed, of the others as well.
  struct Passed {
    std::uint32_t established = 0, opened = 0;
  };
  Passed pass(std::uint32_t first) {
    Passed passed;
    for (std::uint32_t round = first; round < first + rounds; ++round) {
      std::array<Packet, burst> packets{};
      for (std::uint32_t i = 0; i < burst; ++i) put(packets[i], i % 2 == 0 ? established_frame : new_frame(round, i));
      gateway.pipeline.process(test::Gateway::inside, packets, gateway.now += 1000, gateway.snapshot);
      for (const test::Frame& frame : gateway.world.sent[test::Gateway::outside]) {
        ++(test::look_at(frame).to_port() == 53 ? passed.established : passed.opened);
      }
      gateway.world.sent[test::Gateway::outside].clear();
    }
    gateway.expect_balance();
    return passed;
  }
  void put(Packet& packet, const test::Frame& frame) {
    ASSERT_TRUE(gateway.world.allocate(static_cast<std::uint32_t>(frame.size()), packet));
    std::copy(frame.begin(), frame.end(), packet.data);
  }
  static test::Frame new_frame(std::uint32_t round, std::uint32_t i) {
    const auto port = static_cast<std::uint16_t>(1024 + i);
    return test::udp(test::End(to_string(IpAddress::from_v4(0x0a010000U + round)), port), test::End("192.0.2.1", 4433));
  }

  test::Gateway gateway{test::allow_all, roomy()};
  const test::Frame established_frame = test::udp(test::End("10.9.9.9", 5000), test::End("192.0.2.1", 53));
};

TEST_F(OverloadedGateways, OpenAllFlowsWhileNoPacketsWait) {
  const Passed passed = pass(0);
  EXPECT_EQ(passed.established, rounds * burst / 2);
  EXPECT_EQ(passed.opened, rounds * burst / 2);
}

TEST_F(OverloadedGateways, PutEstablishedFlowsFirst) {
  gateway.pipeline.set_strained(true);
  const Passed passed = pass(0);
  EXPECT_EQ(passed.established, rounds * burst / 2);
  EXPECT_GT(passed.opened, 0U);
  EXPECT_EQ(passed.opened + gateway.dropped(Drop::worker_overloaded), rounds * burst / 2);
  EXPECT_GT(gateway.dropped(Drop::worker_overloaded), 0U);

  gateway.pipeline.set_strained(false);
  EXPECT_EQ(pass(rounds).opened, rounds * burst / 2);
}

}  // namespace
}  // namespace sallyport::dataplane
