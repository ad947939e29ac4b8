// How the packets of an egress leave, beside under which address: how fast, and with which mark.
//
// A flow remembers its egress by name and may outlive the policy that chose it, so a treatment is looked up by that
// name when the flow begins and again after a reload, never for a packet.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "classifier/identities.h"
#include "config/policy_model.h"

namespace sallyport::classifier {

struct EgressTreatment {
  static constexpr std::uint8_t keep_dscp = 0xff;

  std::uint16_t meter = 0;  // place among the policy's bandwidths, from 1; 0: as fast as it comes
  std::uint8_t dscp = keep_dscp;

  [[nodiscard]] bool is_none() const noexcept { return meter == 0 && dscp == keep_dscp; }
};

struct EgressBandwidth {
  Id egress = 0;
  config::Bandwidth bandwidth;
};

class EgressTreatments {
 public:
  EgressTreatments(const config::PolicyModel& model, Identities& identities);

  [[nodiscard]] EgressTreatment of(Id egress) const noexcept;
  [[nodiscard]] std::span<const EgressBandwidth> bandwidths() const noexcept { return bandwidths_; }

 private:
  struct Entry {
    Id egress = 0;
    EgressTreatment treatment;
  };
  std::vector<Entry> entries_;  // of egresses that have one, rising
  std::vector<EgressBandwidth> bandwidths_;
};

}  // namespace sallyport::classifier
