// The set of taken ports against a plain set.
#include <cstdint>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "dataplane/flow/key_hash.h"
#include "dataplane/flow/port_set.h"

namespace sallyport::dataplane {
namespace {

class PortSets : public ::testing::Test {
 protected:
  static constexpr std::uint32_t ports = 4096;
  static constexpr std::uint32_t hints_of_a_protocol = 1U << 14U;
  Random random{7};
  const KeyHash hash{random};
  PortSet set{ports, hash};
};

TEST_F(PortSets, HoldsWhatWasAddedAndNothingBeside) {
  std::set<std::tuple<std::uint32_t, int, std::uint16_t>> model;
  for (int i = 0; i < 200'000; ++i) {
    const bool udp = random.below(2) != 0;
    // Some of them share their hints.
    const std::uint32_t address = 1 + random.below(3) + random.below(2) * hints_of_a_protocol;
    const PortSet::Port port{address, udp ? IpProtocol::udp : IpProtocol::icmp,
                             static_cast<std::uint16_t>(random.below(2000) * 32)};
    const std::tuple key{port.address, udp ? 1 : 0, port.port};
    const bool taken = model.contains(key);
    ASSERT_EQ(set.contains(port), taken);
    ASSERT_LE(set.glance(port), taken);
    if (model.erase(key) != 0) {
      set.remove(port);
    } else if (model.size() < ports) {
      ASSERT_TRUE(set.add(port));
      model.insert(key);
    }
  }
}

// Whose hints nobody shares is seen at a glance.
TEST_F(PortSets, AreSeenAtAGlance) {
  const PortSet::Port first{1, IpProtocol::udp, 4000}, second{1, IpProtocol::udp, 4001};
  EXPECT_FALSE(set.glance(first));
  ASSERT_TRUE(set.add(first));
  EXPECT_TRUE(set.glance(first));
  EXPECT_FALSE(set.glance(second));
  set.remove(first);
  EXPECT_FALSE(set.glance(first));
}

// As many ports as it was made for, each in a line of its own, and again once they are gone.
TEST_F(PortSets, HasRoomForEveryPortAlone) {
  for (int round = 0; round < 2; ++round) {
    for (std::uint32_t i = 0; i < ports; ++i) ASSERT_TRUE(set.add({i + 1, IpProtocol::udp, 65535}));
    EXPECT_FALSE(set.add({ports + 1, IpProtocol::udp, 65535}));
    for (std::uint32_t i = 0; i < ports; ++i) set.remove({i + 1, IpProtocol::udp, 65535});
  }
}

}  // namespace
}  // namespace sallyport::dataplane
