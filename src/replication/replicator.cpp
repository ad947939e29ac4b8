#include "src/replication/replicator.h"

#include <algorithm>
#include <utility>

namespace sallyport {
namespace {

using namespace std::chrono_literals;
using dataplane::EndedFlow;
using dataplane::SavedFlow;
using dataplane::TakenBack;
using dataplane::TakenBackSums;
using Role = ReplicationStatus::Role;

constexpr auto changes_every = 5ms;
constexpr auto append_every = 1s;
constexpr auto whole_every = 10s;
constexpr auto hear_at_most = 100ms;  // then the turn is looked at again
constexpr auto silence = 3s;
constexpr int last_reads_max = 1000;  // of what was written before the turn came

std::uint64_t now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

std::uint64_t not_taken(const TakenBackSums& sums) {
  return sums[static_cast<std::size_t>(TakenBack::elsewhere)] + sums[static_cast<std::size_t>(TakenBack::refused)];
}

}  // namespace

Replicator::Replicator(ReplicatedTables tables, std::unique_ptr<ChangeLog> changes, Log& log)
    : tables_(std::move(tables)),
      changes_(std::move(changes)),
      log_(log),
      link_(*changes_, [this](const std::string& problem) { tell(problem); }),
      entry_(tables_.workers) {
  status_.role = Role::following;
}

Replicator::~Replicator() { stop(); }

void Replicator::start() { thread_ = std::thread(&Replicator::serve, this); }

void Replicator::stop() {
  if (!thread_.joinable()) return;
  stop_ = true;
  thread_.join();
  if (writing_ && link_.connected()) write();
}

ReplicationStatus Replicator::status() const {
  const std::lock_guard lock(mutex_);
  ReplicationStatus status = status_;
  status.lost_queued = tables_.lost();
  if (status.role == Role::following && latest_ns_ != 0) {
    const std::uint64_t now = now_ns();
    status.lag_ms = (now - std::min(now, latest_ns_)) / 1'000'000;
  }
  return status;
}

void Replicator::serve() {
  while (!stop_) turn();
}

void Replicator::turn() {
  const auto now = Clock::now();
  const bool active = tables_.active();
  if (active && !writing_) {
    for (int i = 0; i < last_reads_max && (i == 0 || !entries_.empty()); ++i) hear(0ms);
    whole_at_ = now;
  }
  if (active != std::exchange(writing_, active)) heard_at_ = now;
  note([&](ReplicationStatus& status) {
    status.role = active ? Role::writing : Role::following;
    status.connected = link_.connected();
    status.connects = link_.connects();
  });
  if (active) {
    write();
  } else {
    hear(hear_at_most);
  }
  if (active || !link_.connected()) std::this_thread::sleep_for(changes_every);
}

void Replicator::tell(const std::string& problem) {
  note([&](ReplicationStatus& status) { status.problem = problem; });
  if (problem.empty()) {
    log_.info("flows are replicated");
  } else {
    log_.warning(problem + "; flows are not replicated, and connections may not outlive this gateway meanwhile");
  }
}

// ---- writing ----

void Replicator::write() {
  const auto now = Clock::now();
  const bool ready = link_.ready(now);
  take_changes();
  if (!ready) return append();
  if (entry_.count() != 0 || now >= append_at_) append();
  if (link_.connected() && (whole_of_ != link_.connects() || now >= whole_at_)) append_whole();
}

void Replicator::take_changes() {
  ended_.clear();
  settled_.clear();
  tables_.changes(ended_, settled_);
  for (const EndedFlow& flow : ended_) add(flow, &ReplicationStatus::ends_sent);
  for (const SavedFlow& flow : settled_) add(flow, &ReplicationStatus::flows_sent);
  changes_at_ = Clock::now();
}

template <typename Record>
void Replicator::add(const Record& record, std::uint64_t ReplicationStatus::*counter) {
  entry_.add(record);
  if (link_.connected()) note([&](ReplicationStatus& status) { ++(status.*counter); });
  if (entry_.full()) append();
}

// Without a connection what there is is lost, until all open flows are told of.
void Replicator::append() {
  const auto now = Clock::now();
  const std::uint64_t count = entry_.count();
  const std::string entry = entry_.finish(now_ns());
  append_at_ = now + append_every;
  if (link_.connected() && link_.is_well(changes_->append(entry, position_), now)) {
    if (whole_from_ == ChangeLog::Position{}) whole_from_ = position_;
  } else if (count != 0) {
    note([&](ReplicationStatus& status) { status.lost_away += count; });
  }
}

void Replicator::append_whole() {
  const auto begin = Clock::now();
  const std::uint64_t connection = link_.connects();
  whole_from_ = {};
  bool whole = true;
  tables_.share([&](std::span<const SavedFlow> flows) {
    for (const SavedFlow& flow : flows) add(flow, &ReplicationStatus::flows_sent);
    if (Clock::now() - changes_at_ >= changes_every) take_changes();
    whole = link_.connected() && goes_on();
    return whole;
  });
  append();
  const auto end = Clock::now();
  if (!whole || !link_.connected()) return;
  if (!link_.is_well(changes_->trim(whole_from_), end)) return;
  whole_of_ = connection;
  whole_at_ = end + std::max<Clock::duration>(whole_every, 9 * (end - begin));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(end - begin);
  note([&](ReplicationStatus& status) { status.whole_ms = static_cast<std::uint64_t>(took.count()); });
}

// ---- following ----

void Replicator::hear(std::chrono::milliseconds patience) {
  entries_.clear();
  const auto now = Clock::now();
  if (!link_.ready(now)) return;
  if (placed_of_ != link_.connects() || now - heard_at_ >= silence) find_place();
  if (!link_.connected() || !link_.is_well(changes_->read(position_, patience, entries_), Clock::now())) return;
  if (!entries_.empty()) heard_at_ = Clock::now();
  for (const std::string& entry : entries_) take_entry(entry);
}

void Replicator::take_entry(const std::string& entry) {
  FlowStateHead head;
  std::uint64_t flows = 0, ends = 0, refused = 0;
  const std::string problem = read_entry(entry, head,
                                         {[&](std::span<const SavedFlow> some) {
                                            flows += some.size();
                                            refused += not_taken(tables_.follow(some));
                                          },
                                          [&](std::span<const EndedFlow> some) {
                                            ends += some.size();
                                            tables_.end(some);
                                          }});
  if (!problem.empty()) ++refused;
  if (!problem.empty() && problem != entry_problem_)
    log_.warning("what the other gateway tells of its flows cannot be read: " + problem);
  entry_problem_ = problem;
  note([&](ReplicationStatus& status) {
    status.flows_received += flows;
    status.ends_received += ends;
    status.refused += refused;
    latest_ns_ = std::max(latest_ns_, head.saved_ns);
  });
}

// A log whose end is before the last that was heard is another one: all of it is new.
void Replicator::find_place() {
  ChangeLog::Position last;
  if (!link_.is_well(changes_->find_last(last), Clock::now())) return;
  if (last < position_) position_ = {};
  placed_of_ = link_.connects();
  heard_at_ = Clock::now();
}

}  // namespace sallyport
