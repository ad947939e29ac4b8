// A worker with everything that is its own: rings, surroundings, pipeline, loop, and the lcore that runs them.
//
// The pipeline is made on the worker's own thread, so that its tables lie in the memory next to its processor.
#pragma once

#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <optional>

#include "dataplane/io/counter_sums.h"
#include "dataplane/io/device_world.h"
#include "dataplane/io/gateway_plan.h"
#include "dataplane/io/wake.h"
#include "dataplane/mailbox.h"
#include "dataplane/rule_counters.h"
#include "dataplane/worker.h"

namespace sallyport::dataplane {

class WorkerSeat {
 public:
  WorkerSeat();
  ~WorkerSeat();
  WorkerSeat(const WorkerSeat&) = delete;
  WorkerSeat& operator=(const WorkerSeat&) = delete;

  [[nodiscard]] PointerRing& arrivals() noexcept { return arrivals_; }
  // Rung after something was put where the worker looks.
  [[nodiscard]] Wake& wake() noexcept { return wake_; }
  [[nodiscard]] FlowRecords& records() noexcept { return records_; }

  // Takes the memory; answers when it stands. Throws EnvironmentError.
  void prepare(WorldSettings world, const PipelineSettings& pipeline, WorkerSettings worker, Quiescence& quiescence);
  // Has the kernel find and clear the memory, on the worker's own thread; await_populated() waits until that is done.
  void populate();
  void await_populated();
  // The loop begins.
  void go();
  // The loop is told to end; join() waits until it has.
  void end(Worker::End how) noexcept;
  void join() noexcept;

  // False: the worker has ended. `task` runs on the worker's thread.
  bool ask(const std::function<void(Pipeline&)>& task);
  bool ask_taps(const std::function<void(TapPoint&)>& task);
  [[nodiscard]] CounterSums sums() const noexcept;
  [[nodiscard]] const RuleCounters& rules() const noexcept { return pipeline_->rules(); }
  [[nodiscard]] std::uint64_t changes_lost() const noexcept { return pipeline_->changes_lost(); }
  [[nodiscard]] const WorkerCounters& counters() const noexcept { return worker_->counters(); }
  [[nodiscard]] const WorldCounters& world_counters() const noexcept { return world_->counters(); }
  [[nodiscard]] std::size_t memory_bytes() const noexcept;
  [[nodiscard]] PipelineMemory pipeline_memory() const noexcept { return pipeline_->memory(); }

 private:
  int run() noexcept;

  PointerRing arrivals_{arrivals_a_worker};
  FlowRecords records_{flow_records_a_worker};
  Wake wake_;
  Mailbox mailbox_{wake_};
  PipelineSettings settings_;
  unsigned lcore_ = 0;
  std::promise<void> ready_;
  std::promise<bool> populate_;
  std::promise<void> populated_;
  std::promise<bool> go_;
  bool launched_ = false;
  bool told_to_populate_ = false;  // or not to
  bool gone_ = false;              // told to go, or not to
  std::unique_ptr<DeviceWorld> world_;
  std::unique_ptr<Pipeline> pipeline_;
  std::function<std::unique_ptr<Worker>()> make_worker_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace sallyport::dataplane
