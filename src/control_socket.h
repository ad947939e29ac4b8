// Unix sockets, as far as control client and server share them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <sys/socket.h>
#include <sys/un.h>

namespace sallyport {

struct SocketAddress {
  sockaddr_un name{};

  [[nodiscard]] const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&name); }
  [[nodiscard]] static constexpr socklen_t size() noexcept { return sizeof(sockaddr_un); }
};

// None: the path is longer than a socket's may be (107 bytes).
[[nodiscard]] std::optional<SocketAddress> socket_address(const std::string& path);

// False: the peer is gone, or takes nothing for as long as the socket's send timeout says.
[[nodiscard]] bool send_all(int socket, std::string_view bytes);

}  // namespace sallyport
