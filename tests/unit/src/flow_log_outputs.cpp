// What journald and syslog get of a flow record, and what becomes of records that nobody takes.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "src/flow_log.h"
#include "src/flow_log/journal_output.h"
#include "src/flow_log/output_queue.h"
#include "src/flow_log/syslog_output.h"

namespace sallyport {
namespace {

using namespace std::chrono_literals;
using dataplane::FlowRecord;

// A daemon's end of a datagram socket; it reads when it is asked to.
class Daemon {
 public:
  explicit Daemon(std::string path) : path_(std::move(path)), socket_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path_.copy(name.sun_path, sizeof name.sun_path - 1);
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0) << path_;
  }
  // A server on loopback.
  Daemon() : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof name;
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<const sockaddr*>(&name), length), 0);
    EXPECT_EQ(getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&name), &length), 0);
    port_ = ntohs(name.sin_port);
  }
  ~Daemon() {
    if (!path_.empty()) std::filesystem::remove(path_);
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  std::vector<std::string> read() {
    std::vector<std::string> messages;
    std::string bytes(65536, '\0');
    for (ssize_t length = 0; (length = recv(socket_.get(), bytes.data(), bytes.size(), 0)) >= 0;)
      messages.push_back(bytes.substr(0, static_cast<std::size_t>(length)));
    return messages;
  }

 private:
  std::string path_;
  std::uint16_t port_ = 0;
  Descriptor socket_;
};

FlowRecord denied_flow(std::string_view name) {
  FlowRecord record;
  record.id = 77;
  record.written_ns = 1'767'323'045'678'901'000;  // 2026-01-02T03:04:05.678901
  record.reason = classifier::Reason::name_not_allowed;
  record.rule = 1;
  record.app = dataplane::AppProtocol::tls;
  record.inside.family = Family::v4;
  record.inside.source = parse_address("10.1.2.3")->bytes;
  record.inside.source_port = htons(41000);
  record.inside.destination = parse_address("198.51.100.7")->bytes;
  record.inside.destination_port = htons(443);
  record.inside.protocol = dataplane::IpProtocol::tcp;
  record.name_length = static_cast<std::uint16_t>(name.copy(record.name.data(), record.name.size()));
  return record;
}

class OutputTest : public testing::Test {
 protected:
  OutputTest() {
    std::filesystem::create_directories(folder_);
    auto identities = std::make_shared<classifier::Identities>();
    rule_ = identities->intern("prod/partners");
    identities_ = std::move(identities);
  }
  ~OutputTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::shared_ptr<const RecordBatch> batch(const std::vector<FlowRecord>& records) const {
    return std::make_shared<const RecordBatch>(records, identities_);
  }
  [[nodiscard]] std::shared_ptr<const RecordBatch> batch_of(std::size_t records) const {
    return batch(std::vector<FlowRecord>(records, denied_flow("denied.example")));
  }
  [[nodiscard]] config::LogTarget local() const { return {config::LogTarget::By::unix_socket, path_, {}, 0}; }

  // By name; a field that is there twice has all its values.
  static std::multimap<std::string, std::string> fields(const std::string& entry) {
    std::multimap<std::string, std::string> found;
    std::istringstream lines(entry);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t equals = line.find('=');
      EXPECT_NE(equals, std::string::npos) << line;
      found.emplace(line.substr(0, equals), line.substr(equals + 1));
    }
    return found;
  }

  static bool soon(const std::function<bool()>& condition) {
    for (int i = 0; i < 500 && !condition(); ++i) std::this_thread::sleep_for(10ms);
    return condition();
  }

  const std::string folder_ = fmt::format("{}/sallyport-outputs-{}", testing::TempDir(), getpid());
  const std::string path_ = folder_ + "/log";
  classifier::Id rule_ = 0;
  std::shared_ptr<const classifier::Identities> identities_;
  Log log_{STDERR_FILENO};
};

