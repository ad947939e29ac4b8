// What a person at a terminal sees: colours, tables, progress. Nothing of it where the output goes to a file or a pipe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sallyport {

enum class Colour : std::uint8_t { red = 31, green = 32, yellow = 33, bold = 1 };

// Escape sequences for one file descriptor, or none: not a terminal, NO_COLOR (https://no-color.org), TERM=dumb.
class Style {
 public:
  explicit Style(int file_descriptor);
  [[nodiscard]] std::string paint(Colour colour, std::string_view text) const;

 private:
  bool coloured_;
};

// Columns as wide as their widest cell; cells that are numbers stand right.
class Table {
 public:
  explicit Table(std::vector<std::string> headings);
  // As many cells as headings.
  void add(std::vector<std::string> cells);
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;  // the first one is the headings
};

// "1234567" -> "1,234,567"
[[nodiscard]] std::string grouped(std::uint64_t number);

// Says on stderr what is going on and for how long, once it takes more than a second; clears its line at the end.
class Progress {
 public:
  // `done`, where given, counts what is done already; it outlives this.
  explicit Progress(std::string what, const std::atomic<std::uint64_t>* done = nullptr);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

 private:
  void show();

  std::string what_;
  const std::atomic<std::uint64_t>* done_;
  std::mutex mutex_;
  std::condition_variable ended_condition_;
  bool ended_ = false;
  std::thread thread_;  // none where stderr is no terminal
};

}  // namespace sallyport
