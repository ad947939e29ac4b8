#include "config/source_file.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sallyport::config {
namespace {

using Text = Parsed<std::string>;

class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  int number_;
};

Text system_failure() { return Text::failure(fmt::format("cannot be read: {}", std::strerror(errno))); }

Text read_to_end(int descriptor, std::size_t most, std::size_t expected) {
  std::string text;
  text.reserve(expected);
  std::array<char, 1U << 16U> buffer;
  while (true) {
    const ssize_t count = read(descriptor, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_failure();
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > most) return Text::failure(fmt::format("larger than {} bytes", most));
  }
}

Text read_file(const std::string& path, std::size_t most, bool regular_only) {
  const Descriptor descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | (regular_only ? O_NONBLOCK : 0)));
  struct stat status {};
  if (descriptor.number() < 0 || fstat(descriptor.number(), &status) != 0) return system_failure();
  const bool regular = S_ISREG(status.st_mode);
  const bool pipe = S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode) || S_ISSOCK(status.st_mode);
  if (!regular && (regular_only || !pipe)) return Text::failure("is not a regular file");
  const auto size = regular ? static_cast<std::size_t>(status.st_size) : 0;
  if (size > most) return Text::failure(fmt::format("larger than {} bytes", most));
  return read_to_end(descriptor.number(), most, size);
}

}  // namespace

Text read_whole_file(const std::string& path, std::size_t most) { return read_file(path, most, false); }

Text read_regular_file(const std::string& path, std::size_t most) { return read_file(path, most, true); }

std::string beside(std::string_view base_file, std::string_view name) {
  return (std::filesystem::path(base_file).parent_path() / std::filesystem::path(name)).lexically_normal().string();
}

}  // namespace sallyport::config
