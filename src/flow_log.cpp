#include "src/flow_log.h"

#include <utility>

#include <fmt/format.h>

#include "dataplane/io/environment_error.h"
#include "src/port_record_json.h"

namespace sallyport {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t batch_records = 256;
constexpr std::size_t write_at_once_bytes = 256U << 10U;
// A ring of 16384 records lasts for 800,000 records a second.
constexpr auto pause = 20ms;
constexpr auto look_every = 1s;
constexpr auto tell_every = 10s;

}  // namespace

FlowLog::FlowLog(std::string path, Log& log) : file_(std::move(path)), log_(log), records_(batch_records) {
  if (file_.path().empty()) return;
  const std::string problem = file_.open();
  if (!problem.empty())
    throw dataplane::EnvironmentError("flow log " + problem + "; name another file by [flow_log] file");
}

FlowLog::~FlowLog() { stop(); }

void FlowLog::start(Source source) {
  source_ = std::move(source);
  thread_ = std::thread(&FlowLog::serve, this);
}

void FlowLog::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_one();
  thread_.join();
}

void FlowLog::serve() {
  bool stopping = false;
  while (!stopping) {
    {
      std::unique_lock lock(mutex_);
      stopping = stopping_.wait_for(lock, pause, [this] { return stop_; });
    }
    const Clock::time_point now = Clock::now();
    look_after_file(now);
    while (take_batch() != 0) {
      if (lines_.size() >= write_at_once_bytes) write_batch();
    }
    write_batch();
    tell_losses(stopping ? Clock::time_point::max() : now);
  }
}

std::size_t FlowLog::take_batch() {
  const std::size_t count = source_.take(records_);
  for (std::size_t i = 0; i < count; ++i) {
    if (records_[i].kind == dataplane::RecordKind::ports_running_out) log_.warning(ports_running_out_text(records_[i]));
  }
  if (count == 0 || (file_.path().empty() && !source_.seen)) return count;
  // Asked for after the records were taken, so these names cover them.
  const std::shared_ptr<const classifier::Identities> identities = source_.identities();
  if (source_.seen) {
    for (std::size_t i = 0; i < count; ++i) source_.seen(records_[i], *identities);
  }
  if (file_.path().empty()) return count;
  for (std::size_t i = 0; i < count; ++i) {
    append_json(lines_, records_[i], *identities);
    lines_.push_back('\n');
  }
  lines_count_ += count;
  return count;
}

void FlowLog::write_batch() {
  if (lines_count_ == 0) return;
  (file_.write({lines_.data(), lines_.size()}) ? written_ : failed_) += lines_count_;
  lines_.clear();
  lines_count_ = 0;
}

void FlowLog::look_after_file(Clock::time_point now) {
  if (file_.path().empty()) return;
  const bool look = now - looked_ >= look_every;
  if (look) looked_ = now;
  if (!reopen_.exchange(false) && !(look && file_.moved_away())) return;
  const std::string problem = file_.open();
  if (!problem.empty()) log_.error("flow log " + problem);
}

void FlowLog::tell_losses(Clock::time_point now) {
  if (now - told_ < tell_every) return;
  const std::uint64_t lost = source_.lost() + failed_;
  if (lost == told_lost_) return;
  log_.warning(fmt::format("flow log: {} records lost so far: the disk or the reader is too slow, or full", lost));
  told_ = now;
  told_lost_ = lost;
}

}  // namespace sallyport
