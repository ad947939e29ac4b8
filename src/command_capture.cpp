#include "src/command_capture.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "src/capture_writer.h"
#include "src/control_choice.h"
#include "src/tap_client.h"
#include "src/trace_text.h"

namespace sallyport {
namespace {

std::optional<unsigned> digit(char letter) {
  if (letter >= '0' && letter <= '9') return static_cast<unsigned>(letter - '0');
  if (letter >= 'a' && letter <= 'f') return static_cast<unsigned>(letter - 'a') + 10U;
  return std::nullopt;
}

// Up to what is no hexadecimal.
std::vector<std::uint8_t> bytes_of(std::string_view hexadecimal) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(hexadecimal.size() / 2);
  for (std::size_t i = 0; i + 1 < hexadecimal.size(); i += 2) {
    const std::optional<unsigned> high = digit(hexadecimal[i]);
    const std::optional<unsigned> low = digit(hexadecimal[i + 1]);
    if (!high || !low) break;
    bytes.push_back(static_cast<std::uint8_t>(*high << 4U | *low));
  }
  return bytes;
}

// Frames of a port are on one side, or, on a stick, on both.
struct CapturedPort {
  std::string name;
  bool inside = false;
  bool outside = false;
};

class Capture {
 public:
  explicit Capture(const CaptureOptions& options) : options_(options) {}

  // How many frames were written; none: there is no point in going on.
  std::optional<std::uint64_t> take(const Json& line) {
    if (text_at(line, "event_type") == "tap") return begin(line) ? std::optional<std::uint64_t>(0) : std::nullopt;
    const std::uint64_t before = written_;
    const std::string outcome = text_at(line, "outcome");
    const std::string comment = trace_comment(line);
    const auto time = number_at(line, "time_ns");
    const bool dropped = options_.dropped && outcome == "ended";
    const Json& received = at(line, "received");
    if (!received.empty()) write(received, time, comment, dropped);
    // What a device did not take has no other frame.
    for (const Json& frame : at(line, "sent")) write(frame, time, comment, dropped && received.empty());
    if (options_.out == "-") writer_.flush();  // somebody reads along
    if (writer_.failed()) return std::nullopt;
    return written_ - before;
  }

  [[nodiscard]] std::uint64_t written() const noexcept { return written_; }
  // Empty: all of it is written.
  [[nodiscard]] std::string close() {
    if (!problem_.empty() || !writer_.is_open() || writer_.close()) return problem_;
    return std::strerror(errno);
  }

 private:
  bool begin(const Json& line) {
    std::vector<std::string> names;
    for (const Json& port : at(line, "ports")) {
      const std::string role = text_at(port, "role");
      ports_.push_back({text_at(port, "name"), role != "outside", role != "inside"});
      names.push_back(ports_.back().name);
    }
    const bool open = options_.out == "-" ? writer_.open_standard_output(names) : writer_.open(options_.out, names);
    if (!open) problem_ = std::strerror(errno);
    if (open) fmt::print(stderr, "capturing; Ctrl-C ends it\n");
    return open;
  }

  [[nodiscard]] bool is_full() const { return options_.follow.count != 0 && written_ >= options_.follow.count; }
  [[nodiscard]] bool wants(const CapturedPort& port) const {
    return (options_.inside && port.inside) || (options_.outside && port.outside);
  }

  void write(const Json& frame, std::uint64_t time_ns, const std::string& comment, bool wanted) {
    const std::string name = text_at(frame, "port");
    for (std::uint32_t i = 0; i < ports_.size(); ++i) {
      if (ports_[i].name != name || !(wanted || wants(ports_[i])) || is_full()) continue;
      writer_.write(i, time_ns, bytes_of(text_at(frame, "bytes")),
                    static_cast<std::uint32_t>(number_at(frame, "length")), comment);
      ++written_;
    }
  }

  const CaptureOptions& options_;
  CaptureWriter writer_;
  std::vector<CapturedPort> ports_;
  std::uint64_t written_ = 0;
  std::string problem_;
};

}  // namespace

ExitCode capture_command(const CaptureOptions& options) {
  if (options.out == "-" && isatty(STDOUT_FILENO) == 1) {
    return tell({ExitCode::usage, "capture: not to a terminal: name a file by --out, or let another program read it"});
  }
  ExitCode refused{};
  const std::string socket = socket_of(options.follow.config, options.follow.control_socket, refused);
  if (socket.empty()) return refused;
  Capture capture(options);
  const bool only_ended = options.dropped && !options.inside && !options.outside;
  const End end = follow_packets(socket, {options.follow.filter, options.snap_bytes, only_ended},
                                 {options.follow.count, options.follow.seconds},
                                 [&](const Json& line) { return capture.take(line); });
  if (const std::string problem = capture.close(); !problem.empty()) {
    return tell({ExitCode::environment, fmt::format("{}: {}", options.out, problem)});
  }
  if (end.status != ExitCode::done) return tell(end);
  fmt::print(stderr, "{} frames written{}{}\n", capture.written(), end.message.empty() ? "" : "; of ", end.message);
  return ExitCode::done;
}

}  // namespace sallyport
