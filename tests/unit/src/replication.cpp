// Replication between two processes, over a log that is a vector: what is written, what is lost and counted, and what
// is told of again.
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "src/replication/replicator.h"

namespace sallyport {
namespace {

using dataplane::EndedFlow;
using dataplane::SavedFlow;
using dataplane::TakenBack;
using dataplane::TakenBackSums;
using Role = ReplicationStatus::Role;

SavedFlow flow(std::uint16_t port, std::string_view name = "") {
  SavedFlow flow;
  flow.inside.source = parse_address("10.0.0.5")->bytes;
  flow.inside.destination = parse_address("198.51.100.7")->bytes;
  flow.inside.source_port = port;
  flow.inside.protocol = dataplane::IpProtocol::tcp;
  flow.inside.family = flow.nat_address.family = Family::v4;
  flow.started_ns = port;
  flow.name_length = static_cast<std::uint16_t>(name.size());
  std::copy(name.begin(), name.end(), flow.name.begin());
  return flow;
}
EndedFlow ended(std::uint16_t port) { return {flow(port).inside, port}; }

// What both sides see, and what may be wrong with it.
struct Server {
  std::vector<std::pair<ChangeLog::Position, std::string>> entries;
  std::uint64_t next = 1;
  std::string problem;   // of every call
  std::string readonly;  // of append() alone
  int connects = 0, trims = 0;
};

class VectorLog : public ChangeLog {
 public:
  explicit VectorLog(Server& server) : server_(server) {}
  std::string connect() override {
    ++server_.connects;
    return server_.problem;
  }
  std::string append(std::string_view entry, Position& at) override {
    if (!server_.problem.empty()) return server_.problem;
    if (!server_.readonly.empty()) return server_.readonly;
    at = {server_.next++, 0};
    server_.entries.emplace_back(at, entry);
    return {};
  }
  std::string trim(const Position& first) override {
    ++server_.trims;
    std::erase_if(server_.entries, [&](const auto& entry) { return entry.first < first; });
    return server_.problem;
  }
  std::string find_last(Position& last) override {
    if (!server_.entries.empty()) last = server_.entries.back().first;
    return server_.problem;
  }
  std::string read(Position& after, std::chrono::milliseconds, std::vector<std::string>& entries) override {
    for (const auto& [at, entry] : server_.entries) {
      if (after < at) entries.push_back(entry);
    }
    if (!server_.entries.empty()) after = std::max(after, server_.entries.back().first);
    return server_.problem;
  }

 private:
  Server& server_;
};

// A gateway's tables, as far as replication sees them.
struct Side {
  explicit Side(Server& server, bool is_active)
      : active(is_active),
        log(open_null()),
        replicator({1, [this] { return active; },
                    [this](auto& gone, auto& settled) {
                      gone.swap(queued_ends);
                      settled.swap(queued);
                      queued_ends.clear();
                      queued.clear();
                    },
                    [this](const ReplicatedTables::Take& take) {
                      for (const SavedFlow& one : open) {
                        if (!take(std::span(&one, 1))) return;
                      }
                    },
                    [this](std::span<const SavedFlow> flows) {
                      heard.insert(heard.end(), flows.begin(), flows.end());
                      TakenBackSums sums{};
                      sums[static_cast<std::size_t>(became)] = flows.size();
                      return sums;
                    },
                    [this](std::span<const EndedFlow> flows) {
                      heard_ends.insert(heard_ends.end(), flows.begin(), flows.end());
                    },
                    [] { return std::uint64_t{7}; }},
                   std::make_unique<VectorLog>(server), log) {}
  static Log open_null() { return Log(STDERR_FILENO); }
  ReplicationStatus status() const { return replicator.status(); }
  // Until the connection is tried again.
  void turn_for(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) replicator.turn();
  }

