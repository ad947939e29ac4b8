#include "src/tap_client.h"

#include <csignal>

#include "src/control_client.h"

namespace sallyport {
namespace {

volatile std::sig_atomic_t asked_to_end = 0;

extern "C" void ask_to_end(int) { asked_to_end = 1; }

// Without SA_RESTART, so that waiting ends; the second one is deadly.
void handle(void (*how)(int)) {
  struct sigaction action {};
  action.sa_handler = how;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

Interruptible::Interruptible() { handle(ask_to_end); }
Interruptible::~Interruptible() { handle(SIG_DFL); }
bool Interruptible::asked() noexcept { return asked_to_end != 0; }

End follow_packets(const std::string& socket_path, const TapRequest& request, const TapLimits& limits,
                   const std::function<std::optional<std::uint64_t>(const Json&)>& take) {
  using Clock = std::chrono::steady_clock;
  const Interruptible interruptible;
  const Clock::time_point until =
      limits.seconds == 0 ? Clock::time_point::max() : Clock::now() + std::chrono::seconds(limits.seconds);
  std::uint64_t count = 0;
  const auto full = [&] { return limits.count != 0 && count >= limits.count; };
  return follow_gateway(
      socket_path, Request{"tap", request},
      [&](std::string_view line) {
        if (full()) return true;  // what the gateway still had
        const std::optional<std::uint64_t> good = take(Json::parse(line, nullptr, false));
        count += good.value_or(0);
        return good.has_value();
      },
      [&] { return full() || Interruptible::asked() || Clock::now() >= until; });
}

}  // namespace sallyport
