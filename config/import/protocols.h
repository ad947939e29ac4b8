// Protocols as Kubernetes spells them.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "config/policy_model.h"

namespace sallyport::config {

[[nodiscard]] inline std::optional<Protocol> protocol_of(std::string_view text) noexcept {
  constexpr std::array<std::pair<std::string_view, Protocol>, 3> known{
      {{"TCP", Protocol::tcp}, {"UDP", Protocol::udp}, {"SCTP", Protocol::sctp}}};
  for (const auto& [name, protocol] : known) {
    if (name == text) return protocol;
  }
  return std::nullopt;
}

}  // namespace sallyport::config
