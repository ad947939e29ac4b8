#include "src/control_server.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "dataplane/io/environment_error.h"
#include "src/control_socket.h"

namespace sallyport {
namespace {

constexpr mode_t socket_mode = S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP;
constexpr std::size_t send_at_once_bytes = 64U << 10U;
constexpr int patience_seconds = 10;

[[noreturn]] void fail(const std::string& path, std::string_view what) {
  throw dataplane::EnvironmentError(fmt::format("control socket {}: {}", path, what));
}

void make_way(const std::string& path, const SocketAddress& address) {
  std::error_code ignored;  // binding says it better
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  const Descriptor probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(probe.get(), address.get(), address.size()) == 0) {
    fail(path, "another gateway answers there: stop it, or give this one a [control] socket of its own");
  }
  // What a gateway that was killed left behind; anything else than a socket stays.
  if (errno == ECONNREFUSED && std::filesystem::is_socket(path, ignored)) unlink(path.c_str());
}

Descriptor listen_at(const std::string& path) {
  const std::optional<SocketAddress> address = socket_address(path);
  if (!address)
    fail(path, "the path is too long (107 bytes at most): name a shorter one by [control] socket or --socket");
  make_way(path, *address);
  Descriptor listening(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // The mode of the socket before it is bound is that of the file, less the umask, which chmod mends afterwards: at no
  // moment may more people connect than should.
  const bool made = listening && fchmod(listening.get(), socket_mode) == 0 &&
                    bind(listening.get(), address->get(), address->size()) == 0 &&
                    chmod(path.c_str(), socket_mode) == 0 && listen(listening.get(), SOMAXCONN) == 0;
  if (!made) fail(path, fmt::format("{}: name another by [control] socket or --socket", std::strerror(errno)));
  return listening;
}

void set_patience(int connection) {
  const timeval limit{patience_seconds, 0};
  setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

std::optional<std::string> receive_line(int connection) {
  LineBuffer lines(request_bytes_max);
  std::array<char, request_bytes_max> bytes{};
  while (true) {
    if (std::optional<std::string> line = lines.next()) return line;
    const ssize_t count = recv(connection, bytes.data(), bytes.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0 || !lines.append({bytes.data(), static_cast<std::size_t>(count)})) return std::nullopt;
  }
}

// Whoever asked and went away wants nothing any more: a gateway that was stopped would else do now, in any order, what
// it was told meanwhile. (Only to have said everything, by shutdown(2), is no going away.)
bool has_left(int connection) {
  pollfd hung_up{connection, 0, 0};
  return poll(&hung_up, 1, 0) > 0 && (hung_up.revents & POLLHUP) != 0;
}

}  // namespace

bool AnswerLines::send(std::string_view line) {
  waiting_.append(line).push_back('\n');
  return waiting_.size() < send_at_once_bytes ? !gone_ : flush();
}

bool AnswerLines::flush() {
  gone_ = gone_ || !send_all(socket_, waiting_);
  waiting_.clear();
  return !gone_;
}

bool AnswerLines::wait_for_leave(std::chrono::milliseconds at_most) {
  pollfd peer{socket_, POLLRDHUP, 0};
  return gone_ || poll(&peer, 1, static_cast<int>(at_most.count())) > 0;
}

ControlSocket::ControlSocket(std::string path) : path_(std::move(path)), listening_(listen_at(path_)) {}

ControlSocket::~ControlSocket() { unlink(path_.c_str()); }

ControlServer::ControlServer(const ControlSocket& socket, Answer answer)
    : listening_(socket.listening()), stop_event_(eventfd(0, EFD_CLOEXEC)), answer_(std::move(answer)) {
  thread_ = std::thread(&ControlServer::accept_clients, this);
}

ControlServer::~ControlServer() { stop(); }

void ControlServer::stop() {
  if (!thread_.joinable()) return;
  eventfd_write(stop_event_.get(), 1);
  thread_.join();
}

void ControlServer::accept_clients() {
  std::array<pollfd, 2> waiting = {{{listening_, POLLIN, 0}, {stop_event_.get(), POLLIN, 0}}};
  while (true) {
    if (poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) break;
    if (waiting[1].revents != 0) break;
    sweep();
    if (waiting[0].revents == 0) continue;
    Descriptor connection(accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC));
    if (connection) welcome(std::move(connection));
  }
  for (Client& client : clients_) shutdown(client.connection.get(), SHUT_RDWR);
  for (Client& client : clients_) client.thread.join();
  clients_.clear();
}

void ControlServer::welcome(Descriptor connection) {
  set_patience(connection.get());
  if (clients_.size() >= clients_max) {
    const End busy{ExitCode::environment, fmt::format("{} clients are asking already: ask again later", clients_max)};
    (void)send_all(connection.get(), to_line(busy) + '\n');
    return;
  }
  Client& client = clients_.emplace_back();
  client.connection = std::move(connection);
  client.thread = std::thread(&ControlServer::talk, this, std::ref(client));
}

void ControlServer::sweep() {
  clients_.remove_if([](Client& client) {
    if (!client.done) return false;
    client.thread.join();
    return true;
  });
}

void ControlServer::talk(Client& client) {
  const int socket = client.connection.get();
  const std::optional<std::string> line = receive_line(socket);
  if (line && !has_left(socket)) {
    AnswerLines lines(socket);
    const std::optional<Request> request = parse_request(*line);
    const End end = request ? answer_(*request, lines) : End{ExitCode::usage, "not a request"};
    lines.send(to_line(end));
    (void)lines.flush();
  }
  shutdown(socket, SHUT_RDWR);
  client.done = true;
}

}  // namespace sallyport
