// A [[port]]: a DPDK device, opened from its text, configured for the workers, and asked for its counts.
//
// Two steps, because DPDK wants to know the memory and the PCI devices before it starts: plan_port() reads the text,
// Port opens what it names.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/appliance_model.h"
#include "dataplane/io/control_log.h"
#include "dataplane/io/device_steering.h"
#include "dataplane/io/device_text.h"
#include "dataplane/io/interface_claim.h"
#include "dataplane/io/kernel_interface.h"
#include "dataplane/io/packet_buffers.h"
#include "dataplane/packet.h"
#include "dataplane/routing.h"

namespace sallyport::dataplane {

struct PortPlan {
  std::string key;  // for messages: port "inside": device
  DeviceText device;
  std::uint32_t data_room = 0;          // of the buffers that its frames travel in
  std::uint32_t receive_data_room = 0;  // of those that the device fills: larger where it has large_frame_bytes
  std::uint16_t descriptors = 0;        // of each queue
  unsigned queues_max = 0;              // as many as may become of it
  std::uint32_t piece_ports = 0;        // a gateway's external ports: port_choice.h
  std::optional<KernelInterface> interface;
  std::optional<InterfaceClaim> claim;  // of a PCI device; an interface has its own
};

// Throws EnvironmentError: no such interface, no such PCI device, one that the kernel or another gateway holds.
[[nodiscard]] PortPlan plan_port(const config::PortConfig& config, unsigned workers, const Log& log);

class Port {
 public:
  // Throws EnvironmentError. Not started yet.
  Port(PortIndex index, const config::PortConfig& config, PortPlan plan, unsigned workers,
       const PacketBuffers& buffers);
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  // Frames come and go.
  void start();

  [[nodiscard]] PortIndex index() const noexcept { return index_; }
  [[nodiscard]] const config::PortConfig& config() const noexcept { return config_; }
  [[nodiscard]] const PortPlan& plan() const noexcept { return plan_; }
  [[nodiscard]] std::uint16_t id() const noexcept { return id_; }  // DPDK's number for it
  [[nodiscard]] const std::string& driver() const noexcept { return driver_; }
  [[nodiscard]] const MacAddress& mac() const noexcept { return mac_; }
  [[nodiscard]] std::uint16_t receive_queues() const noexcept { return receive_queues_; }
  [[nodiscard]] std::uint16_t transmit_queues() const noexcept { return transmit_queues_; }

  [[nodiscard]] const DeviceSteering& steering() const noexcept { return steering_; }
  [[nodiscard]] std::optional<DeviceSteering::Verdict> judge_steering(const SteeringSums& sums) {
    return steering_.judge(sums, id_);
  }

  // Readable when frames have come into the queue; -1: this device wakes nobody.
  [[nodiscard]] int arrivals(std::uint16_t queue) const noexcept;

  struct Link {
    bool up = false;
    std::uint32_t mbps = 0;  // 0: unknown
  };
  [[nodiscard]] Link link() const noexcept;
  struct DeviceCounts {
    std::uint64_t missed = 0, no_buffer = 0, receive_errors = 0, transmit_errors = 0;
  };
  [[nodiscard]] DeviceCounts counts() const noexcept;

 private:
  void open();
  void configure(unsigned workers, bool one_pool);
  void choose_queues(const rte_eth_dev_info& info, unsigned workers);
  [[nodiscard]] int configure_steered(rte_eth_conf conf);
  void set_up_queues(const PacketBuffers& buffers);
  void find_mac();
  [[noreturn]] void fail(const std::string& what, int result) const;

  PortIndex index_;
  const config::PortConfig& config_;
  PortPlan plan_;
  std::uint16_t id_ = 0;
  std::string driver_;
  MacAddress mac_{};
  std::uint16_t receive_queues_ = 0;
  std::uint16_t transmit_queues_ = 0;
  DeviceSteering steering_;
  std::vector<int> arrivals_;  // of each receive queue, or none
  std::uint16_t receive_descriptors_ = 0;
  std::uint16_t transmit_descriptors_ = 0;
};

}  // namespace sallyport::dataplane
