// Flow records from the workers' rings to the outputs that are configured: a file, journald, syslog, an IPFIX
// collector. What an operator should know at once goes into the log, too.
//
//   rings -> FlowLog's thread: a batch, each record with its line of JSON -> a queue and a thread for each output
//
// Whoever is slow loses records, which are counted, and never a packet: an output its own, where its queue is full; all
// of them, where this thread does not keep up with the rings.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "classifier/identities.h"
#include "config/appliance_model.h"
#include "dataplane/flow_record.h"
#include "src/flow_log/output_queue.h"
#include "src/log.h"

namespace sallyport {

class FlowLog {
 public:
  struct Source {
    std::function<std::size_t(std::span<dataplane::FlowRecord>)> take;          // 0: none waits
    std::function<std::shared_ptr<const classifier::Identities>()> identities;  // that know every record taken before
    std::function<std::uint64_t()> lost;                                        // before they could be taken
    // Each record, with what knows it; may be empty.
    std::function<void(const dataplane::FlowRecord&, const std::shared_ptr<const classifier::Identities>&)> seen{};
  };
  struct OutputCounts {
    std::string name;  // "file", "journald", "syslog", "ipfix"
    std::uint64_t written = 0;
    std::uint64_t lost = 0;
  };

  // Without an output, records are taken and forgotten. Throws dataplane::EnvironmentError where the file cannot be
  // opened; who else does not answer yet is waited for beside the traffic, as daemons come and go.
  FlowLog(const config::ApplianceModel& appliance, Log& log);
  // Ends as by stop().
  ~FlowLog();
  FlowLog(const FlowLog&) = delete;
  FlowLog& operator=(const FlowLog&) = delete;

  void start(Source source);
  void reopen() noexcept;
  // Every living flow is about to be recorded: from now on an output that is slow is waited for, while it goes on.
  void be_patient();
  // Writes what there is still to be taken, then ends.
  void stop();

  // Records that no output got, since nobody took them from the workers in time. Any thread, once start() has returned.
  [[nodiscard]] std::uint64_t lost_in_rings() const { return source_.lost(); }
  [[nodiscard]] std::vector<OutputCounts> outputs() const;

 private:
  using Clock = std::chrono::steady_clock;

  void add(std::unique_ptr<Output> output);
  void serve();
  // Takes a batch and hands it to the outputs; how many records.
  std::size_t take_batch();
  void tell_losses(Clock::time_point now);

  Log& log_;
  Source source_;
  std::vector<std::unique_ptr<OutputQueue>> outputs_;
  std::vector<dataplane::FlowRecord> records_;
  Clock::time_point told_;
  std::uint64_t told_lost_ = 0;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;  // under mutex_
  std::thread thread_;
};

}  // namespace sallyport
