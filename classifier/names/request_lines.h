// Lines that a server of HTTP/1 would read as the start of a request, in a stream that is agreed to be something else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace sallyport::classifier::names {

// Watches a stream for a line that starts with a registered method, or that ends as a request of any method does,
// however the stream is cut.
class RequestLines {
 public:
  // Where in these bytes what makes it such a line begins; 0: there or before them. Nothing: there is none.
  [[nodiscard]] std::optional<std::size_t> watch(std::span<const std::uint8_t> bytes) noexcept;

 private:
  std::uint64_t last_ = 0;  // the last eight bytes, the latest lowest
};

}  // namespace sallyport::classifier::names
