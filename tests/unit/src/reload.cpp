// A refused reload tells of every error, each on a line of its own.
#include "src/reload.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "src/descriptor.h"

namespace sallyport {
namespace {

ReloadResult result_of(const std::string& policy) {
  const std::string path = fmt::format("{}/sallyport-reload-{}.toml", testing::TempDir(), getpid());
  std::ofstream(path) << policy;
  const Descriptor nowhere(open("/dev/null", O_WRONLY | O_CLOEXEC));
  Log log(nowhere.get());
  Reloader reloader(
      {path, {}}, [](const auto&) {}, [](const auto&) {}, [](bool) {}, log);
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

}  // namespace
}  // namespace sallyport
