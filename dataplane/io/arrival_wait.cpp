#include "dataplane/io/arrival_wait.h"

#include <ctime>

#include <sys/socket.h>

namespace sallyport::dataplane {
namespace {

// An interface that is down leaves an error, which would end every wait at once.
void take_error(int socket) noexcept {
  int error = 0;
  socklen_t length = sizeof error;
  (void)::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length);
}

}  // namespace

ArrivalWait::ArrivalWait(std::span<const int> sockets, Wake& wake)
    : waited_for_{{wake.file_descriptor(), POLLIN, 0}}, wake_(wake) {
  for (const int socket : sockets) waited_for_.push_back({socket, POLLIN, 0});
}

void ArrivalWait::wait(std::chrono::nanoseconds longest) noexcept {
  const timespec enough{0, static_cast<long>(longest.count())};
  if (::ppoll(waited_for_.data(), waited_for_.size(), &enough, nullptr) <= 0) return;
  if (waited_for_.front().revents != 0) wake_.clear();
  for (const pollfd& one : std::span(waited_for_).subspan(1)) {
    if ((one.revents & POLLERR) != 0) take_error(one.fd);
  }
}

}  // namespace sallyport::dataplane
