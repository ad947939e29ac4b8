// What the kernel's own network has on its interfaces: addresses, and default routes that must not be cut off; and
// which of them a gateway has.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::setup {

struct InterfaceNetwork {
  std::vector<std::string> addresses;  // "10.0.0.1/24", without link-local ones
  bool default_route = false;
  std::vector<std::string> gateways;  // of its default routes
  bool in_use = false;                // a gateway that runs has it
};

using KernelNetwork = std::map<std::string, InterfaceNetwork>;  // by interface

// Asks the kernel; of this network namespace.
[[nodiscard]] KernelNetwork read_kernel_network();

// The text of /proc/net/route and of /proc/net/ipv6_route.
void add_routes_v4(std::string_view text, KernelNetwork& network);
void add_routes_v6(std::string_view text, KernelNetwork& network);
// The text of /proc/net/unix, where the claims of gateways stand (dataplane/io/interface_claim.h).
void add_claims(std::string_view text, KernelNetwork& network);

}  // namespace sallyport::setup
