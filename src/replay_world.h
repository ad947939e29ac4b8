// Replay's surroundings of a pipeline: buffers from a region of its own, wires that are files, a flow log that is a
// file, no kernel.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "classifier/identities.h"
#include "dataplane/pipeline.h"
#include "dataplane/world.h"
#include "src/capture_writer.h"
#include "src/flow_record_json.h"
#include "src/output_file.h"

namespace sallyport {

// Packet buffers of one size, handed out last in, first out, so that a replay that holds nothing lives in one of them.
// The region is only reserved; memory is taken by the pages that packets touch.
class ReplayBuffers {
 public:
  static constexpr std::uint32_t headroom = 128;
  // The largest IP packet behind an Ethernet header and tags.
  static constexpr std::uint32_t frame_bytes_max = 65535 + 40 + 14 + 4 * 4;

  // Throws std::bad_alloc.
  ReplayBuffers();
  ReplayBuffers(const ReplayBuffers&) = delete;
  ReplayBuffers& operator=(const ReplayBuffers&) = delete;
  ~ReplayBuffers();

  // False: none left.
  [[nodiscard]] bool take(dataplane::Packet& packet) noexcept;
  void give_back(const dataplane::Packet& packet) noexcept;

 private:
  std::uint8_t* region_ = nullptr;
  std::uint32_t count_ = 0;  // buffers in the region
  std::uint32_t fresh_ = 0;  // from here on never used
  std::uint32_t free_ = 0;   // 1 + the number of the buffer given back last, which holds the one before; 0: none
};

struct ReplayOutputs {
  CaptureWriter all;                                        // one interface a port
  std::array<CaptureWriter, dataplane::ports_max> of_port;  // one interface
  OutputFile flows;
};

class ReplayWorld final : public dataplane::World {
 public:
  ReplayWorld(ReplayOutputs& outputs, const classifier::Identities& identities)
      : outputs_(outputs), identities_(identities) {}

  void set_time(dataplane::Instant now) noexcept { now_ = now; }
  [[nodiscard]] bool take_buffer(dataplane::Packet& packet) noexcept { return buffers_.take(packet); }
  void give_back(const dataplane::Packet& packet) noexcept { buffers_.give_back(packet); }

  [[nodiscard]] std::size_t transmit(dataplane::PortIndex port, std::span<dataplane::Packet> packets) noexcept override;
  void release(std::span<dataplane::Packet> packets) noexcept override;
  [[nodiscard]] bool allocate(std::uint32_t length, dataplane::Packet& packet) noexcept override;
  void to_kernel(dataplane::PortIndex port, dataplane::Packet packet) noexcept override;
  void record(const dataplane::FlowRecord& record) noexcept override;
  void resolve(dataplane::PortIndex port, const IpAddress& next_hop) noexcept override;

 private:
  ReplayOutputs& outputs_;
  const classifier::Identities& identities_;
  ReplayBuffers buffers_;
  JsonBuffer line_;
  dataplane::Instant now_ = 0;
};

}  // namespace sallyport
