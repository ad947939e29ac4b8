#include "src/control_client.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "src/control_socket.h"
#include "src/descriptor.h"

namespace sallyport {
namespace {

End nobody_there(const std::string& path, int error) {
  const std::string_view what_to_do = error == EACCES ? "only root and the group of the service may ask"
                                                      : "is `sallyport run` running, with this control socket?";
  return {ExitCode::environment, fmt::format("{}: no gateway to ask: {}; {}", path, std::strerror(error), what_to_do)};
}

End cut_off(const std::string& path) {
  return {ExitCode::environment, fmt::format("{}: the gateway ended in the middle of its answer; ask again", path)};
}

// A gateway that was stopped still takes connections: its kernel does.
End no_answer(const std::string& path, std::chrono::milliseconds patience) {
  return {ExitCode::environment,
          fmt::format("{}: no answer within {} ms: the gateway is stopped, or stuck", path, patience.count())};
}

void set_patience(int connection, std::chrono::milliseconds patience) {
  const timeval limit{patience.count() / 1000, patience.count() % 1000 * 1000};
  setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

bool is_timeout(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINPROGRESS; }

// A connection on which the request was sent; or none, and `end` says why.
Descriptor put_request(const std::string& path, const Request& request, std::chrono::milliseconds patience, End& end) {
  const std::optional<SocketAddress> address = socket_address(path);
  if (!address) {
    end = nobody_there(path, ENAMETOOLONG);
    return {};
  }
  Descriptor connection(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  set_patience(connection.get(), patience);
  if (!connection || connect(connection.get(), address->get(), address->size()) != 0) {
    end = is_timeout(errno) ? no_answer(path, patience) : nobody_there(path, errno);
    return {};
  }
  // A gateway that was killed leaves its socket behind for a moment, and says nothing.
  if (send_all(connection.get(), to_line(request) + '\n')) return connection;
  end = nobody_there(path, errno);
  return {};
}

// Called after every line, and with true when the patience is over; an end that it answers is that of all.
using Between = std::function<std::optional<End>(bool)>;

End take_answer(int connection, const std::string& path, const std::function<bool(std::string_view)>& take,
                const Between& between) {
  LineBuffer lines(answer_line_bytes_max);
  std::array<char, 65536> bytes{};
  bool answered = false;
  while (true) {
    while (const std::optional<std::string> line = lines.next()) {
      if (const std::optional<End> end = parse_end(*line)) return *end;
      if (!take(*line)) return {};
      if (const std::optional<End> end = between(false)) return *end;
    }
    const ssize_t count = recv(connection, bytes.data(), bytes.size(), 0);
    if (count < 0 && (errno == EINTR || is_timeout(errno))) {
      if (const std::optional<End> end = between(errno != EINTR)) return *end;
      continue;
    }
    if (count <= 0 && !answered) return nobody_there(path, count < 0 ? errno : ECONNRESET);
    answered = true;
    if (count <= 0 || !lines.append({bytes.data(), static_cast<std::size_t>(count)})) return cut_off(path);
  }
}

}  // namespace

End ask_gateway(const std::string& socket_path, const Request& request,
                const std::function<bool(std::string_view)>& take, std::chrono::milliseconds patience) {
  End end;
  const Descriptor connection = put_request(socket_path, request, patience, end);
  if (!connection) return end;
  return take_answer(connection.get(), socket_path, take, [&](bool over) {
    return over ? std::optional<End>(no_answer(socket_path, patience)) : std::nullopt;
  });
}

End follow_gateway(const std::string& socket_path, const Request& request,
                   const std::function<bool(std::string_view)>& take, const std::function<bool()>& enough) {
  constexpr std::chrono::milliseconds ask_again{200};
  End end;
  const Descriptor connection = put_request(socket_path, request, ask_again, end);
  if (!connection) return end;
  // The gateway is told once that no more is wanted, and goes on to the end of its answer.
  bool left = false;
  return take_answer(connection.get(), socket_path, take, [&](bool) -> std::optional<End> {
    if (!left && enough()) {
      left = true;
      shutdown(connection.get(), SHUT_WR);
    }
    return std::nullopt;
  });
}

}  // namespace sallyport
