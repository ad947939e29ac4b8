// The service's log: one line an event, to stderr, whole or not at all.
//
// Under systemd's journal a line starts with its priority (sd-daemon(3), "<4>") and the journal puts the time;
// elsewhere it starts with the time in UTC and the priority as a word. Safe to call from any thread; never from a
// worker.
#pragma once

#include <cstdint>
#include <string_view>

namespace sallyport {

class Log {
 public:
  explicit Log(int file_descriptor);

  void info(std::string_view text) { line(Priority::info, text); }
  void warning(std::string_view text) { line(Priority::warning, text); }
  void error(std::string_view text) { line(Priority::error, text); }

 private:
  enum class Priority : std::uint8_t { error = 3, warning = 4, info = 6 };
  void line(Priority priority, std::string_view text);

  int file_descriptor_;
  bool journal_;
};

}  // namespace sallyport