TEST_F(OutputTest, AnEntryOfTheJournalHasAFieldForEachThing) {
  Daemon journald(path_);
  JournalOutput output(path_);
  ASSERT_EQ(output.open(), "");
  ASSERT_EQ(output.write(*batch({denied_flow("denied.example")})), 1U);
  const std::vector<std::string> entries = journald.read();
  ASSERT_EQ(entries.size(), 1U);
  const auto found = fields(entries[0]);
  const auto value = [&](const char* name) { return found.count(name) == 1 ? found.find(name)->second : "?"; };
  EXPECT_EQ(value("MESSAGE"),
            "deny 10.1.2.3:41000 -> 198.51.100.7:443 TCP denied.example: name_not_allowed by prod/partners");
  EXPECT_EQ(value("PRIORITY"), "5");
  EXPECT_EQ(value("SYSLOG_IDENTIFIER"), "sallyport-flow");
  EXPECT_EQ(value("SALLYPORT_VERDICT"), "deny");
  EXPECT_EQ(value("SALLYPORT_REASON"), "name_not_allowed");
  EXPECT_EQ(value("SALLYPORT_RULE"), "prod/partners");
  EXPECT_EQ(value("SALLYPORT_SOURCE"), "10.1.2.3");
  EXPECT_EQ(value("SALLYPORT_DESTINATION_PORT"), "443");
  EXPECT_EQ(nlohmann::json::parse(value("SALLYPORT_RECORD"))["flow_id"], 77);
  EXPECT_EQ(found.count("SALLYPORT_NETWORK"), 0U) << "what there is none of is left out";
}

TEST_F(OutputTest, ANameWithLineEndsAddsNoField) {
  Daemon journald(path_);
  JournalOutput output(path_);
  ASSERT_EQ(output.open(), "");
  ASSERT_EQ(output.write(*batch({denied_flow("a\nPRIORITY=0\nMESSAGE=all is well\n")})), 1U);
  const auto found = fields(journald.read().at(0));
  EXPECT_EQ(found.count("PRIORITY"), 1U);
  EXPECT_EQ(found.count("MESSAGE"), 1U);
  EXPECT_NE(found.find("SALLYPORT_SERVER_NAME")->second.find("\\u000aPRIORITY=0"), std::string::npos);
}

TEST_F(OutputTest, ADaemonThatDoesNotReadCostsRecordsAndASecond) {
  Daemon journald(path_);
  JournalOutput output(path_);
  ASSERT_EQ(output.open(), "");
  const auto begin = std::chrono::steady_clock::now();
  std::size_t taken = 0;
  for (int i = 0; i < 40; ++i) taken += output.write(*batch_of(256));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 8s) << "not a second a batch";
  EXPECT_LT(taken, 40 * 256U);
  EXPECT_EQ(journald.read().size(), taken);
  EXPECT_EQ(output.write(*batch_of(1)), 1U) << "it reads again";
}

TEST_F(OutputTest, ADaemonThatWasStartedAnewGetsWhatComes) {
  auto daemon = std::make_unique<Daemon>(path_);
  SyslogOutput output(local(), 3);
  ASSERT_EQ(output.open(), "");
  ASSERT_EQ(output.write(*batch_of(1)), 1U);
  daemon.reset();
  EXPECT_EQ(output.write(*batch_of(3)), 0U);
  daemon = std::make_unique<Daemon>(path_);
  EXPECT_TRUE(soon([&] { return output.write(*batch_of(1)) == 1; }));
  EXPECT_FALSE(daemon->read().empty());
}

TEST_F(OutputTest, ALocalDaemonIsToldAsBySyslog3) {
  Daemon daemon(path_);
  SyslogOutput output(local(), 3);
  ASSERT_EQ(output.open(), "");
  ASSERT_EQ(output.write(*batch({denied_flow("denied.example")})), 1U);
  const std::string message = daemon.read().at(0);
  std::smatch parts;
  const std::regex form(R"(<29>[A-Z][a-z]{2} [ 0-9]\d \d{2}:\d{2}:\d{2} sallyport\[(\d+)\]: (\{.*\}))");
  ASSERT_TRUE(std::regex_match(message, parts, form)) << message;
  EXPECT_EQ(parts[1], std::to_string(getpid()));
  EXPECT_EQ(nlohmann::json::parse(parts[2].str())["verdict"]["rule"], "prod/partners");
}

