// Flows outlive the process: FOLDER/flows is written again and again while the gateway runs, once more when it stops,
// and taken back when it starts. docs/OPERATIONS.md says what that means for an upgrade and after a crash.
//
// A thread of its own copies the tables in short visits (Gateway::save_flows), so the workers wait for nothing. It
// pauses for the period, and nine times as long as it took: of many flows the file is older, and never more than a
// tenth of a processor goes into it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "dataplane/io/gateway.h"
#include "src/log.h"

namespace sallyport {

class FlowKeeper {
 public:
  // A period of zero: only when it stops. `gateway` and `log` outlive it.
  FlowKeeper(dataplane::Gateway& gateway, const std::string& folder, std::chrono::milliseconds period, Log& log);
  ~FlowKeeper();
  FlowKeeper(const FlowKeeper&) = delete;
  FlowKeeper& operator=(const FlowKeeper&) = delete;

  // What the last process left, into the tables of this one; before the first policy is published. A file that is
  // damaged, or of another version, is told of and counts as none.
  void take_back();
  void start();
  // Writes no more.
  void stop();
  // The last time, after stop() and Gateway::halt(). The flow log is going to have a record of each of these flows.
  void save_last();

 private:
  void serve();
  // Answers what went wrong; empty: nothing, or told to stop.
  [[nodiscard]] std::string save(bool last);
  void tell(const std::string& problem);

  dataplane::Gateway& gateway_;
  const std::string path_;
  const std::chrono::milliseconds period_;
  Log& log_;
  std::string told_;  // the problem that was logged last; empty: the last file was written
  std::uint64_t seen_packets_ = 0;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;  // under mutex_
  std::thread thread_;
};

}  // namespace sallyport
