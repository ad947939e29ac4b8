#include "src/output_file.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace sallyport {
namespace {

constexpr std::size_t flush_bytes = 1U << 20U;

}  // namespace

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool OutputFile::open(const std::string& path) {
  if (path == "-") return open_standard_output();
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ >= 0) buffer_.reserve(flush_bytes + (1U << 17U));
  return descriptor_ >= 0;
}

bool OutputFile::open_standard_output() {
  descriptor_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  return descriptor_ >= 0;
}

void OutputFile::append(std::span<const std::uint8_t> bytes) {
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  if (buffer_.size() >= flush_bytes) flush();
}

void OutputFile::append(std::string_view text) {
  append({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

bool OutputFile::close() {
  if (descriptor_ < 0) return true;
  flush();
  if (::close(descriptor_) != 0 && failed_ == 0) failed_ = errno;
  descriptor_ = -1;
  errno = failed_;
  return failed_ == 0;
}

void OutputFile::flush() {
  std::size_t done = 0;
  while (failed_ == 0 && done < buffer_.size()) {
    const ssize_t wrote = ::write(descriptor_, buffer_.data() + done, buffer_.size() - done);
    if (wrote >= 0) {
      done += static_cast<std::size_t>(wrote);
    } else if (errno != EINTR) {
      failed_ = errno;
    }
  }
  buffer_.clear();
}

}  // namespace sallyport
