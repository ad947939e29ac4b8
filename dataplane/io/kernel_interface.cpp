#include "dataplane/io/kernel_interface.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dataplane/io/environment_error.h"
#include "dataplane/io/sysctl.h"

namespace sallyport::dataplane {
namespace {

// One ioctl socket and the name that all requests carry.
class Requests {
 public:
  explicit Requests(const std::string& interface) : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    interface.copy(request_.ifr_name, sizeof request_.ifr_name - 1);
  }
  ~Requests() { ::close(socket_); }
  Requests(const Requests&) = delete;
  Requests& operator=(const Requests&) = delete;

  // 0, or the error number.
  int send(unsigned long what) { return ::ioctl(socket_, what, &request_) == 0 ? 0 : errno; }
  int ethtool(void* command) {
    request_.ifr_data = static_cast<char*>(command);
    return send(SIOCETHTOOL);
  }
  ifreq& request() { return request_; }

 private:
  int socket_;
  ifreq request_{};
};

std::string interfaces_text() {
  std::string text;
  struct if_nameindex* const all = ::if_nameindex();
  for (const struct if_nameindex* one = all; one != nullptr && one->if_index != 0; ++one) {
    text += (text.empty() ? "" : ", ") + std::string(one->if_name);
  }
  ::if_freenameindex(all);
  return text;
}

bool carries_default_route(const std::string& interface) {
  std::ifstream routes("/proc/net/route");  // a line a route: interface, destination in hexadecimal, ..
  std::string line;
  while (std::getline(routes, line)) {
    if (line.starts_with(interface + "\t00000000\t")) return true;
  }
  return false;
}

void set_mtu(Requests& requests, std::uint16_t mtu, const std::string& name, const std::string& key) {
  if (requests.send(SIOCGIFMTU) == 0 && requests.request().ifr_mtu == mtu) return;
  requests.request().ifr_mtu = mtu;
  if (const int error = requests.send(SIOCSIFMTU); error != 0) {
    throw EnvironmentError(key + ": interface " + name + " does not take an MTU of " + std::to_string(mtu) + ": " +
                           std::strerror(error) + "; lower the port's `mtu`");
  }
}

void bring_up(Requests& requests, const std::string& name, const std::string& key) {
  if (requests.send(SIOCGIFFLAGS) == 0 && (requests.request().ifr_flags & IFF_UP) != 0) return;
  requests.request().ifr_flags = static_cast<short>(requests.request().ifr_flags | IFF_UP);
  if (const int error = requests.send(SIOCSIFFLAGS); error != 0) {
    throw EnvironmentError(key + ": interface " + name + " does not come up: " + std::strerror(error) +
                           (error == EPERM ? "; run as root, or with CAP_NET_ADMIN" : ""));
  }
}

bool is_promiscuous(Requests& requests) {
  return requests.send(SIOCGIFFLAGS) == 0 && (requests.request().ifr_flags & IFF_PROMISC) != 0;
}

void end_promiscuity(Requests& requests) {
  if (!is_promiscuous(requests)) return;
  requests.request().ifr_flags = static_cast<short>(requests.request().ifr_flags & ~IFF_PROMISC);
  (void)requests.send(SIOCSIFFLAGS);
}

// Drivers that do not know one of these do not do it either.
void switch_off_acceleration(Requests& requests) {
  ethtool_value gro{ETHTOOL_SGRO, 0};
  (void)requests.ethtool(&gro);
  ethtool_value flags{ETHTOOL_GFLAGS, 0};
  if (requests.ethtool(&flags) != 0) return;
  flags.cmd = ETHTOOL_SFLAGS;
  flags.data &= ~static_cast<std::uint32_t>(ETH_FLAG_LRO | ETH_FLAG_RXVLAN);
  (void)requests.ethtool(&flags);
}

unsigned channels(Requests& requests) {
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  if (requests.ethtool(&channels) != 0) return 1;
  return std::max(1U, channels.combined_count + channels.rx_count);
}

bool is_veth(Requests& requests) {
  ethtool_drvinfo driver{};
  driver.cmd = ETHTOOL_GDRVINFO;
  return requests.ethtool(&driver) == 0 && std::string_view(driver.driver) == "veth";
}

long bpf(int command, bpf_attr& attributes) { return ::syscall(SYS_bpf, command, &attributes, sizeof attributes); }

// An XDP program of two instructions, "return XDP_PASS", on the interface. The file descriptor holds it there; -1:
// errno.
int attach_passing_program_to(unsigned interface_index) {
  const std::array<bpf_insn, 2> program = {{
      {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, XDP_PASS},
      {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
  }};
  bpf_attr load{};
  load.prog_type = BPF_PROG_TYPE_XDP;
  load.insns = reinterpret_cast<std::uint64_t>(program.data());
  load.insn_cnt = static_cast<std::uint32_t>(program.size());
  load.license = reinterpret_cast<std::uint64_t>("Apache-2.0");
  const auto loaded = static_cast<int>(bpf(BPF_PROG_LOAD, load));
  if (loaded < 0) return -1;

  bpf_attr link{};
  link.link_create.prog_fd = static_cast<std::uint32_t>(loaded);
  link.link_create.target_ifindex = interface_index;
  link.link_create.attach_type = BPF_XDP;
  const auto attached = static_cast<int>(bpf(BPF_LINK_CREATE, link));
  const int error = errno;
  ::close(loaded);
  errno = error;
  return attached;
}

// What arrives is the gateway's alone. Without this the kernel would answer ping a second time (the twin's addresses
// are its own on every interface), hold IPv6 conversations under the twin's link-local address, and forward past the
// policy.
void silence(const std::string& name, const Log& log) {
  const std::array<std::pair<std::string, const char*>, 4> settings = {{
      {"net/ipv4/conf/" + name + "/arp_ignore", "8"},  // answers no ARP
      {"net/ipv4/conf/" + name + "/rp_filter", "1"},   // no source is routed here: takes no IPv4 packet
      {"net/ipv4/conf/" + name + "/forwarding", "0"},
      {"net/ipv6/conf/" + name + "/disable_ipv6", "1"},
  }};
  for (const auto& [path, value] : settings) {
    if (set_sysctl(path, value)) continue;
    std::string warning = "cannot set ";
    warning.append(path).append(" to ").append(value).append(": the kernel may answer on ").append(name);
    log(Severity::warning, warning.append(" beside the gateway; make /proc/sys writable or set it beforehand"));
  }
}

}  // namespace

KernelInterface::KernelInterface(const std::string& name, std::uint16_t mtu, bool attach_passing_program,
                                 const std::string& key, const Log& log)
    : claim_(name), name_(name) {
  const unsigned index = ::if_nametoindex(name.c_str());
  if (name.empty() || index == 0) {
    throw EnvironmentError(key + ": no interface \"" + name + "\"; there are " + interfaces_text());
  }
  if (carries_default_route(name)) {
    throw EnvironmentError(key + ": interface " + name +
                           " carries this machine's default route and would be cut off; " +
                           "give the gateway an interface of its own, or remove that route first");
  }
  if (!claim_.held()) {
    throw EnvironmentError(key + ": interface " + name +
                           " belongs to another gateway that runs here; stop that one, or name another interface");
  }
  Requests requests(name);
  was_promiscuous_ = is_promiscuous(requests);
  set_mtu(requests, mtu, name, key);
  bring_up(requests, name, key);
  switch_off_acceleration(requests);
  silence(name, log);
  receive_queues_ = channels(requests);
  if (!attach_passing_program || !is_veth(requests)) return;
  program_link_ = attach_passing_program_to(index);
  if (program_link_ < 0 && errno != EBUSY) {  // busy: there is a program already, which does as well
    log(Severity::warning,
        key + ": no XDP program can be attached to " + name + " (" + std::strerror(errno) +
            "); its peer must not send what is larger than the MTU: ethtool -K PEER tso off gso off");
  }
}

KernelInterface::~KernelInterface() {
  if (program_link_ >= 0) ::close(program_link_);
  if (name_.empty() || was_promiscuous_) return;
  Requests requests(name_);
  end_promiscuity(requests);
}

KernelInterface::KernelInterface(KernelInterface&& other) noexcept
    : claim_(std::move(other.claim_)),
      name_(std::exchange(other.name_, {})),
      was_promiscuous_(other.was_promiscuous_),
      receive_queues_(other.receive_queues_),
      program_link_(std::exchange(other.program_link_, -1)) {}

bool KernelInterface::is_running() const noexcept {
  Requests requests(name_);
  constexpr int wanted = IFF_UP | IFF_RUNNING;
  return requests.send(SIOCGIFFLAGS) == 0 && (requests.request().ifr_flags & wanted) == wanted;
}

}  // namespace sallyport::dataplane
