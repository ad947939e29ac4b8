// A network card that hashes and spreads as it is told, or does not: a net_ring device, which has queues but neither
// hash nor table, behind functions of DPDK's that this program has in the place of the library's.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/unit/dataplane/packet_maker.h"

namespace sallyport::dataplane::test {

struct NicTraits {
  std::uint64_t types = 0;  // that it says it hashes: RTE_ETH_RSS_..
  std::uint16_t table_entries = 128;
  std::uint8_t key_bytes = 40;
  bool refuses_to_be_configured = false;  // with a key
  bool forgets_its_key = false;
  bool refuses_a_table = false;
  bool has_its_own_table = false;  // and says that it took the gateway's, until it is asked
  bool lies = false;               // takes everything, and hashes by its own key
  bool port_alone = false;         // RTE_ETH_RSS_L4_DST_ONLY: no address either
  bool keeps_source = false;       // whatever RTE_ETH_RSS_L3_DST_ONLY says
};

// Hashes TCP and UDP as any card does, by the whole tuple.
[[nodiscard]] NicTraits usual_nic();
// Leaves out what it is told to.
[[nodiscard]] NicTraits masking_nic();

// What the devices are that are opened from now on.
void set_next_nic(const NicTraits& traits);
// The queue that the card takes for a frame.
[[nodiscard]] std::uint16_t queue_of(std::uint16_t device, const Frame& frame);

}  // namespace sallyport::dataplane::test
