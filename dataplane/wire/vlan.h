// The VLAN tags of a port's frames: none, one (802.1Q), or two (802.1ad, "QinQ"), of which the service tag is in front.
//
//   addresses | 88a8 service | 8100 customer | type | ..
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/wire/headers.h"

namespace sallyport::dataplane::wire {

struct VlanTags {
  std::uint16_t customer = 0;  // 0: untagged
  std::uint16_t service = 0;   // 0: no second tag; never without the customer's

  // The VLANs in the order of the wire, the last one lowest.
  [[nodiscard]] std::uint32_t ids() const noexcept { return std::uint32_t{service} << 16U | customer; }
  [[nodiscard]] std::uint32_t bytes() const noexcept {
    constexpr std::uint32_t tag = sizeof(VlanTag);
    return (customer != 0 ? tag : 0) + (service != 0 ? tag : 0);
  }
  // Are these the tags of a frame? `ids` of its last two. A priority tag (VLAN 0) is no VLAN. Tag types are not
  // compared: a device that takes the outer tag off hands it on without.
  [[nodiscard]] bool are(unsigned tags, std::uint32_t ids_read) const noexcept {
    if (ids_read != ids()) return false;
    return ids_read == 0 ? tags <= 1 : tags == (service != 0 ? 2U : 1U);
  }
};

inline constexpr std::size_t addresses_bytes = 12;  // both MACs: what stands in front of the tags

// Behind the addresses: the tags, and the type of what follows them.
inline void put_type(std::uint8_t* frame, VlanTags tags, std::uint16_t type) noexcept {
  std::uint8_t* next = frame + addresses_bytes;
  const auto put = [&next](std::uint16_t tag_type, std::uint16_t id) {
    at<Be16>(next) = tag_type;
    at<Be16>(next + sizeof(Be16)) = id;
    next += sizeof(VlanTag);
  };
  if (tags.service != 0) put(ethertype_qinq, tags.service);
  if (tags.customer != 0) put(ethertype_vlan, tags.customer);
  at<Be16>(next) = type;
}

}  // namespace sallyport::dataplane::wire
