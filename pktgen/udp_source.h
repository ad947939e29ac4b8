// `udp`: stamped packets of N flows at a constant rate, or as fast as it goes.
#pragma once

#include "dataplane/io/generator_ports.h"
#include "pktgen/pace.h"
#include "pktgen/sequence_window.h"
#include "pktgen/traffic.h"
#include "pktgen/udp_frames.h"

namespace sallyport::pktgen {

class UdpSource final : public Source {
 public:
  UdpSource(const UdpOptions& options, const dataplane::MacAddress& source, const dataplane::MacAddress& destination)
      : frames_(options, source, destination), pace_(options.rate, dataplane::GeneratorPorts::cycles_per_second()) {}

  std::optional<std::size_t> due(std::uint64_t now_cycles, std::size_t most) override {
    return pace_.due(now_cycles, most);
  }
  std::uint32_t write(std::uint64_t now_cycles, std::uint8_t* bytes) override {
    pace_.taken(1);
    return frames_.write(number_++, now_cycles, bytes);
  }
  Recognised recognise(std::span<const std::uint8_t> frame, std::optional<std::uint64_t>& sent_cycles) override {
    const std::optional<Stamp> stamp = frames_.read(frame);
    if (!stamp) return Recognised::foreign;
    sent_cycles = stamp->cycles;
    return received_.take(stamp->sequence);
  }

 private:
  UdpFrames frames_;
  Pace pace_;
  SequenceWindow received_;
  std::uint64_t number_ = 0;
};

}  // namespace sallyport::pktgen
