#include "src/flow_keeper.h"

#include <algorithm>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "src/flow_state_file.h"

namespace sallyport {
namespace {

using dataplane::SavedFlow;
using dataplane::SavedRest;
using dataplane::TakenBack;
using dataplane::TakenBackSums;

constexpr std::size_t given_at_once = 4096;

std::uint64_t now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

// Gives records back in batches.
class Returning {
 public:
  Returning(dataplane::Gateway& gateway, const FlowStateHead& head) : gateway_(gateway), head_(head) {}

  void take(const FlowStateRecord& record) {
    if (const auto* flow = std::get_if<SavedFlow>(&record)) {
      flows_.push_back(*flow);
      if (head_.recorded) count_anew(flows_.back());
      if (flows_.size() == given_at_once) flush();
    } else if (const auto* rest = std::get_if<SavedRest>(&record)) {
      gateway_.take_back(std::span(rest, 1));
    }
  }
  void flush() {
    const TakenBackSums some = gateway_.take_back(flows_);
    for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += some[i];
    flows_.clear();
  }
  [[nodiscard]] std::string text() const {
    const std::uint64_t age_ms = (now_ns() - std::min(now_ns(), head_.saved_ns)) / 1'000'000;
    std::string text = fmt::format("{} flows of the last run go on, as they were {}.{} s ago", sum(TakenBack::taken),
                                   age_ms / 1000, age_ms % 1000 / 100);
    if (sum(TakenBack::over) != 0) text += fmt::format("; {} were over", sum(TakenBack::over));
    if (sum(TakenBack::elsewhere) != 0)
      text += fmt::format("; {} cannot, as there were {} workers and are {}", sum(TakenBack::elsewhere), head_.workers,
                          gateway_.workers());
    if (sum(TakenBack::refused) != 0) text += fmt::format("; {} found no place", sum(TakenBack::refused));
    return text;
  }

 private:
  void count_anew(SavedFlow& flow) const {
    flow.packets = flow.bytes = {};
    flow.started_ns = head_.saved_ns;
  }
  [[nodiscard]] std::uint64_t sum(TakenBack what) const { return sums_[static_cast<std::size_t>(what)]; }

  dataplane::Gateway& gateway_;
  const FlowStateHead head_;
  std::vector<SavedFlow> flows_;
  TakenBackSums sums_{};
};

}  // namespace

FlowKeeper::FlowKeeper(dataplane::Gateway& gateway, const std::string& folder, std::chrono::milliseconds period,
                       Log& log)
    : gateway_(gateway), path_(flow_state_path(folder)), period_(period), log_(log) {}

FlowKeeper::~FlowKeeper() { stop(); }

void FlowKeeper::take_back() {
  FlowStateReader reader(path_);
  std::string problem = reader.check();
  if (problem.empty() && reader.found()) {
    Returning returning(gateway_, reader.head());
    problem = reader.each([&](const FlowStateRecord& record) { returning.take(record); });
    returning.flush();
    if (problem.empty()) log_.info(returning.text());
  }
  if (!problem.empty()) log_.warning("no flow of the last run goes on, connections have to be opened anew: " + problem);
}

void FlowKeeper::start() {
  if (period_ != std::chrono::milliseconds::zero()) thread_ = std::thread(&FlowKeeper::serve, this);
}

void FlowKeeper::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_one();
  thread_.join();
}

void FlowKeeper::save_last() { tell(save(true)); }

void FlowKeeper::serve() {
  auto pause = period_;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (stopping_.wait_for(lock, pause, [this] { return stop_; })) return;
    }
    const std::uint64_t packets = gateway_.counters().received;
    if (std::exchange(seen_packets_, packets) == packets) continue;
    const auto begin = std::chrono::steady_clock::now();
    tell(save(false));
    const auto took = std::chrono::steady_clock::now() - begin;
    pause = std::max(period_, std::chrono::duration_cast<std::chrono::milliseconds>(9 * took));
  }
}

std::string FlowKeeper::save(bool last) {
  FlowStateWriter writer(path_, {gateway_.workers(), last, now_ns()});
  bool goes_on = true;
  const auto add = [&](const auto& rows) {
    for (const auto& row : rows) writer.add(row);
    const std::lock_guard lock(mutex_);
    goes_on = last || !stop_;
    return goes_on;
  };
  gateway_.save_flows(add);
  if (goes_on) gateway_.save_resting(add);
  return goes_on ? writer.commit() : std::string();
}

void FlowKeeper::tell(const std::string& problem) {
  if (problem != told_ && !problem.empty())
    log_.warning(problem +
                 "; after a restart, connections have to be opened anew: mend it, or name another folder by "
                 "--state");
  told_ = problem;
}

}  // namespace sallyport
