#include "src/capture_file.h"

#include <cerrno>
#include <cstddef>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sallyport {

CaptureFile::~CaptureFile() {
  if (mapped_) munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size());
}

bool CaptureFile::open(const std::string& path) {
  const int descriptor =
      path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  struct stat status {};
  bool good = fstat(descriptor, &status) == 0;
  if (good && S_ISREG(status.st_mode) && status.st_size > 0) {
    const auto size = static_cast<std::size_t>(status.st_size);
    void* start = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    mapped_ = start != MAP_FAILED;
    if (mapped_) {
      madvise(start, size, MADV_SEQUENTIAL);
      bytes_ = {static_cast<const std::uint8_t*>(start), size};
    }
  }
  if (good && !mapped_) good = read_all(descriptor);
  const int why = errno;
  close(descriptor);
  errno = why;
  return good;
}

bool CaptureFile::read_all(int descriptor) {
  constexpr std::size_t step = 1U << 20U;
  std::size_t used = 0;
  for (;;) {
    if (copied_.size() - used < step) copied_.resize(copied_.size() + 4 * step);
    const ssize_t got = read(descriptor, copied_.data() + used, copied_.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  bytes_ = {copied_.data(), used};
  return true;
}

}  // namespace sallyport
