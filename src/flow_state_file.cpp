#include "src/flow_state_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/descriptor.h"

namespace sallyport {
namespace {

constexpr std::size_t read_at_once_bytes = 256U << 10U;

// A file from front to back; what was given out counts for the checksum.
class Source {
 public:
  explicit Source(const std::string& path) : file_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    struct stat status {};
    if (!file_ || fstat(file_.get(), &status) != 0) {
      failed_ = errno;
    } else if (!S_ISREG(status.st_mode)) {
      failed_ = EINVAL;
    }
  }

  // As many bytes as there are, at least `wanted` unless the file ends before.
  [[nodiscard]] std::string_view peek(std::size_t wanted) {
    while (bytes_.size() - begin_ < wanted && !ended_ && failed_ == 0) fill();
    return std::string_view(bytes_).substr(begin_);
  }
  void take(std::size_t count) {
    checksum_.add(std::string_view(bytes_).substr(begin_, count));
    begin_ += count;
  }
  [[nodiscard]] int failed() const noexcept { return failed_; }
  [[nodiscard]] std::string checksum() { return checksum_.finish(); }

 private:
  void fill() {
    bytes_.erase(0, begin_);
    begin_ = 0;
    const std::size_t before = bytes_.size();
    bytes_.resize(before + read_at_once_bytes);
    const ssize_t count = read(file_.get(), &bytes_[before], read_at_once_bytes);
    bytes_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count < 0 && errno != EINTR) failed_ = errno;
    ended_ = count == 0;
  }

  Descriptor file_;
  std::string bytes_;
  std::size_t begin_ = 0;
  bool ended_ = false;
  int failed_ = 0;
  classifier::Sha256 checksum_;
};

}  // namespace

std::string flow_state_path(const std::string& folder) { return folder + "/flows"; }

FlowStateWriter::FlowStateWriter(std::string path, const FlowStateHead& head)
    : path_(std::move(path)), unfinished_(path_ + ".new") {
  std::error_code ignored;  // opening says it better
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
  file_ = open(unfinished_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  if (file_ < 0) failed_ = errno;
  encode(waiting_, head);
}

FlowStateWriter::~FlowStateWriter() {
  if (file_ < 0) return;
  close(file_);
  unlink(unfinished_.c_str());
}

std::string FlowStateWriter::commit() {
  encode(waiting_, FlowStateEnd{count_});
  flush();
  write(checksum_.finish());
  if (failed_ == 0 && fsync(file_) != 0) failed_ = errno;
  if (failed_ == 0 && std::rename(unfinished_.c_str(), path_.c_str()) != 0) failed_ = errno;
  if (failed_ != 0) return fmt::format("{}: cannot be written: {}", path_, std::strerror(failed_));
  close(std::exchange(file_, -1));
  return {};
}

void FlowStateWriter::flush() {
  checksum_.add(waiting_);
  write(waiting_);
  waiting_.clear();
}

void FlowStateWriter::write(std::string_view bytes) {
  while (failed_ == 0 && !bytes.empty()) {
    const ssize_t count = ::write(file_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) failed_ = count < 0 ? errno : EIO;
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string FlowStateReader::check() {
  return each([](const FlowStateRecord&) {});
}

std::string FlowStateReader::each(const Take& take) {
  Source source(path_);
  if (source.failed() == ENOENT) return {};
  const auto refused = [&](std::string_view why) { return fmt::format("{}: {}", path_, why); };
  if (source.failed() != 0) return refused(fmt::format("cannot be read: {}", std::strerror(source.failed())));
  const DecodedHead decoded = decode_head(source.peek(flow_state_record_bytes_max));
  if (!decoded.problem.empty()) return refused(decoded.problem);
  source.take(decoded.bytes);
  head_ = decoded.head;

  std::uint64_t count = 0;
  while (true) {
    const std::string_view there = source.peek(flow_state_record_bytes_max);
    std::string_view rest = there;
    const std::optional<FlowStateRecord> record = decode_record(rest);
    if (!record) return refused("it is cut short or damaged");
    source.take(there.size() - rest.size());
    if (const auto* end = std::get_if<FlowStateEnd>(&*record)) {
      const std::string sum = source.checksum();
      if (end->count != count || source.peek(sum.size() + 1) != sum) return refused("it is cut short or damaged");
      found_ = true;
      count_ = count;
      return {};
    }
    ++count;
    take(*record);
  }
}

}  // namespace sallyport
