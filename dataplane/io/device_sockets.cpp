#include "dataplane/io/device_sockets.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <string>
#include <system_error>

#include <sys/socket.h>

namespace sallyport::dataplane {

DeviceSockets::DeviceSockets(int family) : family_(family), before_(open_now()) {}

// The kernel gives out the lowest number that is free, so the driver's first socket has the lowest.
std::vector<int> DeviceSockets::appeared() const {
  const std::vector<int> now = open_now();
  std::vector<int> added;
  std::ranges::set_difference(now, before_, std::back_inserter(added));
  return added;
}

std::vector<int> DeviceSockets::open_now() const {
  std::vector<int> found;
  std::error_code none;  // without /proc nothing is found, and nobody waits
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", none)) {
    const std::string name = entry.path().filename();
    int descriptor = -1;
    std::from_chars(name.data(), name.data() + name.size(), descriptor);
    int family = 0;
    socklen_t length = sizeof family;
    const bool is_socket = ::getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &family, &length) == 0;
    if (is_socket && family == family_) found.push_back(descriptor);
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace sallyport::dataplane
