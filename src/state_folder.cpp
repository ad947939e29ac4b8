#include "src/state_folder.h"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/source_file.h"

namespace sallyport {
namespace {

constexpr std::size_t key_file_bytes_max = 4096;

std::string path_in(const std::string& folder) { return folder + "/pool_key"; }

std::optional<classifier::PoolKey> parse_key(std::string_view text) {
  classifier::PoolKey key{};
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.size() != 2 * key.size()) return std::nullopt;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char* first = text.data() + 2 * i;
    const auto [end, error] = std::from_chars(first, first + 2, key[i], 16);
    if (error != std::errc{} || end != first + 2) return std::nullopt;
  }
  return key;
}

// Into a file that only its owner may read, and on the disk before it gets its name.
bool write_private(const std::string& path, std::string_view text) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return false;
  const bool written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(file) == 0;
  const int error = errno;
  close(file);
  errno = error;
  return written;
}

}  // namespace

PoolKeyFile read_pool_key(const std::string& folder) {
  const std::string path = path_in(folder);
  std::error_code unknown;
  if (std::filesystem::symlink_status(path, unknown).type() == std::filesystem::file_type::not_found) return {};
  const auto text = config::read_regular_file(path, key_file_bytes_max);
  if (!text) {
    return {std::nullopt, fmt::format("{}: {}; run as root, or name another folder by --state", path, text.error)};
  }
  const std::optional<classifier::PoolKey> key = parse_key(*text.value);
  if (!key) return {std::nullopt, fmt::format("{}: not 32 hexadecimal digits: restore or remove it", path)};
  return {key, {}};
}

std::string find_pool_key(std::optional<classifier::PoolKey>& key, const std::string& named,
                          const std::string& otherwise) {
  if (key) return {};
  if (named.empty()) {
    if (!otherwise.empty()) key = read_pool_key(otherwise).key;
    return {};
  }
  const PoolKeyFile file = read_pool_key(named);
  key = file.key;
  if (key || !file.problem.empty()) return file.problem;
  return fmt::format("{}: not there: name by --state the folder that the gateway's `run --state` has", path_in(named));
}

classifier::PoolKey make_pool_key() {
  classifier::PoolKey key{};
  if (getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size())) {
    throw std::system_error(errno, std::generic_category(), "getrandom");
  }
  return key;
}

std::string write_pool_key(const std::string& folder, const classifier::PoolKey& key) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fmt::format("{}: cannot be made: {}", folder, error.message());
  const std::string path = path_in(folder);
  const std::string unfinished = path + ".new";
  std::string text;
  for (const std::uint8_t byte : key) text += fmt::format("{:02x}", byte);
  text += '\n';
  if (write_private(unfinished, text) && std::rename(unfinished.c_str(), path.c_str()) == 0) return {};
  return fmt::format("{}: cannot be written: {}", path, std::strerror(errno));
}

}  // namespace sallyport
