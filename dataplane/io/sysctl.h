// Settings of the kernel under /proc/sys.
#pragma once

#include <string>

namespace sallyport::dataplane {

// "net/ipv4/conf/eth1/rp_filter". True: it has the value now. Written only where it has another, so that a read-only
// /proc/sys of a container does no harm where the value is right.
[[nodiscard]] bool set_sysctl(const std::string& path, const std::string& value);

}  // namespace sallyport::dataplane
