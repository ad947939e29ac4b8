#include "dataplane/io/interface_claim.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace sallyport::dataplane {

InterfaceClaim::InterfaceClaim(const std::string& interface)
    : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  const std::string name = std::string(interface_claim_prefix) + interface;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::min(name.size(), sizeof address.sun_path - 1);
  std::copy_n(name.begin(), length, address.sun_path + 1);  // behind a zero: abstract
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  const bool bound = ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size) == 0;
  held_ = bound || errno != EADDRINUSE;  // whatever else fails here is no reason not to start
}

InterfaceClaim::~InterfaceClaim() {
  if (socket_ >= 0) ::close(socket_);
}

InterfaceClaim::InterfaceClaim(InterfaceClaim&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), held_(other.held_) {}

}  // namespace sallyport::dataplane
