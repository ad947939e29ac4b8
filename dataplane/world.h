// What the pipeline wants of its surroundings: buffers, wires, a log, a kernel. `run` gives it a worker's devices,
// `replay` two files, a test two vectors. Calls are a burst each where they are frequent.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "config/address.h"
#include "dataplane/flow_record.h"
#include "dataplane/packet.h"
#include "dataplane/tap/onlooker.h"

namespace sallyport::dataplane {

// What a burst goes through, one after the other.
enum class Stage : std::uint8_t {
  receive,   // out of the device's queue or a neighbour's ring
  parse,     // and put together, and taken out of tunnels
  look_up,   // hashed, and the tables' lines asked for
  handle,    // decided, translated, or ended
  transmit,  // into the device's queue; buffers given back
};
inline constexpr std::array<std::string_view, 5> stage_names = {"receive", "parse", "look_up", "handle", "transmit"};

class World {
 public:
  World() = default;
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  virtual ~World() = default;

  // Takes the packets. Answers how many the wire could not take: these are released by the callee and counted by the
  // pipeline as transmit_queue_full (always the last ones of the span).
  [[nodiscard]] virtual std::size_t transmit(PortIndex port, std::span<Packet> packets) noexcept = 0;
  // Takes the packets back; their buffers may be used again.
  virtual void release(std::span<Packet> packets) noexcept = 0;
  // A buffer for a packet of the gateway's own: `length` bytes writable at data, 128 of headroom. False: none left.
  [[nodiscard]] virtual bool allocate(std::uint32_t length, Packet& packet) noexcept = 0;
  // For the kernel behind the port: ARP, neighbour discovery, whatever is addressed to the gateway itself. Takes it.
  virtual void to_kernel(PortIndex port, Packet packet) noexcept = 0;
  // The pieces of a datagram that belongs to another worker; they come in there as if received. Answers how many its
  // queue could not take (the last ones, released by the callee). With one worker never called.
  [[nodiscard]] virtual std::size_t hand_over(std::uint32_t worker, std::span<Packet> packets) noexcept {
    (void)worker;
    release(packets);
    return packets.size();
  }
  virtual void record(const FlowRecord& record) noexcept = 0;
  // The burst has left this stage; for those who measure.
  virtual void has_passed(Stage stage) noexcept { (void)stage; }
  // A packet waits for this neighbour; somebody should ask for it.
  virtual void resolve(PortIndex port, const IpAddress& next_hop) noexcept = 0;

  // Null: nobody looks on.
  void look_on(Onlooker* onlooker) noexcept { onlooker_ = onlooker; }
  // Of a packet whose buffer is not the World's.
  void tell_released(const Packet& packet) noexcept {
    if (onlooker_ != nullptr) onlooker_->released({&packet, 1});
  }

 protected:
  Onlooker* onlooker_ = nullptr;
};

}  // namespace sallyport::dataplane