TEST_F(OutputTest, AServerIsToldByRfc5424) {
  Daemon server;
  SyslogOutput output({config::LogTarget::By::udp, {}, *parse_address("127.0.0.1"), server.port()}, 16);
  ASSERT_EQ(output.open(), "");
  FlowRecord allowed = denied_flow("a.example");
  allowed.allowed = true;
  ASSERT_EQ(output.write(*batch({allowed, denied_flow("denied.example")})), 2U);
  std::vector<std::string> messages;
  ASSERT_TRUE(soon([&] {
    for (std::string& message : server.read()) messages.push_back(std::move(message));
    return messages.size() == 2;
  }));
  std::smatch parts;
  const std::regex form(R"(<(\d+)>1 (\S+) (\S+) sallyport \d+ flow - (\{.*\}))");
  ASSERT_TRUE(std::regex_match(messages[0], parts, form)) << messages[0];
  EXPECT_EQ(parts[1], "134");  // local0.info
  EXPECT_EQ(parts[2], "2026-01-02T03:04:05.678901Z");
  ASSERT_TRUE(std::regex_match(messages[1], parts, form)) << messages[1];
  EXPECT_EQ(parts[1], "133");  // local0.notice
  EXPECT_EQ(nlohmann::json::parse(parts[4].str())["tls"]["sni"], "denied.example");
}

// Holds its thread until it is let go.
class Stuck final : public Output {
 public:
  std::string_view name() const noexcept override { return "stuck"; }
  std::string open() override { return {}; }
  std::size_t write(const RecordBatch& batch) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return free_; });
    return batch.records().size();
  }
  void let_go() {
    const std::lock_guard lock(mutex_);
    free_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool free_ = false;
};

TEST_F(OutputTest, AQueueIsBoundedAndWhatIsLostIsCounted) {
  auto made = std::make_unique<Stuck>();
  Stuck& stuck = *made;
  OutputQueue queue(std::move(made), log_);
  const auto batch = batch_of(256);
  const std::size_t offered = OutputQueue::bytes_max / batch->bytes() + 20;
  for (std::size_t i = 0; i < offered; ++i) queue.offer(batch);
  EXPECT_GT(queue.lost(), 0U);
  EXPECT_LE(queue.lost(), 20 * 256U) << "as much waits as there is room for";
  stuck.let_go();
  queue.stop();
  EXPECT_EQ(queue.written() + queue.lost(), offered * 256);
}

TEST_F(OutputTest, OneThatDoesNotReadCostsTheOthersNothing) {
  Daemon daemon(path_);
  config::ApplianceModel appliance;
  appliance.flow_log.file = folder_ + "/flows.jsonl";
  appliance.flow_log.syslog = local();
  FlowLog flow_log(appliance, log_);
  std::atomic<std::size_t> waiting = 100'000;
  flow_log.start({[&](std::span<FlowRecord> out) {
                    const std::size_t count = std::min(out.size(), waiting.load());
                    std::fill_n(out.begin(), count, denied_flow("denied.example"));
                    waiting -= count;
                    return count;
                  },
                  [this] { return identities_; }, [] { return std::uint64_t{0}; }});
  flow_log.be_patient();
  flow_log.stop();
  const std::vector<FlowLog::OutputCounts> counts = flow_log.outputs();
  ASSERT_EQ(counts.size(), 2U);
  EXPECT_EQ(counts[0].name, "file");
  EXPECT_EQ(counts[0].written, 100'000U);
  EXPECT_EQ(counts[1].name, "syslog");
  EXPECT_EQ(counts[1].written, daemon.read().size());
  EXPECT_EQ(counts[1].written + counts[1].lost, 100'000U);
  EXPECT_GT(counts[1].lost, 0U);
}

}  // namespace
}  // namespace sallyport
