#include "src/signals.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace sallyport {

Signals::Signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  events_ = Descriptor(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

std::optional<Signal> Signals::wait(std::chrono::milliseconds at_most) const {
  pollfd waiting{events_.get(), POLLIN, 0};
  if (poll(&waiting, 1, static_cast<int>(at_most.count())) != 1) return std::nullopt;
  signalfd_siginfo event{};
  if (read(events_.get(), &event, sizeof event) != sizeof event) return std::nullopt;
  switch (event.ssi_signo) {
    case SIGHUP:
      return Signal::reload;
    case SIGUSR1:
      return Signal::reopen;
    default:
      return Signal::stop;
  }
}

}  // namespace sallyport
