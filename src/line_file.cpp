#include "src/line_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sallyport {

std::string LineFile::open() {
  if (is_stdout()) {
    number_ = STDOUT_FILENO;
  } else {
    std::error_code ignored;  // opening says it better
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
    // Nobody's reading of a pipe is waited for.
    constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK;
    Descriptor file(::open(path_.c_str(), flags, S_IRUSR | S_IWUSR | S_IRGRP));
    if (!file && errno == ENXIO) return fmt::format("{}: is a pipe that nobody reads", path_);
    if (!file) return fmt::format("{}: cannot be opened: {}", path_, std::strerror(errno));
    file_ = std::move(file);
    number_ = file_.get();
    torn_ = false;
  }
  struct stat status {};
  regular_ = fstat(number_, &status) == 0 && S_ISREG(status.st_mode);
  return {};
}

bool LineFile::moved_away() const {
  if (is_stdout()) return false;
  struct stat opened {};
  struct stat named {};
  if (fstat(number_, &opened) != 0 || stat(path_.c_str(), &named) != 0) return true;
  return opened.st_ino != named.st_ino || opened.st_dev != named.st_dev;
}

bool LineFile::write(std::string_view lines) {
  if (torn_) {
    if (write_some("\n") == 0) return false;
    torn_ = false;
  }
  const std::size_t taken = write_some(lines);
  torn_ = taken != 0 && taken != lines.size() && lines[taken - 1] != '\n';
  return taken == lines.size();
}

std::size_t LineFile::write_some(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    // A pipe that says it takes bytes takes PIPE_BUF of them without blocking, maybe no more.
    if (!regular_ && !patience_.wait_writable(number_)) break;
    const std::size_t length = regular_ ? bytes.size() - taken : std::min<std::size_t>(bytes.size() - taken, PIPE_BUF);
    const ssize_t count = ::write(number_, bytes.data() + taken, length);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    taken += static_cast<std::size_t>(count);
  }
  return taken;
}

}  // namespace sallyport
