#include "src/screen.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace sallyport {
namespace {

constexpr std::string_view enter = "\x1b[?1049h\x1b[?25l";  // the other screen, no cursor
constexpr std::string_view leave = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view home = "\x1b[H";
constexpr std::string_view clear_line = "\x1b[K";
constexpr std::string_view clear_below = "\x1b[J";

void write_out(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

extern "C" void notice(int) {}  // so that waiting ends

}  // namespace

Screen::Screen() {
  write_out(enter);
  struct sigaction resized {};
  resized.sa_handler = notice;
  sigaction(SIGWINCH, &resized, nullptr);
  keys_ = tcgetattr(STDIN_FILENO, &before_) == 0;
  if (!keys_) return;
  termios raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

Screen::~Screen() {
  if (keys_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  write_out(leave);
}

ScreenSize Screen::size() {
  winsize window{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0 || window.ws_row == 0) return {80, 24};
  return {window.ws_col, window.ws_row};
}

void Screen::show(std::string_view lines) {
  std::string out(home);
  for (const char letter : lines) {
    if (letter == '\n') out += clear_line;
    out += letter;
  }
  if (out.ends_with('\n')) out.pop_back();  // the last row does not scroll the first one away
  write_out(out += clear_below);
}

Screen::Event Screen::wait(std::chrono::milliseconds at_most) {
  pollfd keyboard{keys_ ? STDIN_FILENO : -1, POLLIN, 0};
  const int ready = poll(&keyboard, 1, static_cast<int>(at_most.count()));
  if (ready < 0) return errno == EINTR ? Event::resized : Event::quit;
  if (ready == 0) return Event::none;
  char key = 0;
  const ssize_t count = read(STDIN_FILENO, &key, 1);
  if (count == 0) keys_ = false;  // nobody types any more
  return count == 1 && (key == 'q' || key == 'Q') ? Event::quit : Event::resized;
}

}  // namespace sallyport
