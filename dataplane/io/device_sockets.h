// The sockets that a DPDK driver reads from, which DPDK does not tell of: those that appear among this process's own
// while the driver opens its device.
#pragma once

#include <vector>

namespace sallyport::dataplane {

class DeviceSockets {
 public:
  // Of that address family: AF_PACKET, AF_XDP. What is open now is not the device's.
  explicit DeviceSockets(int family);

  // File descriptors in the order in which the driver opened them; they are the driver's, to wait on only.
  [[nodiscard]] std::vector<int> appeared() const;

 private:
  [[nodiscard]] std::vector<int> open_now() const;

  int family_;
  std::vector<int> before_;  // ascending
};

}  // namespace sallyport::dataplane
