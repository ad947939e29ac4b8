// A port's twin in the kernel: a tap interface with the port's MAC and MTU that owns the gateway's addresses there.
//
// ARP, neighbour discovery, ping to the gateway, routing protocols and keepalived all live on it; what the wire sends
// to the gateway itself is written into it, what the kernel sends out of it goes to the wire as it is. It exists as
// long as this process, however that ends; one that persists is there afterwards, too, without carrier and mute:
// whoever lives on it (keepalived, a routing daemon) sees a wire that is dead, and later one that is back. The next
// process takes it over and begins with nothing that the last one had put there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "config/appliance_model.h"
#include "dataplane/io/control_log.h"
#include "dataplane/io/netlink.h"
#include "dataplane/routing.h"

namespace sallyport::dataplane {

// "sp-" and as much of the port's name as the kernel takes (15 characters in all).
[[nodiscard]] std::string twin_name(const std::string& port_name);

// Above what an operator, DHCP or a routing daemon would use: in a namespace shared with other interfaces the machine's
// own routes stay those of its own traffic. The gateway looks at routes of twins alone.
inline constexpr std::uint32_t route_metric = 4096;

class KernelTwin {
 public:
  // Up, with its addresses and routes. Throws EnvironmentError.
  KernelTwin(PortIndex port, const config::PortConfig& config, const MacAddress& mac, bool persists, Netlink& netlink,
             const Log& log);
  ~KernelTwin();
  KernelTwin(const KernelTwin&) = delete;
  KernelTwin& operator=(const KernelTwin&) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] unsigned interface() const noexcept { return index_; }
  // Readable while the kernel has frames to send.
  [[nodiscard]] int file_descriptor() const noexcept { return tap_; }

  // The next frame that the kernel sends, untagged; 0: none.
  [[nodiscard]] std::size_t read(std::span<std::uint8_t> frame) noexcept;
  // False: the kernel did not take it (the twin is down).
  [[nodiscard]] bool write(std::span<const std::uint8_t> frame) noexcept;
  // Those of the configuration, once more to all who listen. Throws EnvironmentError.
  void tell_addresses(const config::PortConfig& config, Netlink& netlink) const;
  // The wire's link state, so that routing protocols and keepalived see it, at once.
  void set_carrier(bool up, Netlink& netlink) noexcept;

 private:
  void open_tap(const std::string& key, bool persists);
  void set_up(const config::PortConfig& config, const MacAddress& mac, Netlink& netlink, const Log& log);
  void set_addresses(PortIndex port, const config::PortConfig& config, Netlink& netlink);

  std::string name_;
  int tap_ = -1;
  unsigned index_ = 0;
  bool carrier_ = true;
};

}  // namespace sallyport::dataplane
