#include "src/line_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace sallyport {
namespace {

constexpr std::size_t buffer_bytes = 256U << 10U;

}  // namespace

LineReader::LineReader(std::string path)
    : path_(std::move(path)), name_(path_ == "-" ? "standard input" : path_), buffer_(buffer_bytes) {}

LineReader::~LineReader() {
  if (file_ != nullptr && file_ != stdin) (void)std::fclose(file_);
}

std::string LineReader::open() {
  file_ = path_ == "-" ? stdin : std::fopen(path_.c_str(), "rbe");
  if (file_ == nullptr) return fmt::format("{}: cannot be read: {}", name_, std::strerror(errno));
  return {};
}

bool LineReader::fill() {
  begin_ = 0;
  end_ = std::fread(buffer_.data(), 1, buffer_.size(), file_);
  if (end_ == 0 && std::ferror(file_) != 0) problem_ = fmt::format("{}: {}", name_, std::strerror(errno));
  return end_ != 0;
}

std::optional<LineReader::Line> LineReader::next() {
  line_.clear();
  bool any = false;
  bool too_long = false;
  while (begin_ != end_ || fill()) {
    any = true;
    const std::string_view left(buffer_.data() + begin_, end_ - begin_);
    const std::size_t end_of_line = left.find('\n');
    const std::string_view part = left.substr(0, end_of_line);
    const std::size_t room = line_bytes_max - line_.size();
    too_long = too_long || part.size() > room;
    line_.append(part.substr(0, std::min(part.size(), room)));
    begin_ += part.size() + (end_of_line != std::string_view::npos ? 1 : 0);
    if (end_of_line != std::string_view::npos) break;
  }
  if (!any) return std::nullopt;
  return Line{line_, ++number_, too_long};
}

}  // namespace sallyport
