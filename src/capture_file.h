// A file's bytes, to be read from front to back: mapped where it is a regular file, else (a pipe) read into memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sallyport {

class CaptureFile {
 public:
  CaptureFile() = default;
  CaptureFile(const CaptureFile&) = delete;
  CaptureFile& operator=(const CaptureFile&) = delete;
  ~CaptureFile();

  // "-" is the standard input. False: errno says why.
  [[nodiscard]] bool open(const std::string& path);
  [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept { return bytes_; }

 private:
  [[nodiscard]] bool read_all(int descriptor);

  std::span<const std::uint8_t> bytes_;
  std::vector<std::uint8_t> copied_;
  bool mapped_ = false;
};

}  // namespace sallyport
