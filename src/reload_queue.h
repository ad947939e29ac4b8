// Who asked for a reload, and which answer is theirs.
//
// Any number of askers, one loader. What is asked while a load is running is answered by the next one, all of it at
// once: a file may have changed after the running load read it, so its result answers only those who asked before it
// began.
//
//   ask -> 1   [load begins, takes 1]   ask -> 2   ask -> 3   [load ends: 1 is answered]   [next load takes 2 and 3]
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

struct ReloadResult {
  enum class Kind : std::uint8_t {
    published,
    unchanged,  // the files mean what is running already
    refused,    // the running policy, if any, is kept
  };
  Kind kind = Kind::refused;
  std::string text;  // one line, as in the log
  struct Note {
    bool problem = false;
    std::string text;
    bool error = false;  // a problem that stands in the way
  };
  std::vector<Note> notes{};  // what else was logged: warnings, what became of the shadow policy
};

class ReloadQueue {
 public:
  using Ticket = std::uint64_t;

  [[nodiscard]] Ticket ask();
  // Waits for somebody to have asked. The ticket covers everyone who has asked so far; none: stopped.
  [[nodiscard]] std::optional<Ticket> take();
  // The load that began with this ticket is over.
  void finish(Ticket taken, ReloadResult result);
  // The result of a load that began after the ticket was asked for; none: stopped before.
  [[nodiscard]] std::optional<ReloadResult> wait(Ticket asked);
  // Nobody waits any longer.
  void stop();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Ticket asked_ = 0;
  Ticket taken_ = 0;
  Ticket finished_ = 0;
  ReloadResult result_;
  bool stopped_ = false;
};

}  // namespace sallyport
