// When the next packets are due, at a constant rate.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace sallyport::pktgen {

class Pace {
 public:
  // Packets and cycles a second; no rate: always due.
  Pace(std::optional<double> rate, std::uint64_t cycles_per_second) noexcept {
    if (!rate) return;
    packets_a_cycle_ = *rate / static_cast<double>(cycles_per_second);
    // What a busy machine kept from being sent is not made up for by a flood.
    backlog_most_ = std::max(64.0, *rate / 100);
  }

  // How many are due, at most `most`; the caller says by taken() how many it sent.
  [[nodiscard]] std::size_t due(std::uint64_t now_cycles, std::size_t most) noexcept {
    if (packets_a_cycle_ == 0) return most;
    if (last_ != 0) credit_ += static_cast<double>(now_cycles - last_) * packets_a_cycle_;
    last_ = now_cycles;
    credit_ = std::min(credit_, backlog_most_);
    return static_cast<std::size_t>(std::min(static_cast<double>(most), credit_));
  }
  void taken(std::size_t count) noexcept { credit_ -= static_cast<double>(count); }

 private:
  double packets_a_cycle_ = 0;
  double backlog_most_ = 0;
  double credit_ = 0;
  std::uint64_t last_ = 0;
};

}  // namespace sallyport::pktgen
