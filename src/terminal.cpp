#include "src/terminal.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace sallyport {
namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool is_number(std::string_view cell) {
  return !cell.empty() && cell.find_first_not_of("0123456789,.%") == std::string_view::npos;
}

}  // namespace

Style::Style(int file_descriptor) {
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
  coloured_ = isatty(file_descriptor) == 1 && !is_set("NO_COLOR") && !dumb;
}

std::string Style::paint(Colour colour, std::string_view text) const {
  if (!coloured_) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", static_cast<int>(colour), text);
}

Table::Table(std::vector<std::string> headings) : rows_{std::move(headings)} {}

void Table::add(std::vector<std::string> cells) {
  cells.resize(rows_.front().size());
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string& below = rows_.size() > 1 ? rows_[1][i] : row[i];
      const bool right = is_number(&row == &rows_.front() ? below : row[i]);
      line += right ? fmt::format("{:>{}}  ", row[i], widths[i]) : fmt::format("{:<{}}  ", row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  return out;
}

std::string grouped(std::uint64_t number) {
  const std::string digits = fmt::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

Progress::Progress(std::string what, const std::atomic<std::uint64_t>* done) : what_(std::move(what)), done_(done) {
  if (isatty(STDERR_FILENO) == 1) thread_ = std::thread(&Progress::show, this);
}

Progress::~Progress() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  ended_condition_.notify_one();
  thread_.join();
}

void Progress::show() {
  using namespace std::chrono_literals;
  std::unique_lock lock(mutex_);
  std::string line;
  for (unsigned seconds = 1; !ended_condition_.wait_for(lock, 1s, [this] { return ended_; }); ++seconds) {
    line = fmt::format("{} ... {} s", what_, seconds);
    if (done_ != nullptr) line += fmt::format(", {} done", grouped(done_->load(std::memory_order_relaxed)));
    fmt::print(stderr, "\r{}", line);
    std::fflush(stderr);
  }
  if (line.empty()) return;
  fmt::print(stderr, "\r{}\r", std::string(line.size(), ' '));
  std::fflush(stderr);
}

}  // namespace sallyport
