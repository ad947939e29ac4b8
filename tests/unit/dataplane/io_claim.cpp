#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <unistd.h>

#include "dataplane/io/interface_claim.h"

namespace sallyport::dataplane {
namespace {

// A name of this test's own: abstract sockets are shared by the whole network namespace.
std::string own_name(const char* name) { return std::string(name) + std::to_string(::getpid()); }

TEST(InterfaceClaim, OneAtATime) {
  std::optional<InterfaceClaim> first(own_name("eth1."));
  EXPECT_TRUE(first->held());
  EXPECT_FALSE(InterfaceClaim(own_name("eth1.")).held());
  EXPECT_TRUE(InterfaceClaim(own_name("eth2.")).held());
  first.reset();
  EXPECT_TRUE(InterfaceClaim(own_name("eth1.")).held());
}

TEST(InterfaceClaim, MovesWithItsHolder) {
  InterfaceClaim first(own_name("eth3."));
  const InterfaceClaim moved(std::move(first));
  EXPECT_TRUE(moved.held());
  EXPECT_FALSE(InterfaceClaim(own_name("eth3.")).held());
}

}  // namespace
}  // namespace sallyport::dataplane
