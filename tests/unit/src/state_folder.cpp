#include "src/state_folder.h"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sallyport {
namespace {

class StateFolder : public testing::Test {
 protected:
  ~StateFolder() override { std::filesystem::remove_all(folder_); }
  const std::string folder_ = fmt::format("{}/sallyport-state-{}", testing::TempDir(), getpid());
};

TEST_F(StateFolder, NoFileIsNoProblem) {
  const PoolKeyFile file = read_pool_key(folder_);
  EXPECT_FALSE(file.key);
  EXPECT_EQ(file.problem, "");
}

TEST_F(StateFolder, AKeyIsReadAsItWasWrittenAndIsItsOwnersAlone) {
  const classifier::PoolKey key = make_pool_key();
  ASSERT_EQ(write_pool_key(folder_, key), "");
  EXPECT_EQ(read_pool_key(folder_).key, key);
  struct stat status {};
  ASSERT_EQ(stat((folder_ + "/pool_key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(StateFolder, KeysDiffer) { EXPECT_NE(make_pool_key(), make_pool_key()); }

TEST_F(StateFolder, ABrokenKeyIsAProblemAndNeverAnotherKey) {
  std::filesystem::create_directories(folder_);
  for (const char* text : {"", "00", "0123456789abcdef0123456789abcdeg\n", "0123456789abcdef0123456789abcdef0\n",
                           "+123456789abcdef0123456789abcdef\n"}) {
    std::ofstream(folder_ + "/pool_key", std::ios::trunc) << text;
    const PoolKeyFile file = read_pool_key(folder_);
    EXPECT_FALSE(file.key) << text;
    EXPECT_NE(file.problem, "") << text;
  }
}

TEST_F(StateFolder, APipeInTheKeysPlaceIsAProblem) {
  std::filesystem::create_directories(folder_);
  ASSERT_EQ(mkfifo((folder_ + "/pool_key").c_str(), 0600), 0);
  EXPECT_NE(read_pool_key(folder_).problem, "");
}

TEST_F(StateFolder, WhoAsksFindsTheKeyOfTheFolderThatHeNamed) {
  const classifier::PoolKey there = make_pool_key();
  ASSERT_EQ(write_pool_key(folder_, there), "");
  std::optional<classifier::PoolKey> key;
  EXPECT_EQ(find_pool_key(key, folder_, "/nowhere"), "");
  EXPECT_EQ(key, there);
  key.reset();
  EXPECT_EQ(find_pool_key(key, "", folder_), "");
  EXPECT_EQ(key, there) << "nobody named one";
  key = classifier::PoolKey{1};
  EXPECT_EQ(find_pool_key(key, folder_, folder_), "");
  EXPECT_EQ(key, classifier::PoolKey{1}) << "the configuration's";
}

TEST_F(StateFolder, AFolderThatIsNamedHasToHoldAKeyAndIsLeftAsItIs) {
  std::optional<classifier::PoolKey> key;
  EXPECT_NE(find_pool_key(key, folder_, "").find("/pool_key: not there: "), std::string::npos);
  EXPECT_FALSE(key);
  EXPECT_FALSE(std::filesystem::exists(folder_));
  EXPECT_EQ(find_pool_key(key, "", folder_), "") << "nobody named it";
  EXPECT_FALSE(key);
}

TEST_F(StateFolder, AFolderThatCannotBeMadeIsAProblem) {
  std::ofstream(folder_) << "a file";
  EXPECT_NE(write_pool_key(folder_ + "/below", make_pool_key()), "");
}

}  // namespace
}  // namespace sallyport
