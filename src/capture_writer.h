// Writes pcapng: one section, one Ethernet interface a port, nanoseconds. Says nothing of the machine or the time of
// writing, so the same packets give the same bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

class CaptureWriter {
 public:
  CaptureWriter() = default;
  CaptureWriter(const CaptureWriter&) = delete;
  CaptureWriter& operator=(const CaptureWriter&) = delete;
  ~CaptureWriter();

  // Creates or empties the file and declares an interface for each name. False: errno says why.
  [[nodiscard]] bool open(const std::string& path, std::span<const std::string> interface_names);
  [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }
  // Buffered. An error of the file system is kept for close() to tell; what comes after it is left out.
  void write(std::uint32_t interface, std::uint64_t time_ns, std::span<const std::uint8_t> frame);
  // False: something could not be written, errno says why.
  [[nodiscard]] bool close();

 private:
  void put_interface(std::string_view name);
  void put_u16(std::uint16_t value);
  void put_u32(std::uint32_t value);
  void put_padded(const void* bytes, std::size_t count);
  void flush();

  std::vector<std::uint8_t> buffer_;
  int descriptor_ = -1;
  int failed_ = 0;  // errno of the first write that failed
};

}  // namespace sallyport
