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

}  // namespace
}  // namespace sallyport
