// Teaches a device whose packets are whose (steering.h), where it can be taught: chosen when the gateway starts, and
// again by what its first packets show.
//
//   of():     does the device say that it could?         configure with put_into(), or refuse()
//   start():  the redirection table, then everything is read back
//   judge():  does it do what it was told?
//
// Wherever the answer is no, packets change workers by ring, and status() says why.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/appliance_model.h"
#include "dataplane/io/control_log.h"
#include "dataplane/steering_check.h"

struct rte_eth_conf;
struct rte_eth_dev_info;

namespace sallyport::dataplane {

struct SteeringWish {
  config::PortRole role = config::PortRole::inside;
  bool by_kernel = false;  // the kernel spreads its frames
  std::uint32_t workers = 1;
  std::uint32_t queues = 1;
  std::uint32_t piece_ports = 0;
};

class DeviceSteering {
 public:
  DeviceSteering() = default;
  [[nodiscard]] static DeviceSteering of(const rte_eth_dev_info& device, const SteeringWish& wish);

  [[nodiscard]] bool by_device() const noexcept { return ipv4_; }
  // Valid for as long as this object stays where it is.
  void put_into(rte_eth_conf& conf);
  void refuse(std::string why);
  // Of a device that was configured so, and started.
  void start(std::uint16_t id);

  struct Verdict {
    Severity severity = Severity::info;
    std::string text;
  };
  // Once enough has come, of all workers.
  [[nodiscard]] std::optional<Verdict> judge(const SteeringSums& sums, std::uint16_t id);

  struct Status {
    Steering by = Steering::nobody;
    std::string why_not;  // of rings
  };
  [[nodiscard]] Status status() const;

 private:
  [[nodiscard]] std::string why_not(const rte_eth_dev_info& device) const;  // empty: it could
  void choose(const rte_eth_dev_info& device);
  [[nodiscard]] std::string set_table(std::uint16_t id) const;
  [[nodiscard]] std::string compare_hash(std::uint16_t id) const;
  void spread_as_usual(std::uint16_t id);

  SteeringWish wish_;
  std::uint64_t usual_types_ = 0;  // that the device hashes without being taught
  std::uint64_t types_ = 0;
  std::vector<std::uint8_t> key_;
  std::uint16_t table_entries_ = 0;
  bool ipv4_ = false, ipv6_ = false;  // it is to steer them
  bool judged_ipv4_ = false, judged_ipv6_ = false;
  std::string why_not_;
};

}  // namespace sallyport::dataplane
