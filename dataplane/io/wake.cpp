#include "dataplane/io/wake.h"

#include <cstdint>
#include <cstring>

#include <sys/eventfd.h>
#include <unistd.h>

#include "dataplane/io/environment_error.h"

namespace sallyport::dataplane {

Wake::Wake() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (event_ < 0) throw EnvironmentError(std::string("no event file descriptor: ") + std::strerror(errno));
}

Wake::~Wake() { ::close(event_); }

void Wake::signal() noexcept {
  if (signalled_.exchange(true, std::memory_order_acq_rel)) return;
  const std::uint64_t one = 1;
  // Cannot fail: the counter is far from full.
  [[maybe_unused]] const auto written = ::write(event_, &one, sizeof one);
}

void Wake::clear() noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto was_read = ::read(event_, &count, sizeof count);
  signalled_.exchange(false, std::memory_order_acq_rel);
}

}  // namespace sallyport::dataplane
