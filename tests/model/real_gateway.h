// The gateway that the model is compared with: a pipeline between two vectors, packet by packet, and what has become of
// each.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "classifier/policy.h"
#include "dataplane/pipeline.h"
#include "gateway_model.h"
#include "tests/unit/dataplane/vector_world.h"

namespace sallyport::model {

class RealGateway {
 public:
  // `now` in milliseconds, here and below. The world outlives the gateway.
  RealGateway(const Site& site, std::uint64_t now, dataplane::test::VectorWorld& world);

  // False: the policy does not compile.
  [[nodiscard]] bool load(const config::PolicyModel& policy);
  [[nodiscard]] Outcome advance(std::uint64_t now);
  [[nodiscard]] Outcome receive(unsigned port, const Bytes& frame);
  // The end: what it holds comes back.
  void finish();

  // Of a flow as its client sees it; nothing: there is none.
  [[nodiscard]] std::optional<End> translation(const FlowName& name) const;
  [[nodiscard]] std::uint64_t held() const;
  // Received = transmitted + held + what was dropped.
  [[nodiscard]] bool balances() const;

 private:
  // What has come of the last call.
  [[nodiscard]] Outcome outcome();

  dataplane::test::VectorWorld& world_;
  classifier::Identities identities_;
  dataplane::Pipeline pipeline_;
  std::shared_ptr<const dataplane::Routing> routing_;
  dataplane::Instant now_;
  dataplane::Snapshot snapshot_;
  std::uint32_t generation_ = 0;
  std::array<std::uint64_t, dataplane::drop_count> dropped_{};
};

}  // namespace sallyport::model
