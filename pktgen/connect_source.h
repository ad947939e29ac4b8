// `connect`: begins connections for a while, lets those under way come to an end, then closes all that are open, so
// that one that somebody lost in between is found out.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "pktgen/connections.h"
#include "pktgen/pace.h"
#include "pktgen/traffic.h"

namespace sallyport::pktgen {

class ConnectSource final : public Source {
 public:
  ConnectSource(const ConnectOptions& options, std::vector<std::string> names, const dataplane::MacAddress& source,
                const dataplane::MacAddress& destination);

  std::optional<std::size_t> due(std::uint64_t now_cycles, std::size_t most) override;
  std::uint32_t write(std::uint64_t now_cycles, std::uint8_t* bytes) override;
  Recognised recognise(std::span<const std::uint8_t> frame, std::optional<std::uint64_t>& sent_cycles) override;
  bool wind_up() override;
  // It has waited itself for what was to come.
  [[nodiscard]] std::chrono::milliseconds wait_for_late() const override { return {}; }
  [[nodiscard]] std::string progress() const override;

  [[nodiscard]] ConnectReport report() const;

 private:
  enum class Phase : std::uint8_t { opening, settling, closing, over };
  void advance(std::uint64_t now_cycles);

  Connections connections_;
  Pace pace_;
  const Rate rate_;
  const std::uint32_t sources_;
  const std::uint64_t opening_cycles_;
  const std::uint64_t timeout_cycles_;
  Phase phase_ = Phase::opening;
  std::uint64_t began_ = 0;  // cycles; 0: not yet
  std::uint64_t opened_for_ = 0;
  std::uint64_t last_close_ = 0;
  std::uint64_t last_frame_ = 0;  // sent or received
};

}  // namespace sallyport::pktgen
