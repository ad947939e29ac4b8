// What a pipeline is told of a port.
#pragma once

#include <cstdint>

#include "config/appliance_model.h"
#include "dataplane/routing.h"
#include "dataplane/wire/vlan.h"

namespace sallyport::dataplane {

struct PortSettings {
  config::PortRole role = config::PortRole::inside;
  std::uint16_t mtu = 1500;  // bytes of the IP packet
  wire::VlanTags vlan{};     // of its frames
  MacAddress mac{};
  bool any_vlan = false;  // replay: tags are skipped and kept
};

}  // namespace sallyport::dataplane
