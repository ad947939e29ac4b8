#include "dataplane/io/next_hop.h"

#include <string>

#include "dataplane/io/environment_error.h"

namespace sallyport::dataplane {

void NextHop::offer(bool v4, bool v6, Netlink& netlink, const Log& log) {
  try {
    for (const IpAddress& address : addresses_) {
      const bool wanted = address.family == Family::v4 ? v4 : v6;
      if (wanted == offered_.contains(address)) continue;
      const auto length = static_cast<std::uint8_t>(address_bits(address.family));
      if (wanted) {
        netlink.add_address(interface_, address, length);
        offered_.insert(address);
      } else {
        netlink.remove_address(interface_, address, length);
        offered_.erase(address);
      }
    }
  } catch (const EnvironmentError& error) {
    log(Severity::error, std::string("the senders' next hop: ") + error.what());
  }
}

}  // namespace sallyport::dataplane
