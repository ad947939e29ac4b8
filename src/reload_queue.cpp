#include "src/reload_queue.h"

#include <utility>

namespace sallyport {

ReloadQueue::Ticket ReloadQueue::ask() {
  const std::lock_guard lock(mutex_);
  ++asked_;
  changed_.notify_all();
  return asked_;
}

std::optional<ReloadQueue::Ticket> ReloadQueue::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopped_ || asked_ != taken_; });
  if (stopped_) return std::nullopt;
  taken_ = asked_;
  return taken_;
}

void ReloadQueue::finish(Ticket taken, ReloadResult result) {
  const std::lock_guard lock(mutex_);
  finished_ = taken;
  result_ = std::move(result);
  changed_.notify_all();
}

std::optional<ReloadResult> ReloadQueue::wait(Ticket asked) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopped_ || finished_ >= asked; });
  if (finished_ < asked) return std::nullopt;
  return result_;
}

void ReloadQueue::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace sallyport
