#include "dataplane/io/process_rights.h"

#include <array>

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sallyport::dataplane {
namespace {

bool has_capability(unsigned capability) {
  __user_cap_header_struct header{};
  header.version = _LINUX_CAPABILITY_VERSION_3;
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0) return true;
  return ((data[capability / 32].effective >> (capability % 32)) & 1U) != 0;
}

}  // namespace

std::string missing_right(DeviceText::Kind kind) {
  if (!has_capability(CAP_NET_RAW)) return "this process has no CAP_NET_RAW: run it as root, or by the unit";
  rlimit locked{};
  if (!has_capability(CAP_IPC_LOCK) && ::getrlimit(RLIMIT_MEMLOCK, &locked) == 0 && locked.rlim_cur != RLIM_INFINITY) {
    return "this process may lock only " + std::to_string(locked.rlim_cur >> 10U) +
           " KiB of memory: give it CAP_IPC_LOCK, or no limit (ulimit -l unlimited)";
  }
  if (kind == DeviceText::Kind::af_xdp && !has_capability(CAP_SYS_ADMIN)) {
    return "AF_XDP wants CAP_SYS_ADMIN: give it to this process, or take net_af_packet,iface=NAME";
  }
  return {};
}

}  // namespace sallyport::dataplane
