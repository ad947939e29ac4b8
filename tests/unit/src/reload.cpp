// A refused reload tells of every error, each on a line of its own.
#include "src/reload.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "config/load.h"
#include "src/descriptor.h"

namespace sallyport {
namespace {

ReloadResult result_of(const std::string& policy, const config::ApplianceModel* appliance = nullptr) {
  const std::string path = fmt::format("{}/sallyport-reload-{}.toml", testing::TempDir(), getpid());
  std::ofstream(path) << policy;
  const Descriptor nowhere(open("/dev/null", O_WRONLY | O_CLOEXEC));
  Log log(nowhere.get());
  Reloader reloader(
      {path, {}, appliance}, [](const auto&) {}, [](const auto&) {}, [](bool) {}, log);
  reloader.start();
  ReloadResult result = reloader.counts().last;
  std::filesystem::remove(path);
  return result;
}

TEST(Reload, EveryErrorHasALine) {
  std::string policy;
  for (int i = 0; i < 22; ++i) policy += "[[workload]]\n";  // of each, namespace and name are missing
  const ReloadResult result = result_of(policy);
  EXPECT_EQ(result.kind, ReloadResult::Kind::refused);
  EXPECT_GE(result.notes.size(), 44U);
  for (const ReloadResult::Note& note : result.notes) {
    EXPECT_TRUE(note.problem);
    EXPECT_TRUE(note.error);
    EXPECT_NE(note.text.find(".toml:"), std::string::npos) << note.text;
  }
  const std::string count = fmt::format("{} errors, each on a line before this one", result.notes.size());
  EXPECT_NE(result.text.find(count), std::string::npos) << result.text;
  EXPECT_LT(result.text.size(), 500U);
}

TEST(Reload, OneErrorStandsInTheLineItself) {
  const ReloadResult result = result_of("[defaults]\nuncaptured = 1\n");
  EXPECT_TRUE(result.notes.empty());
  EXPECT_NE(result.text.find(".toml:2:14: defaults.uncaptured: "), std::string::npos) << result.text;
}

// What check --config says of a policy that does not fit the ports, the log says when it is loaded.
TEST(Reload, AddressesThatFitNoPortAreWarnedOf) {
  const auto appliance = config::load_appliance(
      {"sallyport.toml",
       "[[port]]\nname = \"in\"\nrole = \"inside\"\ndevice = \"net_null0\"\naddresses = [\"10.0.0.1/24\"]\n"
       "[[port]]\nname = \"out\"\nrole = \"outside\"\ndevice = \"net_null1\"\naddresses = [\"203.0.113.2/24\"]\n"});
  ASSERT_TRUE(appliance.model);
  const std::string policy = "[[namespace]]\nname = \"prod\"\naddresses = [\"10.9.0.0/24\"]\n";
  const ReloadResult result = result_of(policy, &*appliance.model);
  EXPECT_EQ(result.kind, ReloadResult::Kind::published);
  ASSERT_EQ(result.notes.size(), 1U);
  EXPECT_FALSE(result.notes.front().error);
  EXPECT_NE(result.notes.front().text.find(":3:14: namespace[0].addresses[0]: warning: 10.9.0.0/24 is on no network"),
            std::string::npos)
      << result.notes.front().text;
  EXPECT_TRUE(result_of(policy).notes.empty());
}

}  // namespace
}  // namespace sallyport
