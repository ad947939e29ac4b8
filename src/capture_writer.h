// Writes pcapng: one section, one Ethernet interface a port, nanoseconds. Says nothing of the machine or the time of
// writing, so the same packets give the same bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "src/output_file.h"

namespace sallyport {

class CaptureWriter {
 public:
  // Creates or empties the file and declares an interface for each name. False: errno says why.
  [[nodiscard]] bool open(const std::string& path, std::span<const std::string> interface_names);
  [[nodiscard]] bool is_open() const noexcept { return file_.is_open(); }
  void write(std::uint32_t interface, std::uint64_t time_ns, std::span<const std::uint8_t> frame);
  // False: something could not be written, errno says why.
  [[nodiscard]] bool close() { return file_.close(); }

 private:
  OutputFile file_;
};

}  // namespace sallyport
