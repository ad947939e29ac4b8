// A socket that log messages go to: a datagram each, to somebody else's daemon here or a server elsewhere, or one
// behind the other over TCP. It is connected anew where that has ended, and never waits for long.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "config/appliance_model.h"
#include "src/descriptor.h"
#include "src/flow_log/patience.h"

namespace sallyport {

class LogSocket {
 public:
  explicit LogSocket(config::LogTarget target) : target_(std::move(target)) {}

  // Answers what went wrong; empty: connected.
  [[nodiscard]] std::string open();
  // Tries again where it is not, at most once a second.
  [[nodiscard]] bool connected();
  // How many there were: who begins each connection with something looks here before send().
  [[nodiscard]] std::uint64_t connections() const noexcept { return connections_; }
  // False: the message is lost; nobody is there, or nobody reads.
  [[nodiscard]] bool send(std::string_view message);
  // "unix:/dev/log", "udp:192.0.2.5:514"
  [[nodiscard]] std::string text() const;

 private:
  enum class Sent { taken, lost, gone };

  [[nodiscard]] bool is_stream() const noexcept { return target_.by == config::LogTarget::By::tcp; }
  [[nodiscard]] bool send_datagram(std::string_view message);
  [[nodiscard]] bool send_all(std::string_view bytes);
  // Adds the bytes that were taken.
  [[nodiscard]] Sent try_send(std::string_view bytes, std::size_t& taken);

  config::LogTarget target_;
  Descriptor socket_;
  Patience patience_;
  std::uint64_t connections_ = 0;
  std::chrono::steady_clock::time_point tried_;
};

}  // namespace sallyport
