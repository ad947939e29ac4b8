// A file of lines that others rotate: appended to, opened anew when it was moved away or when somebody asks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/descriptor.h"
#include "src/flow_log/patience.h"

namespace sallyport {

class LineFile {
 public:
  // "-": standard output. Anything else is made with its folders where missing, mode 0640.
  explicit LineFile(std::string path) : path_(std::move(path)) {}

  // Answers what went wrong; empty: open.
  [[nodiscard]] std::string open();
  // Was the file renamed or removed since it was opened?
  [[nodiscard]] bool moved_away() const;
  // Whole lines. False: the file took not all of them (full disk, reader gone, a pipe that nobody reads: this is waited
  // for once, for a second); the next write starts a line of its own.
  [[nodiscard]] bool write(std::string_view lines);
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  [[nodiscard]] bool is_stdout() const noexcept { return path_ == "-"; }
  // How many bytes were taken.
  std::size_t write_some(std::string_view bytes);

  std::string path_;
  Descriptor file_;
  Patience patience_;
  int number_ = -1;
  bool regular_ = false;
  bool torn_ = false;
};

}  // namespace sallyport
