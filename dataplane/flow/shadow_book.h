// What the shadow policy said of each flow, beside the flow table: a flow itself has no room, and without a shadow
// policy none of this is there.
#pragma once

#include <cstdint>

#include "classifier/decision.h"
#include "dataplane/flow/flow.h"
#include "dataplane/flow/memory.h"

namespace sallyport::dataplane {

struct ShadowVerdict {
  enum class State : std::uint8_t {
    none,
    pending,  // it is said when the real policy has decided, or when the flow has shown its name
    settled,
  };
  classifier::Id rule, network;
  classifier::Action action;  // needs_name: the flow was denied before it could show one
  classifier::Reason reason;
  classifier::Layer layer;
  State state;
};
static_assert(sizeof(ShadowVerdict) == 12);

class ShadowBook {
 public:
  // 0 flows: there is no shadow policy.
  explicit ShadowBook(std::uint32_t flows) : verdicts_(flows == 0 ? 0 : std::size_t{flows} + 1) {}

  [[nodiscard]] bool enabled() const noexcept { return verdicts_.size() != 0; }
  // Number 0: the flow that is just being refused and is not remembered.
  [[nodiscard]] ShadowVerdict& operator[](FlowNumber flow) noexcept { return verdicts_[flow]; }
  [[nodiscard]] const ShadowVerdict& operator[](FlowNumber flow) const noexcept { return verdicts_[flow]; }
  [[nodiscard]] std::size_t bytes() const noexcept { return verdicts_.bytes(); }

 private:
  Block<ShadowVerdict> verdicts_;
};

}  // namespace sallyport::dataplane
