// Lines that a server of HTTP/1 would read as the start of a request, in a stream that is agreed to be something else.
#pragma once

#include <cstdint>
#include <span>

namespace sallyport::classifier::names {

// Watches a stream for a line that starts with a registered method, however the stream is cut.
class RequestLines {
 public:
  // True: there is one.
  [[nodiscard]] bool watch(std::span<const std::uint8_t> bytes) noexcept;

 private:
  std::uint64_t last_ = 0;  // the last eight bytes, the latest lowest
};

}  // namespace sallyport::classifier::names
