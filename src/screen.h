// A terminal as a screen of its own: what was there before comes back at the end.
#pragma once

#include <chrono>
#include <string_view>

#include <termios.h>

#include "src/top_text.h"

namespace sallyport {

class Screen {
 public:
  // Of the standard output and input.
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  [[nodiscard]] static ScreenSize size();
  // In place of what stands there.
  void show(std::string_view lines);
  enum class Event { none, resized, quit };
  // Whatever comes first; none: nothing in time.
  [[nodiscard]] Event wait(std::chrono::milliseconds at_most);

 private:
  bool keys_ = false;  // stdin is a terminal, too
  termios before_{};
};

}  // namespace sallyport
