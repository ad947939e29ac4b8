// Flows that survive the machine: an active gateway tells a log (change_log.h) of them, one that stands by takes what
// it hears into its own tables, so that they are there when its turn comes. docs/HA.md says what that keeps, and what
// not.
//
//   writing     every 5 ms: what has changed in the workers' queues; all open flows when the log was reached, when the
//               turn came, and every ten seconds, as timers and sequence numbers move on; an entry a second at least
//   following   entries as they come
//
// It is beside the packets: what the log does not take is counted, and told of again with all open flows. Never more
// than a tenth of its time goes into those.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/flow/saved_flow.h"
#include "dataplane/io/gateway.h"
#include "src/log.h"
#include "src/replication/change_log.h"
#include "src/replication/entry.h"
#include "src/replication/link.h"
#include "src/replication/status.h"

namespace sallyport {

// What it asks of the gateway; see there.
struct ReplicatedTables {
  using Take = std::function<bool(std::span<const dataplane::SavedFlow>)>;

  std::uint32_t workers = 1;
  std::function<bool()> active;
  std::function<void(std::vector<dataplane::EndedFlow>&, std::vector<dataplane::SavedFlow>&)> changes;
  std::function<void(const Take&)> share;
  std::function<dataplane::TakenBackSums(std::span<const dataplane::SavedFlow>)> follow;
  std::function<void(std::span<const dataplane::EndedFlow>)> end;
  std::function<std::uint64_t()> lost;
};
[[nodiscard]] ReplicatedTables tables_of(dataplane::Gateway& gateway);

class Replicator {
 public:
  // What outlives it: `log`, and what `tables` speaks of.
  Replicator(ReplicatedTables tables, std::unique_ptr<ChangeLog> changes, Log& log);
  ~Replicator();
  Replicator(const Replicator&) = delete;
  Replicator& operator=(const Replicator&) = delete;

  void start();
  // Says what there is to be said, and ends.
  void stop();
  // Any thread.
  [[nodiscard]] ReplicationStatus status() const;

  // One step of the thread; for tests, which have none.
  void turn();

 private:
  using Clock = std::chrono::steady_clock;

  void serve();
  void tell(const std::string& problem);
  [[nodiscard]] bool goes_on() const { return !stop_ && tables_.active(); }

  void write();
  void take_changes();
  void append();
  void append_whole();
  template <typename Record>
  void add(const Record& record, std::uint64_t ReplicationStatus::*counter);

  void hear(std::chrono::milliseconds patience);
  void take_entry(const std::string& entry);
  void find_place();

  template <typename Change>
  void note(const Change& change) {
    const std::lock_guard lock(mutex_);
    change(status_);
  }

  const ReplicatedTables tables_;
  const std::unique_ptr<ChangeLog> changes_;
  Log& log_;
  ReplicationLink link_;
  ChangeLog::Position position_;  // of the last entry that was written or heard
  bool writing_ = false;

  EntryWriter entry_;
  std::vector<dataplane::EndedFlow> ended_;
  std::vector<dataplane::SavedFlow> settled_;
  Clock::time_point changes_at_, append_at_, whole_at_;
  std::uint64_t whole_of_ = 0;  // the connection over which all open flows were told of
  ChangeLog::Position whole_from_;

  std::uint64_t placed_of_ = 0;  // the connection over which it was seen that the log goes on where it was left
  Clock::time_point heard_at_;
  std::vector<std::string> entries_;
  std::string entry_problem_;  // that was logged last

  mutable std::mutex mutex_;
  ReplicationStatus status_;     // under mutex_
  std::uint64_t latest_ns_ = 0;  // likewise: when the latest entry was written
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace sallyport
