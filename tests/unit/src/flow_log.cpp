#include "src/flow_log.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/io/environment_error.h"
#include "src/descriptor.h"
#include "src/line_file.h"

namespace sallyport {
namespace {

using namespace std::chrono_literals;

class FlowLogTest : public testing::Test {
 protected:
  FlowLogTest() { std::filesystem::create_directories(folder_); }
  ~FlowLogTest() override { std::filesystem::remove_all(folder_); }

  // Hands out `waiting_` records with rising ids.
  FlowLog::Source source() {
    return {[this](std::span<dataplane::FlowRecord> out) {
              std::size_t count = 0;
              for (; count < out.size() && waiting_ > 0; ++count, --waiting_) out[count].id = next_id_++;
              return count;
            },
            [] { return std::make_shared<const classifier::Identities>(); }, [] { return std::uint64_t{0}; }};
  }

  static std::vector<std::uint64_t> ids(const std::string& path) {
    std::vector<std::uint64_t> all;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) all.push_back(nlohmann::json::parse(line).at("flow_id"));
    return all;
  }

  static bool soon(const std::function<bool()>& condition) {
    for (int i = 0; i < 500 && !condition(); ++i) std::this_thread::sleep_for(10ms);
    return condition();
  }

  static std::uint64_t written(const FlowLog& flow_log) { return flow_log.outputs().front().written; }
  static config::ApplianceModel to_file(std::string path) {
    config::ApplianceModel appliance;
    appliance.flow_log.file = std::move(path);
    return appliance;
  }

  const std::string folder_ = fmt::format("{}/sallyport-flow-log-{}", testing::TempDir(), getpid());
  const std::string path_ = folder_ + "/deep/flows.jsonl";
  Log log_{STDERR_FILENO};
  std::atomic<std::uint64_t> waiting_ = 0;
  std::uint64_t next_id_ = 1;
};

TEST_F(FlowLogTest, WritesEveryRecordInOrderAndTheLastOnesAtTheEnd) {
  FlowLog flow_log(to_file(path_), log_);
  waiting_ = 10'000;
  flow_log.start(source());
  ASSERT_TRUE(soon([&] { return written(flow_log) == 10'000; }));
  waiting_ = 5;
  flow_log.stop();
  const std::vector<std::uint64_t> all = ids(path_);
  ASSERT_EQ(all.size(), 10'005U);
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], i + 1);
}

TEST_F(FlowLogTest, AppendsToWhatIsThere) {
  for (int turn = 0; turn < 2; ++turn) {
    FlowLog flow_log(to_file(path_), log_);
    waiting_ = 1;
    flow_log.start(source());
    flow_log.stop();
  }
  EXPECT_EQ(ids(path_), (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(FlowLogTest, AFileThatWasMovedAwayIsOpenedAnew) {
  FlowLog flow_log(to_file(path_), log_);
  flow_log.start(source());
  waiting_ = 1;
  ASSERT_TRUE(soon([&] { return written(flow_log) == 1; }));
  std::filesystem::rename(path_, path_ + ".1");
  ASSERT_TRUE(soon([&] { return std::filesystem::exists(path_); }));
  waiting_ = 1;
  flow_log.stop();
  EXPECT_EQ(ids(path_ + ".1"), std::vector<std::uint64_t>{1});
  EXPECT_EQ(ids(path_), std::vector<std::uint64_t>{2});
}

TEST_F(FlowLogTest, AskedToReopenItDoesSoBeforeTheNextRecord) {
  FlowLog flow_log(to_file(path_), log_);
  std::filesystem::rename(path_, path_ + ".1");
  flow_log.reopen();
  waiting_ = 1;
  flow_log.start(source());
  ASSERT_TRUE(soon([&] { return written(flow_log) == 1; }));
  flow_log.stop();
  EXPECT_EQ(ids(path_), std::vector<std::uint64_t>{1});
}

TEST_F(FlowLogTest, AFullDiskIsCountedAndNotWaitedFor) {
  FlowLog flow_log(to_file("/dev/full"), log_);
  waiting_ = 700;
  flow_log.start(source());
  EXPECT_TRUE(soon([&] { return flow_log.outputs().front().lost == 700; }));
  flow_log.stop();
  EXPECT_EQ(written(flow_log), 0U);
}

TEST_F(FlowLogTest, WithoutAFileRecordsAreTakenAndForgotten) {
  FlowLog flow_log(config::ApplianceModel(), log_);
  waiting_ = 1000;
  flow_log.start(source());
  EXPECT_TRUE(soon([&] { return waiting_ == 0; }));
}

TEST_F(FlowLogTest, AFolderInItsPlaceIsAnErrorOfTheEnvironment) {
  EXPECT_THROW(FlowLog(to_file(folder_), log_), dataplane::EnvironmentError);
}

TEST_F(FlowLogTest, NobodysReadingOfAPipeIsWaitedFor) {
  const std::string pipe = folder_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  LineFile file(pipe);
  EXPECT_NE(file.open(), "");
}

TEST_F(FlowLogTest, APipeThatNobodyReadsCostsRecordsAndASecond) {
  const std::string pipe = folder_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const Descriptor reader(open(pipe.c_str(), O_RDONLY | O_NONBLOCK));
  LineFile file(pipe);
  ASSERT_EQ(file.open(), "");
  EXPECT_FALSE(file.write(std::string(1U << 20U, 'x') + "\n"));
}

}  // namespace
}  // namespace sallyport
