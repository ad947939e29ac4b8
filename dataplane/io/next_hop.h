// The senders' next hop that several gateways share ([ha] next_hop): an address of the inside twin while this gateway
// can forward, so that the routing daemon beside it announces it, and withdraws it when it cannot.
#pragma once

#include <set>
#include <vector>

#include "config/address.h"
#include "dataplane/io/control_log.h"
#include "dataplane/io/netlink.h"

namespace sallyport::dataplane {

class NextHop {
 public:
  NextHop(unsigned interface, std::vector<IpAddress> addresses)
      : interface_(interface), addresses_(std::move(addresses)) {}

  // Those of the families that are offered from now on; the others not. What the kernel refuses is logged and tried
  // again the next time.
  void offer(bool v4, bool v6, Netlink& netlink, const Log& log);

 private:
  unsigned interface_;
  std::vector<IpAddress> addresses_;
  std::set<IpAddress> offered_;
};

}  // namespace sallyport::dataplane
