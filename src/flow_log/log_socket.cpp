#include "src/flow_log/log_socket.h"

#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "src/control_socket.h"

namespace sallyport {
namespace {

constexpr auto try_every = std::chrono::seconds(1);

struct Address {
  sockaddr_storage name{};
  socklen_t length = 0;
};

template <typename Name>
Address stored(const Name& name) {
  Address address;
  std::memcpy(&address.name, &name, sizeof name);
  address.length = sizeof name;
  return address;
}

Address address_of(const config::LogTarget& target) {
  if (target.by == config::LogTarget::By::unix_socket)
    return stored(socket_address(target.path).value_or(SocketAddress{}).name);
  const auto* bytes = target.address.bytes.data();
  if (target.address.family == Family::v4) {
    sockaddr_in name{.sin_family = AF_INET, .sin_port = htons(target.port), .sin_addr = {}, .sin_zero = {}};
    std::memcpy(&name.sin_addr, bytes, sizeof name.sin_addr);
    return stored(name);
  }
  sockaddr_in6 name{};
  name.sin6_family = AF_INET6;
  name.sin6_port = htons(target.port);
  std::memcpy(&name.sin6_addr, bytes, sizeof name.sin6_addr);
  return stored(name);
}

// Of a connection that is on its way; 0: it stands.
int outcome(int socket) {
  constexpr int patience_ms = 1000;
  pollfd waiting{socket, POLLOUT, 0};
  if (poll(&waiting, 1, patience_ms) != 1) return ETIMEDOUT;
  int error = 0;
  socklen_t length = sizeof error;
  return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

// 0, or errno.
int connect_to(int socket, const Address& address) {
  if (connect(socket, reinterpret_cast<const sockaddr*>(&address.name), address.length) == 0) return 0;
  return errno == EINPROGRESS ? outcome(socket) : errno;
}

}  // namespace

std::string LogSocket::open() {
  const Address address = address_of(target_);
  const int type = is_stream() ? SOCK_STREAM : SOCK_DGRAM;
  Descriptor made(socket(address.name.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int error = made ? connect_to(made.get(), address) : errno;
  tried_ = std::chrono::steady_clock::now();
  if (error != 0) return fmt::format("{}: cannot be reached: {}", text(), std::strerror(error));
  socket_ = std::move(made);
  ++connections_;
  return {};
}

bool LogSocket::connected() {
  if (socket_) return true;
  return std::chrono::steady_clock::now() - tried_ >= try_every && open().empty();
}

bool LogSocket::send(std::string_view message) { return is_stream() ? send_all(message) : send_datagram(message); }

// A second time where the first one finds that the daemon was started anew, or that a server refused what came before.
bool LogSocket::send_datagram(std::string_view message) {
  for (int attempt = 0; attempt < 2 && connected(); ++attempt) {
    std::size_t taken = 0;
    const Sent sent = try_send(message, taken);
    if (sent != Sent::gone) return sent == Sent::taken;
    if (target_.by == config::LogTarget::By::udp) continue;
    socket_ = Descriptor();
    if (attempt == 0) tried_ = {};
  }
  return false;
}

// What was begun has to be ended, or the other end takes what follows for the rest of it.
bool LogSocket::send_all(std::string_view bytes) {
  if (!connected()) return false;
  std::size_t taken = 0;
  Sent sent = Sent::taken;
  while (sent == Sent::taken && taken < bytes.size()) sent = try_send(bytes.substr(taken), taken);
  if (sent == Sent::gone || (sent == Sent::lost && taken != 0)) socket_ = Descriptor();
  return sent == Sent::taken;
}

LogSocket::Sent LogSocket::try_send(std::string_view bytes, std::size_t& taken) {
  // Others send to the same daemon, and may have taken the room that was waited for.
  constexpr int tries = 100;
  for (int i = 0; i < tries; ++i) {
    const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      taken += static_cast<std::size_t>(count);
      return Sent::taken;
    }
    const bool full = errno == EAGAIN || errno == ENOBUFS;
    if (errno == ECONNREFUSED || errno == ENOTCONN || errno == EPIPE || errno == ECONNRESET) return Sent::gone;
    if (errno == EINTR) continue;
    if (!full) return is_stream() ? Sent::gone : Sent::lost;  // a datagram that is too long, say
    if (!patience_.wait_writable(socket_.get())) return Sent::lost;
  }
  return Sent::lost;
}

std::string LogSocket::text() const {
  if (target_.by == config::LogTarget::By::unix_socket) return "unix:" + target_.path;
  const bool v4 = target_.address.family == Family::v4;
  return fmt::format(fmt::runtime(v4 ? "{}:{}:{}" : "{}:[{}]:{}"), is_stream() ? "tcp" : "udp",
                     to_string(target_.address), target_.port);
}

}  // namespace sallyport
