// What the tests of sallyport.toml begin with: two ports, and a file made of text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/load.h"

namespace sallyport::config {

inline constexpr std::string_view two_ports = R"([[port]]
name = "inside"
role = "inside"
device = "0000:01:00.0"
addresses = ["10.0.0.1/24", "fd00::1/64"]
[[port]]
name = "outside"
role = "outside"
device = "net_af_packet,iface=eth1"
addresses = ["203.0.113.2/24"]
gateway = ["203.0.113.254"]
)";
inline constexpr std::uint32_t behind_ports = 12;  // the first line behind them

inline Loaded<ApplianceModel> load_it(std::string_view text) {
  return load_appliance({"/etc/sallyport/sallyport.toml", std::string(text)});
}

}  // namespace sallyport::config
