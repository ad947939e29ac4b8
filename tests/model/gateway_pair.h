// The pipeline and the model gateway, side by side under the same random packets, pauses and reloads.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "gateway_model.h"
#include "random_traffic.h"
#include "real_gateway.h"

namespace sallyport::model {

// What came up; a run that misses some of it proves little.
using Tally = std::map<std::string, std::uint64_t>;

// The same seed makes the same sequence. A difference is a fatal failure of the test that runs it.
class GatewayPair {
 public:
  GatewayPair(std::uint64_t seed, dataplane::test::VectorWorld& world);

  // So many packets, and the end; adds to the tally.
  void run(std::uint64_t packets, Tally& tally);

 private:
  void reload();
  void step();
  // The pieces of a datagram have one identification, and it is not the last one's.
  void identify(Outcome& expected, const Outcome& seen);
  void compare(const Outcome& expected, const Outcome& seen);
  void note(const std::string& what);
  // What came last, and what became of the last one; `expected` may be null.
  [[nodiscard]] std::string history(const Outcome* expected, const Outcome& seen) const;

  RandomTraffic traffic_;
  Site site_;
  std::uint64_t now_;
  dataplane::test::VectorWorld& world_;
  RealGateway real_;
  GatewayModel model_;
  std::deque<std::string> last_;
  std::optional<std::uint32_t> last_identification_;
  Tally tally_;
};

// So many packets, in sequences of a seed each, from this one on; ends with the first difference, and says how to
// replay it.
void run_sequences(std::uint64_t first_seed, std::uint64_t packets, dataplane::test::VectorWorld& world);

// An environment variable as a number.
[[nodiscard]] std::uint64_t from_environment(const char* name, std::uint64_t otherwise);

}  // namespace sallyport::model
