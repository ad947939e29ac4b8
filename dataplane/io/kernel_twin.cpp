#include "dataplane/io/kernel_twin.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/io/environment_error.h"
#include "dataplane/io/sysctl.h"

namespace sallyport::dataplane {
namespace {

ifreq request_for(const std::string& interface) {
  ifreq request{};
  interface.copy(request.ifr_name, sizeof request.ifr_name - 1);
  return request;
}

void set(int socket, unsigned long what, ifreq request, const std::string& problem) {
  if (::ioctl(socket, what, &request) != 0) throw EnvironmentError(problem + ": " + std::strerror(errno));
}

void set_all_sysctls(const std::string& name, const Log& log) {
  // The twin is a host, not a router: the kernel must not forward past the policy, nor believe router advertisements.
  const std::array<std::pair<const char*, const char*>, 14> settings = {{
      {"net/ipv4/conf/%/forwarding", "0"},
      {"net/ipv4/conf/%/rp_filter", "0"},   // asymmetric routes are the operator's business
      {"net/ipv4/conf/%/arp_ignore", "0"},  // egress addresses are answered for, though no interface has them,
      {"net/ipv4/conf/%/arp_filter", "1"},  // but only on the twin whose network asks
      {"net/ipv4/conf/%/arp_notify", "1"},  // gratuitous ARP when an address appears
      {"net/ipv4/conf/%/accept_redirects", "0"},
      {"net/ipv4/conf/%/send_redirects", "0"},
      {"net/ipv6/conf/%/disable_ipv6", "0"},
      {"net/ipv6/conf/%/forwarding", "0"},
      {"net/ipv6/conf/%/accept_ra", "0"},
      {"net/ipv6/conf/%/accept_redirects", "0"},
      {"net/ipv6/conf/%/accept_dad", "0"},  // in service at once after a restart
      {"net/ipv6/conf/%/dad_transmits", "0"},
      {"net/ipv6/conf/%/ndisc_notify", "1"},  // as arp_notify
  }};
  for (const auto& [pattern, value] : settings) {
    std::string path = pattern;
    path.replace(path.find('%'), 1, name);
    if (!set_sysctl(path, value)) log(Severity::warning, "cannot set " + path + " to " + value);
  }
}

}  // namespace

std::string twin_name(const std::string& port_name) { return ("sp-" + port_name).substr(0, IFNAMSIZ - 1); }

KernelTwin::KernelTwin(PortIndex port, const config::PortConfig& config, const MacAddress& mac, bool persists,
                       Netlink& netlink, const Log& log)
    : name_(twin_name(config.name)) {
  open_tap("port \"" + config.name + "\": kernel twin " + name_, persists);
  try {
    set_up(config, mac, netlink, log);
    set_addresses(port, config, netlink);
  } catch (...) {
    ::close(tap_);
    throw;
  }
}

KernelTwin::~KernelTwin() { ::close(tap_); }

void KernelTwin::open_tap(const std::string& key, bool persists) {
  tap_ = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (tap_ < 0) {
    throw EnvironmentError(key + ": /dev/net/tun: " + std::strerror(errno) +
                           "; modprobe tun, or start the container with --device /dev/net/tun");
  }
  ifreq request = request_for(name_);
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (::ioctl(tap_, TUNSETIFF, &request) == 0 && ::ioctl(tap_, TUNSETPERSIST, persists ? 1UL : 0UL) == 0) return;
  const int error = errno;
  ::close(tap_);
  const char* remedy = error == EBUSY || error == EINVAL ? "; is another gateway running in this network namespace?"
                       : error == EPERM                  ? "; run as root, or with CAP_NET_ADMIN"
                                                         : "";
  throw EnvironmentError(key + ": " + std::strerror(error) + remedy);
}

void KernelTwin::set_up(const config::PortConfig& config, const MacAddress& mac, Netlink& netlink, const Log& log) {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const struct Closer {
    int descriptor;
    ~Closer() { ::close(descriptor); }
  } closer{socket};

  // Down: what routes and egress addresses another process has left there go with it.
  index_ = ::if_nametoindex(name_.c_str());
  ifreq request = request_for(name_);
  request.ifr_flags = 0;
  set(socket, SIOCSIFFLAGS, request, name_ + " does not go down");
  netlink.remove_all_addresses(index_);
  request = request_for(name_);
  request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
  std::copy_n(mac.begin(), mac.size(), request.ifr_hwaddr.sa_data);
  set(socket, SIOCSIFHWADDR, request, name_ + ": MAC address");
  request = request_for(name_);
  request.ifr_mtu = config.mtu;
  set(socket, SIOCSIFMTU, request, name_ + ": MTU");
  set_all_sysctls(name_, log);
  request = request_for(name_);
  request.ifr_flags = IFF_UP | IFF_RUNNING | IFF_BROADCAST | IFF_MULTICAST;
  set(socket, SIOCSIFFLAGS, request, name_ + " does not come up");
}

void KernelTwin::set_addresses(PortIndex port, const config::PortConfig& config, Netlink& netlink) {
  for (const config::InterfaceAddress& own : config.addresses) netlink.add_address(index_, own.address, own.length);
  // Where several ports have default routes, an outside one's is taken, the first in the file.
  const std::uint32_t inside_last = config.role == config::PortRole::inside ? 1024 : 0;
  std::uint32_t metric = route_metric + inside_last + 64U * port;
  for (const IpAddress& gateway : config.gateway) {
    netlink.add_route(index_, {IpAddress{gateway.family, {}}, 0}, gateway, metric++);
  }
  for (const config::PortRoute& route : config.routes) netlink.add_route(index_, route.to, route.via, route_metric);
}

void KernelTwin::tell_addresses(const config::PortConfig& config, Netlink& netlink) const {
  for (const config::InterfaceAddress& own : config.addresses) netlink.tell_address(index_, own.address, own.length);
}

std::size_t KernelTwin::read(std::span<std::uint8_t> frame) noexcept {
  const ssize_t count = ::read(tap_, frame.data(), frame.size());
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

bool KernelTwin::write(std::span<const std::uint8_t> frame) noexcept {
  return ::write(tap_, frame.data(), frame.size()) == static_cast<ssize_t>(frame.size());
}

void KernelTwin::set_carrier(bool up, Netlink& netlink) noexcept {
  if (up == carrier_) return;
  int value = up ? 1 : 0;
  if (::ioctl(tap_, TUNSETCARRIER, &value) != 0) return;
  carrier_ = up;
  try {
    netlink.tell_operational(index_, up);
  } catch (const EnvironmentError&) {  // the kernel tells of the carrier itself, later
  }
}

}  // namespace sallyport::dataplane
