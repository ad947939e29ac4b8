// Ten million random packets, or as many as one likes, through the pipeline and the model gateway.
//
// SALLYPORT_SEED replays a run, SALLYPORT_PACKETS says how many packets; without them it is always the same small run,
// and with SALLYPORT_PACKETS alone another one each time. A failure prints the seed of its sequence:
// with it in SALLYPORT_SEED that sequence is the first one.
#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

#include "gateway_pair.h"

namespace sallyport::model {
namespace {

TEST(GatewayProperty, PipelineAndModelAgree) {
  const bool given = std::getenv("SALLYPORT_PACKETS") != nullptr;
  const std::uint64_t first_seed = from_environment("SALLYPORT_SEED", given ? std::random_device{}() : 1);
  dataplane::test::VectorWorld world;
  run_sequences(first_seed, from_environment("SALLYPORT_PACKETS", 200'000), world);
}

}  // namespace
}  // namespace sallyport::model
