// How a worker wakes a thread of the control plane: at most one system call until that thread has looked.
#pragma once

#include <atomic>

namespace sallyport::dataplane {

class Wake {
 public:
  // Throws EnvironmentError when there are no file descriptors left.
  Wake();
  ~Wake();
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  // Any thread, after it has put something where the sleeper will look.
  void signal() noexcept;
  // The sleeper, before it looks.
  void clear() noexcept;
  // Readable while signalled.
  [[nodiscard]] int file_descriptor() const noexcept { return event_; }

 private:
  int event_;
  std::atomic<bool> signalled_{false};
};

}  // namespace sallyport::dataplane
