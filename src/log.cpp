#include "src/log.h"

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sallyport {
namespace {

// systemd.exec(5): $JOURNAL_STREAM is "device:inode" of the stream; it may have been redirected since.
bool goes_to_journal(int file_descriptor) {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || fstat(file_descriptor, &status) != 0) return false;
  return fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

std::string now_text() {
  const auto now = std::chrono::system_clock::now();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now - seconds).count();
  const std::tm parts = fmt::gmtime(std::chrono::system_clock::to_time_t(seconds));
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", parts, milliseconds);
}

}  // namespace

Log::Log(int file_descriptor) : file_descriptor_(file_descriptor), journal_(goes_to_journal(file_descriptor)) {}

void Log::line(Priority priority, std::string_view text) {
  const char* word = priority == Priority::error ? "error" : priority == Priority::warning ? "warning" : "info";
  std::string whole = journal_ ? fmt::format("<{}>{}\n", static_cast<int>(priority), text)
                               : fmt::format("{} {}: {}\n", now_text(), word, text);
  // One write keeps lines of several threads apart. A log that nobody can take is not worth dying for.
  (void)!write(file_descriptor_, whole.data(), whole.size());
}

}  // namespace sallyport
