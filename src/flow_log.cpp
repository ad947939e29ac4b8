#include "src/flow_log.h"

#include <utility>

#include <fmt/format.h>

#include "dataplane/io/environment_error.h"
#include "src/flow_log/file_output.h"
#include "src/flow_log/ipfix_output.h"
#include "src/flow_log/journal_output.h"
#include "src/flow_log/syslog_output.h"
#include "src/port_record_json.h"

namespace sallyport {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t batch_records = 256;
// A ring of 16384 records lasts for 800,000 records a second.
constexpr auto pause = 20ms;
constexpr auto tell_every = 10s;

}  // namespace

FlowLog::FlowLog(const config::ApplianceModel& appliance, Log& log) : log_(log), records_(batch_records) {
  const config::FlowLogConfig& config = appliance.flow_log;
  if (!config.file.empty()) {
    auto file = std::make_unique<FileOutput>(config.file);
    const std::string problem = file->open();
    if (!problem.empty())
      throw dataplane::EnvironmentError("flow log " + problem + "; name another file by [flow_log] file");
    outputs_.push_back(std::make_unique<OutputQueue>(std::move(file), log_));
  }
  if (config.journald) add(std::make_unique<JournalOutput>());
  if (config.syslog.by != config::LogTarget::By::nothing)
    add(std::make_unique<SyslogOutput>(config.syslog, config.syslog_facility));
  if (appliance.ipfix.collector.by != config::LogTarget::By::nothing)
    add(std::make_unique<IpfixOutput>(appliance.ipfix, appliance.limits));
}

FlowLog::~FlowLog() { stop(); }

void FlowLog::add(std::unique_ptr<Output> output) {
  const std::string problem = output->open();
  if (!problem.empty()) {
    log_.warning(fmt::format("flow log {}: {}: records for it are lost until it is there", output->name(), problem));
  }
  outputs_.push_back(std::make_unique<OutputQueue>(std::move(output), log_));
}

void FlowLog::start(Source source) {
  source_ = std::move(source);
  thread_ = std::thread(&FlowLog::serve, this);
}

void FlowLog::reopen() noexcept {
  for (const std::unique_ptr<OutputQueue>& output : outputs_) output->reopen();
}

void FlowLog::be_patient() {
  for (const std::unique_ptr<OutputQueue>& output : outputs_) output->be_patient();
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

std::vector<FlowLog::OutputCounts> FlowLog::outputs() const {
  std::vector<OutputCounts> counts;
  for (const std::unique_ptr<OutputQueue>& output : outputs_)
    counts.push_back({std::string(output->name()), output->written(), output->lost()});
  return counts;
}

void FlowLog::serve() {
  bool stopping = false;
  while (!stopping) {
    {
      std::unique_lock lock(mutex_);
      stopping = stopping_.wait_for(lock, pause, [this] { return stop_; });
    }
    while (take_batch() != 0) {
    }
    if (!stopping) tell_losses(Clock::now());
  }
  for (const std::unique_ptr<OutputQueue>& output : outputs_) output->stop();
  tell_losses(Clock::time_point::max());
}

std::size_t FlowLog::take_batch() {
  const std::size_t count = source_.take(records_);
  const std::span<const dataplane::FlowRecord> records = std::span(records_).first(count);
  for (const dataplane::FlowRecord& record : records) {
    if (record.kind == dataplane::RecordKind::ports_running_out) log_.warning(ports_running_out_text(record));
  }
  if (count == 0 || (outputs_.empty() && !source_.seen)) return count;
  // Asked for after the records were taken, so these names cover them.
  const std::shared_ptr<const classifier::Identities> identities = source_.identities();
  if (source_.seen) {
    for (const dataplane::FlowRecord& record : records) source_.seen(record, identities);
  }
  if (outputs_.empty()) return count;
  const auto batch = std::make_shared<const RecordBatch>(records, identities);
  for (const std::unique_ptr<OutputQueue>& output : outputs_) output->offer(batch);
  return count;
}

void FlowLog::tell_losses(Clock::time_point now) {
  if (now - told_ < tell_every) return;
  std::uint64_t lost = lost_in_rings();
  std::string where = lost == 0 ? "" : fmt::format(" {} before they could be taken", lost);
  for (const OutputCounts& output : outputs()) {
    if (output.lost != 0) where += fmt::format("{} {} for {}", where.empty() ? "" : ",", output.lost, output.name);
    lost += output.lost;
  }
  if (lost == told_lost_) return;
  log_.warning(
      fmt::format("flow log: records lost so far:{}: the disk or the reader is too slow, full, or away", where));
  told_ = now;
  told_lost_ = lost;
}

}  // namespace sallyport
