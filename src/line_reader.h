// Lines of a file, one after the other, however large the file: no more than one line is in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

class LineReader {
 public:
  static constexpr std::size_t line_bytes_max = 64U << 10U;

  // "-": standard input.
  explicit LineReader(std::string path);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // Answers what went wrong; empty: open.
  [[nodiscard]] std::string open();

  struct Line {
    std::string_view text;  // without its end; valid until the next call
    std::uint64_t number = 0;
    bool too_long = false;  // longer than line_bytes_max: text holds its beginning
  };
  // None: the end of the file, or an error of reading (see problem()).
  [[nodiscard]] std::optional<Line> next();
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  // As messages should name it.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  // False: nothing more.
  bool fill();

  std::string path_;
  std::string name_;
  std::FILE* file_ = nullptr;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // what of the buffer is not given out yet
  std::string line_;
  std::uint64_t number_ = 0;
  std::string problem_;
};

}  // namespace sallyport
