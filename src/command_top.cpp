#include "src/command_top.h"

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "src/control_choice.h"
#include "src/control_client.h"
#include "src/screen.h"
#include "src/tap_client.h"
#include "src/top_text.h"

namespace sallyport {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto period = 1000ms;

double seconds_of(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

class Asking {
 public:
  explicit Asking(std::string socket) : socket_(std::move(socket)) {}

  // None: end() says why.
  std::optional<TopAnswers> ask() {
    TopAnswers answers;
    answers.at_seconds = seconds_of(Clock::now().time_since_epoch());
    const bool all = ask("ports", answers.ports) && ask("reasons", answers.reasons) && ask("policy", answers.policy) &&
                     ask("workers", answers.workers) && ask_egress();
    if (!all) return std::nullopt;
    answers.egress = egress_;
    return answers;
  }
  [[nodiscard]] const End& end() const noexcept { return end_; }

 private:
  bool ask(const char* topic, Json& answer) {
    end_ = ask_gateway(socket_, Request{topic}, [&](std::string_view line) {
      answer = Json::parse(line, nullptr, false);
      return true;
    });
    return end_.status == ExitCode::done;
  }

  // It reads every living flow, so with millions of them it is asked less often: a tenth of the time at most.
  bool ask_egress() {
    const Clock::time_point begin = Clock::now();
    if (begin < egress_next_) return true;
    const bool answered = ask("egress", egress_);
    egress_next_ = Clock::now() + 9 * (Clock::now() - begin);
    return answered;
  }

  const std::string socket_;
  Json egress_;
  Clock::time_point egress_next_;
  End end_;
};

ExitCode show_once(Asking& asking) {
  const std::optional<TopAnswers> before = asking.ask();
  if (!before) return tell(asking.end());
  std::this_thread::sleep_for(period);
  const std::optional<TopAnswers> now = asking.ask();
  if (!now) return tell(asking.end());
  constexpr ScreenSize boundless{1000, 0};
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  fmt::print("{}", top_text(*now, &*before, terminal ? ScreenSize{Screen::size().columns, 0} : boundless,
                            Style(STDOUT_FILENO)));
  return ExitCode::done;
}

// Until q, Ctrl-C, or the gateway's end.
End watch(Asking& asking) {
  const Interruptible interruptible;
  Screen screen;
  const Style style(STDOUT_FILENO);
  std::optional<TopAnswers> before;
  while (!Interruptible::asked()) {
    const Clock::time_point next = Clock::now() + period;
    std::optional<TopAnswers> now = asking.ask();
    if (!now) return asking.end();
    auto event = Screen::Event::resized;
    while (event == Screen::Event::resized && !Interruptible::asked()) {
      screen.show(top_text(*now, before ? &*before : nullptr, Screen::size(), style));
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
      event = screen.wait(std::max(left, 0ms));
    }
    if (event == Screen::Event::quit) break;
    before = std::move(now);
  }
  return {};
}

}  // namespace

ExitCode top_command(const TopOptions& options) {
  ExitCode refused{};
  std::string socket = socket_of(options.config, options.control_socket, refused);
  if (socket.empty()) return refused;
  Asking asking(std::move(socket));
  if (options.once || isatty(STDOUT_FILENO) != 1) return show_once(asking);
  return tell(watch(asking));
}

}  // namespace sallyport
