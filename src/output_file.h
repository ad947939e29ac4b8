// A file that is written from front to back through a buffer. What goes wrong is kept until close() tells it, so that
// the writer's loop need not look.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

class OutputFile {
 public:
  OutputFile() = default;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();

  // Creates or empties the file; "-" is the standard output. False: errno says why.
  [[nodiscard]] bool open(const std::string& path);
  [[nodiscard]] bool open_standard_output();
  [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }
  void append(std::span<const std::uint8_t> bytes);
  void append(std::string_view text);
  // What was appended is in the file, for whoever reads along.
  void flush();
  [[nodiscard]] bool failed() const noexcept { return failed_ != 0; }
  // False: something could not be written, errno says why. What came after it was left out.
  [[nodiscard]] bool close();

 private:
  std::vector<std::uint8_t> buffer_;
  int descriptor_ = -1;
  int failed_ = 0;  // errno of the first write that failed
};

}  // namespace sallyport
