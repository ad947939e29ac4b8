#include "dataplane/io/kernel_changes.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/io/environment_error.h"

namespace sallyport::dataplane {
namespace {

void note(KernelChanges::Kinds& kinds, unsigned message_type) {
  const bool neighbour = message_type == RTM_NEWNEIGH || message_type == RTM_DELNEIGH;
  (neighbour ? kinds.neighbours : kinds.routes) = true;
}

}  // namespace

KernelChanges::KernelChanges() : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE)) {
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups =
      RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  const int buffer_bytes = 4 << 20;
  if (socket_ < 0 || ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const std::string reason = std::strerror(errno);
    if (socket_ >= 0) ::close(socket_);
    throw EnvironmentError("the kernel does not announce routes and neighbours: " + reason);
  }
  // More than the system's limit where we may; else what it gives.
  if (::setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof buffer_bytes) != 0) {
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
  }
}

KernelChanges::~KernelChanges() { ::close(socket_); }

KernelChanges::Kinds KernelChanges::take() noexcept {
  Kinds kinds;
  alignas(nlmsghdr) std::array<char, 32768> buffer;
  for (;;) {
    const ssize_t received = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (received < 0 && errno == ENOBUFS) kinds = {true, true};
    if (received < 0 && (errno == ENOBUFS || errno == EINTR)) continue;
    if (received <= 0) return kinds;
    auto left = static_cast<unsigned>(received);
    for (auto* message = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(message, left);
         message = NLMSG_NEXT(message, left)) {
      note(kinds, message->nlmsg_type);
    }
  }
}

}  // namespace sallyport::dataplane
