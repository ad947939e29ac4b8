// What only some flows have: handed out on need, taken back with the flow.
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/flow/flow_table.h"

namespace sallyport::dataplane {
namespace {

class FlowExtrasOfATable : public ::testing::Test {
 protected:
  static constexpr std::uint32_t capacity = 4;
  Random random{1};
  const KeyHash hash{random};
  AddressBook addresses{1, hash};
  FlowTable flows{capacity, hash, addresses};

  [[nodiscard]] FlowNumber open(std::uint32_t domain) {
    FlowKey key;
    key.source_port = static_cast<std::uint16_t>(domain);
    flows.note(flows.begin_draft(key), &FlowExtras::domain, domain);
    return flows.keep_draft();
  }
};

TEST_F(FlowExtrasOfATable, AreZeroWhereThereAreNone) {
  const FlowNumber plain = open(0);
  EXPECT_EQ(flows.facts(plain).extras, 0U);
  EXPECT_EQ(flows.extras(plain).domain, 0U);
  flows.note(flows[plain], &FlowExtras::follow, 0U);
  EXPECT_EQ(flows.facts(plain).extras, 0U);
}

TEST_F(FlowExtrasOfATable, GoWithTheDraftIntoTheTable) {
  const FlowNumber first = open(11);
  const FlowNumber second = open(22);
  EXPECT_EQ(flows.extras(first).domain, 11U);
  EXPECT_EQ(flows.extras(second).domain, 22U);
  flows.note(flows[first], &FlowExtras::domain, 0U);
  EXPECT_EQ(flows.extras(first).domain, 0U);
  EXPECT_EQ(flows.extras(second).domain, 22U);
}

// Every flow may have some, and the draft besides; those of a draft that was not kept are there for the next one.
TEST_F(FlowExtrasOfATable, SufficeForEverybodyAndComeBackEmpty) {
  for (std::uint32_t round = 0; round < 3; ++round) {
    std::vector<FlowNumber> numbers;
    for (std::uint32_t i = 0; i < capacity; ++i) numbers.push_back(open(100 + i));
    for (int refused = 0; refused < 3; ++refused) EXPECT_EQ(open(999), 0U);
    for (std::uint32_t i = 0; i < capacity; ++i) {
      EXPECT_EQ(flows.extras(numbers[i]).domain, 100 + i);
      flows.own_extras(numbers[i]).follow = 5;
      flows.give_back(numbers[i]);
    }
    const FlowNumber fresh = open(1);
    EXPECT_EQ(flows.extras(fresh).follow, 0U);
    flows.give_back(fresh);
  }
}

}  // namespace
}  // namespace sallyport::dataplane
