#include "src/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sallyport {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Health, NothingIsWrong) { EXPECT_TRUE(problems({}).empty()); }

TEST(Health, EverythingThatIsWrongIsNamed) {
  Health health;
  health.fenced = true;
  health.policy_loaded = false;
  health.standing_workers = {1, 3};
  health.dark_ports = {"outside"};
  EXPECT_THAT(problems(health),
              ElementsAre(HasSubstr("was stopped"), HasSubstr("no valid policy"), "worker 1 stands still",
                          "worker 3 stands still", "port \"outside\" has no link"));
}

TEST(Health, SendersComeToWhoForwardsAndIsNotDrained) {
  const Offer offer;
  EXPECT_TRUE(takes_senders(offer));
  for (bool Offer::*part : {&Offer::active, &Offer::can_forward}) {
    Offer not_so = offer;
    not_so.*part = false;
    EXPECT_FALSE(takes_senders(not_so));
  }
  EXPECT_FALSE(takes_senders({.draining = true, .flows = 5})) << "routing alone moves what is new";
  EXPECT_TRUE(takes_senders({.draining = true, .others_take_new_flows = true, .flows = 1}));
  EXPECT_FALSE(takes_senders({.draining = true, .others_take_new_flows = true, .flows = 0}));
  EXPECT_FALSE(takes_senders({.can_forward = false, .draining = true, .others_take_new_flows = true, .flows = 1}));
}

}  // namespace
}  // namespace sallyport
