// DPDK's environment: its arguments are derived here, a user never types one, and it is told to need nothing.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "dataplane/io/control_log.h"

namespace sallyport::dataplane {

struct EalPlan {
  std::vector<unsigned> workers;  // the processor of each
  std::vector<unsigned> allowed;  // where the main thread and the helpers of DPDK may float
  std::size_t memory_bytes = 0;   // what the packet buffers and DPDK itself will need
  bool huge_pages = false;
  std::vector<std::string> pci_devices;      // "0000:01:00.0,argument=value"; none: the bus is not even looked at
  std::vector<std::string> extra_arguments;  // [dpdk] eal_args, behind the others
};

// Worker number w runs on DPDK's lcore w + 1; the main thread is lcore 0.
[[nodiscard]] std::vector<std::string> eal_arguments(const EalPlan& plan);

// Bytes of free huge pages of all sizes, of all nodes.
[[nodiscard]] std::size_t free_huge_page_bytes();

// The environment, once a process. What DPDK has to say goes to `log`, its chatter below warnings nowhere.
class Eal {
 public:
  // Throws EnvironmentError with what DPDK said last.
  Eal(const EalPlan& plan, Log log);
  ~Eal();
  Eal(const Eal&) = delete;
  Eal& operator=(const Eal&) = delete;

  // What DPDK said last as an error, for the message of whoever called it; taken.
  [[nodiscard]] static std::string take_complaint();
  [[nodiscard]] static std::string version();
};

}  // namespace sallyport::dataplane
