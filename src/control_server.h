// The gateway's end of the control socket.
//
// A thread accepts, and each connection has one of its own, so a slow reader of a million flows is in nobody's way. At
// most clients_max at once; a client that takes nothing for ten seconds is let go. The socket's mode is 0660 from its
// first moment on: who may ask is a matter of the file system.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <thread>

#include "src/control_protocol.h"
#include "src/descriptor.h"

namespace sallyport {

// Where an answer's lines go. Not to be used by two threads.
class AnswerLines {
 public:
  explicit AnswerLines(int socket) : socket_(socket) {}
  // Without line end. False: the client is gone, and there is no point in going on.
  bool send(std::string_view line);
  [[nodiscard]] bool flush();
  // Waits; true as soon as the client wants no more of it: it has shut its side, or is gone.
  [[nodiscard]] bool wait_for_leave(std::chrono::milliseconds at_most);

 private:
  int socket_;
  std::string waiting_;
  bool gone_ = false;
};

// The socket in the file system: bound, nobody is answered yet.
class ControlSocket {
 public:
  // Throws dataplane::EnvironmentError: another gateway answers there, or the path cannot be had.
  explicit ControlSocket(std::string path);
  // Removes it.
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] int listening() const noexcept { return listening_.get(); }

 private:
  const std::string path_;
  const Descriptor listening_;
};

class ControlServer {
 public:
  static constexpr std::size_t clients_max = 16;
  // Called by several threads.
  using Answer = std::function<End(const Request&, AnswerLines&)>;

  // `socket` outlives the server.
  ControlServer(const ControlSocket& socket, Answer answer);
  // Lets clients go, answers in the middle of a line or not. Whatever answers wait for has been stopped before.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  // As the destructor does.
  void stop();

 private:
  struct Client {
    Descriptor connection;
    std::atomic<bool> done = false;
    std::thread thread;
  };

  void accept_clients();
  void welcome(Descriptor connection);
  void sweep();
  void talk(Client& client);

  const int listening_;
  const Descriptor stop_event_;
  const Answer answer_;
  std::list<Client> clients_;  // of the accepting thread alone
  std::thread thread_;
};

}  // namespace sallyport
