#include "src/control_socket.h"

#include <algorithm>
#include <cerrno>

namespace sallyport {

std::optional<SocketAddress> socket_address(const std::string& path) {
  SocketAddress address;
  if (path.size() >= sizeof address.name.sun_path) return std::nullopt;
  address.name.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.name.sun_path);
  return address;
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace sallyport
