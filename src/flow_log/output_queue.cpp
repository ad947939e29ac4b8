#include "src/flow_log/output_queue.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace sallyport {
namespace {

constexpr auto look_every = std::chrono::milliseconds(100);

}  // namespace

OutputQueue::OutputQueue(std::unique_ptr<Output> output, Log& log)
    : output_(std::move(output)), log_(log), thread_(&OutputQueue::serve, this) {}

OutputQueue::~OutputQueue() { stop(); }

void OutputQueue::offer(std::shared_ptr<const RecordBatch> batch) {
  const std::size_t bytes = batch->bytes();
  const std::size_t records = output_->wants(*batch);
  if (records == 0) return;
  {
    std::unique_lock lock(mutex_);
    if (!has_room(lock, bytes)) {
      lost_ += records;
      return;
    }
    waiting_bytes_ += bytes;
    waiting_.push_back(std::move(batch));
  }
  changed_.notify_one();
}

bool OutputQueue::has_room(std::unique_lock<std::mutex>& lock, std::size_t bytes) {
  constexpr auto patience = std::chrono::milliseconds(250);  // workers wait for this thread, a second
  const auto room = [this, bytes] { return waiting_bytes_ + bytes <= bytes_max; };
  if (!patient_) return room();
  patient_ = taken_.wait_for(lock, patience, room);
  return patient_;
}

void OutputQueue::be_patient() {
  const std::lock_guard lock(mutex_);
  patient_ = true;
}

void OutputQueue::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void OutputQueue::serve() {
  bool more = true;
  while (more) {
    const std::shared_ptr<const RecordBatch> batch = wait_batch();
    look_after();
    if (batch) {
      const std::size_t taken = output_->write(*batch);
      written_ += taken;
      lost_ += output_->wants(*batch) - taken;
    }
    const std::lock_guard lock(mutex_);
    more = !stop_ || !waiting_.empty();
  }
}

// Null: there was none for a while, or no more come.
std::shared_ptr<const RecordBatch> OutputQueue::wait_batch() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, look_every, [this] { return stop_ || !waiting_.empty(); });
  if (waiting_.empty()) return nullptr;
  std::shared_ptr<const RecordBatch> batch = std::move(waiting_.front());
  waiting_.pop_front();
  waiting_bytes_ -= batch->bytes();
  taken_.notify_one();
  return batch;
}

void OutputQueue::look_after() {
  const std::string problem = output_->look_after();
  if (!problem.empty()) log_.error("flow log " + problem);
}

}  // namespace sallyport
