// An output and the records that wait for it. What one of them is slow to take costs no other a record, and no worker
// a packet: a full queue loses what comes, and counts it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "src/flow_log/output.h"
#include "src/flow_log/record_batch.h"
#include "src/log.h"

namespace sallyport {

class OutputQueue {
 public:
  // Some 20,000 records.
  static constexpr std::size_t bytes_max = 32U << 20U;

  // The output is open, or was refused. The log outlives it.
  OutputQueue(std::unique_ptr<Output> output, Log& log);
  // Ends as by stop().
  ~OutputQueue();
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;

  // Never waits, unless it has to be patient.
  void offer(std::shared_ptr<const RecordBatch> batch);
  // From now on room is waited for, until that was in vain once: at the end all living flows are recorded at once.
  void be_patient();
  void reopen() noexcept { output_->reopen(); }
  // Writes what waits, then ends.
  void stop();

  [[nodiscard]] std::string_view name() const noexcept { return output_->name(); }
  [[nodiscard]] std::uint64_t written() const noexcept { return written_; }
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

 private:
  void serve();
  [[nodiscard]] bool has_room(std::unique_lock<std::mutex>& lock, std::size_t bytes);
  [[nodiscard]] std::shared_ptr<const RecordBatch> wait_batch();
  void look_after();

  std::unique_ptr<Output> output_;
  Log& log_;
  std::atomic<std::uint64_t> written_ = 0;
  std::atomic<std::uint64_t> lost_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_, taken_;
  std::deque<std::shared_ptr<const RecordBatch>> waiting_;  // under mutex_, as what follows
  std::size_t waiting_bytes_ = 0;
  bool patient_ = false;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace sallyport