  bool active;
  TakenBack became = TakenBack::taken;
  std::vector<SavedFlow> open, queued, heard;
  std::vector<EndedFlow> queued_ends, heard_ends;
  Log log;
  Replicator replicator;
};

std::vector<std::uint16_t> ports(const std::vector<SavedFlow>& flows) {
  std::vector<std::uint16_t> all;
  for (const SavedFlow& one : flows) all.push_back(one.inside.source_port);
  return all;
}

TEST(ReplicationEntry, WhatWasWrittenComesBackInItsOrder) {
  EntryWriter writer(4);
  writer.add(flow(1, "a.example"));
  writer.add(ended(1));
  writer.add(flow(2));
  writer.add(flow(3));
  EXPECT_EQ(writer.count(), 4U);
  const std::string entry = writer.finish(77);
  EXPECT_EQ(writer.count(), 0U);
  std::string order;
  FlowStateHead head;
  const EntryTakers takers{[&](auto flows) { order += std::to_string(flows.size()) + " open "; },
                           [&](auto flows) { order += std::to_string(flows.size()) + " ended "; }};
  EXPECT_EQ(read_entry(entry, head, takers), "");
  EXPECT_EQ(order, "1 open 1 ended 2 open ");
  EXPECT_EQ(head.workers, 4U);
  EXPECT_EQ(head.saved_ns, 77U);
}

TEST(ReplicationEntry, WhateverIsCutShortOrForeignIsNoFlow) {
  EntryWriter writer(1);
  writer.add(flow(1, "a.example"));
  const std::string entry = writer.finish(77);
  int flows = 0;
  FlowStateHead head;
  const EntryTakers takers{[&](auto some) { flows += static_cast<int>(some.size()); }, [](auto) {}};
  for (std::size_t bytes = 0; bytes < entry.size(); ++bytes) {
    const std::string problem = read_entry(std::string_view(entry).substr(0, bytes), head, takers);
    EXPECT_EQ(problem.empty(), bytes == 25) << bytes;  // the head alone is an entry of no flow
  }
  EXPECT_EQ(flows, 0);
  std::string other = entry;
  other[8] = 99;  // the version
  EXPECT_NE(read_entry(other, head, takers), "");
  EXPECT_EQ(flows, 0);
}

TEST(Replication, WhatChangesIsWrittenAndHeard) {
  Server server;
  Side active(server, true), other(server, false);
  active.replicator.turn();
  active.queued = {flow(1), flow(2)};
  active.replicator.turn();
  active.queued_ends = {ended(1)};
  active.replicator.turn();
  other.replicator.turn();
  EXPECT_EQ(ports(other.heard), (std::vector<std::uint16_t>{1, 2}));
  ASSERT_EQ(other.heard_ends.size(), 1U);
  EXPECT_EQ(active.status().role, Role::writing);
  EXPECT_EQ(active.status().flows_sent, 2U);
  EXPECT_EQ(active.status().ends_sent, 1U);
  EXPECT_EQ(active.status().lost_queued, 7U);
  EXPECT_EQ(other.status().role, Role::following);
  EXPECT_EQ(other.status().flows_received, 2U);
  EXPECT_EQ(other.status().ends_received, 1U);
  EXPECT_LT(other.status().lag_ms, 1000U);
}

TEST(Replication, AllOpenFlowsAreToldOfAtFirstAndWhatStoodBeforeIsForgotten) {
  Server server;
  server.entries.emplace_back(ChangeLog::Position{0, 5}, "of a gateway long ago");
  Side active(server, true);
  active.open = {flow(1), flow(2)};
  active.replicator.turn();
  EXPECT_EQ(server.trims, 1);
  Side other(server, false);
  other.replicator.turn();
  EXPECT_EQ(ports(other.heard), (std::vector<std::uint16_t>{1, 2}));
  EXPECT_EQ(other.status().refused, 0U);
}

TEST(Replication, WithoutAServerChangesAreCountedAndToldOfAgainWhenItIsBack) {
  Server server;
  server.problem = "nobody there";
  Side active(server, true);
  active.open = active.queued = {flow(1)};
  active.turn_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(active.status().connected);
  EXPECT_EQ(active.status().problem, "nobody there");
  EXPECT_EQ(active.status().lost_away, 1U);
  EXPECT_EQ(active.status().flows_sent, 0U);
  EXPECT_EQ(server.connects, 1);  // and no second try so soon
  server.problem.clear();
  active.turn_for(std::chrono::milliseconds(120));
  EXPECT_TRUE(active.status().connected);
  EXPECT_EQ(active.status().problem, "");
  EXPECT_EQ(active.status().flows_sent, 1U);
  Side other(server, false);
  other.replicator.turn();
  EXPECT_EQ(ports(other.heard), (std::vector<std::uint16_t>{1}));
}

TEST(Replication, AServerThatGoesAndComesBackHasAllOpenFlowsAgain) {
  Server server;
  Side active(server, true);
  active.open = {flow(1)};
  active.replicator.turn();
  server.problem = "gone";
  active.open.push_back(flow(2));
  active.queued = {flow(2)};
  active.replicator.turn();
  EXPECT_EQ(active.status().lost_away, 1U);
  server.problem.clear();
  server.entries.clear();
  active.turn_for(std::chrono::milliseconds(130));
  Side other(server, false);
  other.replicator.turn();
  EXPECT_EQ(ports(other.heard), (std::vector<std::uint16_t>{1, 2}));
  EXPECT_EQ(active.status().connects, 2U);
}

TEST(Replication, AReplicaTakesNothingUntilItIsAMaster) {
  Server server;
  Side other(server, false);
  other.replicator.turn();
  server.readonly = "READONLY You can't write against a read only replica.";
  other.active = true;
  other.open = {flow(1)};
  other.replicator.turn();
  EXPECT_EQ(other.status().problem, server.readonly);
  server.readonly.clear();
  other.turn_for(std::chrono::milliseconds(130));
  EXPECT_EQ(other.status().problem, "");
  EXPECT_EQ(other.status().flows_sent, 1U);
}

TEST(Replication, WhoseTurnComesHearsTheRestFirst) {
  Server server;
  Side active(server, true), other(server, false);
  active.open = {flow(1)};
  active.replicator.turn();
  other.active = true;
  other.replicator.turn();
  EXPECT_EQ(ports(other.heard), (std::vector<std::uint16_t>{1}));
  EXPECT_EQ(other.status().role, Role::writing);
}

TEST(Replication, WhoseTurnIsOverHearsWhatFollows) {
  Server server;
  Side first(server, true), second(server, false);
  first.open = {flow(1)};
  first.replicator.turn();
  second.replicator.turn();
  first.active = false;
  second.active = true;
  second.open = {flow(2)};
  second.replicator.turn();
  first.replicator.turn();
  EXPECT_EQ(ports(first.heard), (std::vector<std::uint16_t>{2}));
}

TEST(Replication, AnotherLogIsReadFromItsBeginning) {
  Server server;
  server.next = 100;
  Side active(server, true), other(server, false);
  active.open = {flow(1)};
  active.replicator.turn();
  other.replicator.turn();
  // The other machine's clock is behind, and its server never was a replica of this one's.
  server.entries.clear();
  server.next = 1;
  server.problem = "gone";
  other.replicator.turn();
  server.problem.clear();
  Side anew(server, true);
  anew.open = {flow(2)};
  anew.replicator.turn();
  other.turn_for(std::chrono::milliseconds(130));
  EXPECT_EQ(ports(other.heard), (std::vector<std::uint16_t>{1, 2}));
}

TEST(Replication, WhatFindsNoPlaceIsCounted) {
  Server server;
  Side active(server, true), other(server, false);
  other.became = TakenBack::refused;
  active.open = {flow(1), flow(2)};
  active.replicator.turn();
  server.entries.emplace_back(ChangeLog::Position{50, 0}, "nonsense");
  other.replicator.turn();
  EXPECT_EQ(other.status().refused, 3U);
}

TEST(Replication, MuchIsWrittenInManyEntriesAndNothingIsForgotten) {
  Server server;
  Side active(server, true), other(server, false);
  for (std::uint16_t port = 1; port <= 2000; ++port) active.open.push_back(flow(port, "a-name-of-some-length.example"));
  active.replicator.turn();
  EXPECT_GT(server.entries.size(), 4U);
  for (const auto& [at, entry] : server.entries) EXPECT_LT(entry.size(), entry_bytes + flow_state_record_bytes_max);
  other.replicator.turn();
  EXPECT_EQ(other.heard.size(), 2000U);
}

}  // namespace
}  // namespace sallyport
