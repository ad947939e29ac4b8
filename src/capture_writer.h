// Writes pcapng: one section, one Ethernet interface a port, nanoseconds. Says nothing of the machine or the time of
// writing, so the same packets give the same bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "src/output_file.h"

namespace sallyport {

class CaptureWriter {
 public:
  // Creates or empties the file and declares an interface for each name. False: errno says why.
  [[nodiscard]] bool open(const std::string& path, std::span<const std::string> interface_names);
  // The same to the standard output.
  [[nodiscard]] bool open_standard_output(std::span<const std::string> interface_names);
  [[nodiscard]] bool is_open() const noexcept { return file_.is_open(); }
  void write(std::uint32_t interface, std::uint64_t time_ns, std::span<const std::uint8_t> frame) {
    write(interface, time_ns, frame, static_cast<std::uint32_t>(frame.size()), {});
  }
  // `frame` may be the beginning of a longer one; `comment` is UTF-8, at most 65535 bytes; empty: none.
  void write(std::uint32_t interface, std::uint64_t time_ns, std::span<const std::uint8_t> frame,
             std::uint32_t original_length, std::string_view comment);
  // What was written is in the file, for whoever reads along.
  void flush() { file_.flush(); }
  [[nodiscard]] bool failed() const noexcept { return file_.failed(); }
  // False: something could not be written, errno says why.
  [[nodiscard]] bool close() { return file_.close(); }

 private:
  void begin(std::span<const std::string> interface_names);

  OutputFile file_;
};

}  // namespace sallyport
