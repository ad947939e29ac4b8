// Devices as a traffic generator wants them: whole frames out as fast as a device takes them, whole frames in. One
// thread, one queue a device, no gateway behind.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataplane/io/control_log.h"
#include "dataplane/packet.h"
#include "dataplane/routing.h"

namespace sallyport::dataplane {

class GeneratorPorts {
 public:
  static constexpr std::size_t burst_max = 64;

  // Device texts as in [[port]]. One object a process: DPDK cannot be started twice. Throws EnvironmentError.
  GeneratorPorts(const std::vector<std::string>& devices, std::uint16_t mtu, const Log& log);
  ~GeneratorPorts();
  GeneratorPorts(const GeneratorPorts&) = delete;
  GeneratorPorts& operator=(const GeneratorPorts&) = delete;

  [[nodiscard]] std::size_t count() const noexcept;
  [[nodiscard]] MacAddress mac(std::size_t port) const noexcept;
  // Of a frame without its check sequence.
  [[nodiscard]] std::uint32_t frame_bytes_max() const noexcept;
  // Frames that found the receive queue full, of all devices.
  [[nodiscard]] std::uint64_t missed() const noexcept;

  // Buffers of `frame_bytes_max()` bytes to be filled, all of the span or none; at most burst_max.
  [[nodiscard]] bool take(std::span<Packet> frames) noexcept;
  // How many the device took, the first ones; the others stay with the caller.
  [[nodiscard]] std::size_t send(std::size_t port, std::span<const Packet> frames) noexcept;
  // What came in, in one piece each. At most burst_max.
  [[nodiscard]] std::size_t receive(std::size_t port, std::span<Packet> frames) noexcept;
  void give_back(std::span<const Packet> frames) noexcept;

  // A clock that costs nothing to read.
  [[nodiscard]] static std::uint64_t cycles() noexcept;
  [[nodiscard]] static std::uint64_t cycles_per_second() noexcept;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace sallyport::dataplane
