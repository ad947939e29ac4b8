#include "dataplane/io/worker_seat.h"

#include <new>

#include "dataplane/flow/memory.h"
#include "dataplane/io/dpdk.h"
#include "dataplane/io/environment_error.h"
#include "dataplane/io/thread_sanitizer.h"

namespace sallyport::dataplane {

WorkerSeat::WorkerSeat() = default;

WorkerSeat::~WorkerSeat() {
  end(Worker::End::at_once);
  join();
}

void WorkerSeat::prepare(WorldSettings world, const PipelineSettings& pipeline, WorkerSettings worker,
                         Quiescence& quiescence) {
  lcore_ = worker.number + 1;
  settings_ = pipeline;
  world_ = std::make_unique<DeviceWorld>(std::move(world));
  make_worker_ = [this, worker = std::move(worker), &quiescence] {
    return std::make_unique<Worker>(worker, *world_, *pipeline_, quiescence, mailbox_);
  };
  const auto run_seat = [](void* seat) {
    tell_taken_over(seat);
    const int result = static_cast<WorkerSeat*>(seat)->run();
    tell_passed_on(seat);
    return result;
  };
  tell_passed_on(this);
  if (const int result = rte_eal_remote_launch(run_seat, this, lcore_); result != 0) {
    throw EnvironmentError("worker " + std::to_string(settings_.worker) + " does not start: " + dpdk_error(result));
  }
  launched_ = true;
  try {
    ready_.get_future().get();
  } catch (const std::bad_alloc&) {
    throw EnvironmentError("no memory for the tables of worker " + std::to_string(settings_.worker) +
                           ": lower limits.flows or limits.held_bytes");
  }
}

int WorkerSeat::run() noexcept {
  const TablesTaken tables;
  try {
    pipeline_ = std::make_unique<Pipeline>(settings_, *world_);
    worker_ = make_worker_();
  } catch (...) {
    ready_.set_exception(std::current_exception());
    return 1;
  }
  std::future<bool> populate = populate_.get_future();
  std::future<bool> go = go_.get_future();
  ready_.set_value();
  if (populate.get()) {
    tables.populate();
    populated_.set_value();
  }
  if (go.get()) worker_->run();
  return 0;
}

void WorkerSeat::populate() {
  told_to_populate_ = true;
  populate_.set_value(true);
}

void WorkerSeat::await_populated() { populated_.get_future().get(); }

void WorkerSeat::go() {
  gone_ = true;
  go_.set_value(true);
}

void WorkerSeat::end(Worker::End how) noexcept {
  if (worker_) worker_->end(how);
  if (!told_to_populate_) populate_.set_value(false);
  if (!gone_) go_.set_value(false);
  told_to_populate_ = gone_ = true;
}

void WorkerSeat::join() noexcept {
  if (!launched_) return;
  rte_eal_wait_lcore(lcore_);
  tell_taken_over(this);
  launched_ = false;
}

bool WorkerSeat::ask(const std::function<void(Pipeline&)>& task) {
  return mailbox_.ask([&]() noexcept { task(*pipeline_); });
}

bool WorkerSeat::ask_taps(const std::function<void(TapPoint&)>& task) {
  return mailbox_.ask([&]() noexcept { task(worker_->taps()); });
}

CounterSums WorkerSeat::sums() const noexcept { return sums_of(pipeline_->counters(), world_->counters()); }

std::size_t WorkerSeat::memory_bytes() const noexcept {
  return pipeline_memory().sum() + records_.memory_bytes() + arrivals_a_worker * sizeof(void*);
}

}  // namespace sallyport::dataplane
