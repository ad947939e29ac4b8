// Flow records from the workers' rings into a file, one JSON object a line. What an operator should know at once goes
// into the log, too.
//
// A thread of its own drains the rings, so a slow disk costs records, which are counted, and never a packet. The file
// is opened anew when it was moved away (looked at once a second) and when asked (SIGUSR1).
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
#include "dataplane/flow_record.h"
#include "src/flow_record_json.h"
#include "src/line_file.h"
#include "src/log.h"

namespace sallyport {

class FlowLog {
 public:
  struct Source {
    std::function<std::size_t(std::span<dataplane::FlowRecord>)> take;          // 0: none waits
    std::function<std::shared_ptr<const classifier::Identities>()> identities;  // that know every record taken before
    std::function<std::uint64_t()> lost;                                        // before they could be taken
    std::function<void(const dataplane::FlowRecord&, const classifier::Identities&)> seen{};  // each; may be empty
  };

  // An empty path: records are taken and forgotten. Throws dataplane::EnvironmentError where it cannot be opened.
  FlowLog(std::string path, Log& log);
  // Ends as by stop().
  ~FlowLog();
  FlowLog(const FlowLog&) = delete;
  FlowLog& operator=(const FlowLog&) = delete;

  void start(Source source);
  void reopen() noexcept { reopen_ = true; }
  // Writes what there is still to be taken, then ends.
  void stop();

  [[nodiscard]] std::uint64_t written() const noexcept { return written_; }
  // Records that the file did not take.
  [[nodiscard]] std::uint64_t failed() const noexcept { return failed_; }

 private:
  using Clock = std::chrono::steady_clock;

  void serve();
  // Takes a batch and renders it; how many records.
  std::size_t take_batch();
  void write_batch();
  void look_after_file(Clock::time_point now);
  void tell_losses(Clock::time_point now);

  LineFile file_;
  Log& log_;
  Source source_;
  std::vector<dataplane::FlowRecord> records_;
  JsonBuffer lines_;
  std::uint64_t lines_count_ = 0;
  Clock::time_point looked_;
  Clock::time_point told_;
  std::uint64_t told_lost_ = 0;
  std::atomic<bool> reopen_ = false;
  std::atomic<std::uint64_t> written_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;  // under mutex_
  std::thread thread_;
};

}  // namespace sallyport
