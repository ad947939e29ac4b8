// Capture files made byte by byte, in either byte order.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

namespace sallyport {

class CaptureBuilder {
 public:
  explicit CaptureBuilder(bool big_endian = false) : big_endian_(big_endian) {}

  CaptureBuilder& u16(std::uint16_t value) { return number(value, 2); }
  CaptureBuilder& u32(std::uint32_t value) { return number(value, 4); }
  CaptureBuilder& text(std::string_view value) {
    bytes_.append(value);
    return *this;
  }
  CaptureBuilder& pad() {
    bytes_.append((4 - bytes_.size() % 4) % 4, '\0');
    return *this;
  }

  CaptureBuilder& pcap_head(std::uint32_t magic, std::uint32_t link_type) {
    return u32(magic).u16(2).u16(4).u32(0).u32(0).u32(65535).u32(link_type);
  }
  CaptureBuilder& pcap_record(std::uint32_t seconds, std::uint32_t fraction, std::string_view frame,
                              std::uint32_t original = 0) {
    const auto size = static_cast<std::uint32_t>(frame.size());
    return u32(seconds).u32(fraction).u32(size).u32(original == 0 ? size : original).text(frame);
  }

  CaptureBuilder& block(std::uint32_t type, const CaptureBuilder& body) {
    CaptureBuilder padded = body;
    padded.pad();
    const auto length = static_cast<std::uint32_t>(padded.bytes_.size() + 12);
    return u32(type).u32(length).text(padded.bytes_).u32(length);
  }
  CaptureBuilder body() const { return CaptureBuilder(big_endian_); }
  CaptureBuilder& section() { return block(0x0a0d0d0a, body().u32(0x1a2b3c4d).u16(1).u16(0).u32(~0U).u32(~0U)); }
  CaptureBuilder& interface(std::uint16_t link_type, std::uint32_t snap_length = 0) {
    return block(1, body().u16(link_type).u16(0).u32(snap_length));
  }
  CaptureBuilder& packet(std::uint32_t interface, std::uint64_t ticks, std::string_view frame) {
    const auto size = static_cast<std::uint32_t>(frame.size());
    return block(6, body()
                        .u32(interface)
                        .u32(static_cast<std::uint32_t>(ticks >> 32U))
                        .u32(static_cast<std::uint32_t>(ticks))
                        .u32(size)
                        .u32(size)
                        .text(frame));
  }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  CaptureBuilder& number(std::uint32_t value, unsigned size) {
    for (unsigned i = 0; i < size; ++i) {
      const unsigned shift = 8 * (big_endian_ ? size - 1 - i : i);
      bytes_.push_back(static_cast<char>(value >> shift));
    }
    return *this;
  }

  bool big_endian_;
  std::string bytes_;
};

// A file of the test's own, gone with it.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view bytes = {}) {
    static unsigned number = 0;
    path_ = (std::filesystem::temp_directory_path() /
             ("sallyport-capture-" + std::to_string(getpid()) + "-" + std::to_string(number++)))
                .string();
    std::ofstream(path_, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::remove(path_.c_str()); }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string bytes() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::string path_;
};

}  // namespace sallyport
