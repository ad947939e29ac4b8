// Which external ports there are to choose from, and in which order they are tried (nat.md 4; RFC 6056 section 3.3.1).
//
// Ports are cut into blocks of 64; with several workers, block b is worker b mod N's, so that an answer's destination
// port tells whose flow it belongs to. Within its kind (1-1023 and the configured range stay apart) a worker counts its
// ports from 0 to size-1.
#pragma once

#include <cstdint>

#include "config/appliance_model.h"

namespace sallyport::dataplane {

inline constexpr std::uint32_t port_block = 64;

[[nodiscard]] constexpr std::uint32_t port_owner(std::uint16_t port, std::uint32_t workers) noexcept {
  return port / port_block % workers;
}

class PortSlice {
 public:
  PortSlice(std::uint16_t first, std::uint16_t last, std::uint32_t worker, std::uint32_t workers) noexcept
      : first_(first), last_(last), worker_(worker), workers_(workers) {
    size_ = count_below(std::uint32_t{last} + 1) - count_below(first);
  }

  [[nodiscard]] bool contains(std::uint16_t port) const noexcept {
    return port >= first_ && port <= last_ && port_owner(port, workers_) == worker_;
  }
  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  // Number `index` of the slice, index < size().
  [[nodiscard]] std::uint16_t at(std::uint32_t index) const noexcept {
    index += count_below(first_);
    const std::uint32_t block = index / port_block * workers_ + worker_;
    return static_cast<std::uint16_t>(block * port_block + index % port_block);
  }

 private:
  // How many ports of this worker are below `end`.
  [[nodiscard]] std::uint32_t count_below(std::uint32_t end) const noexcept {
    const std::uint32_t block = end / port_block;
    const std::uint32_t whole = block / workers_ + (block % workers_ > worker_ ? 1 : 0);
    return whole * port_block + (block % workers_ == worker_ ? end % port_block : 0);
  }

  std::uint16_t first_;
  std::uint16_t last_;
  std::uint32_t worker_;
  std::uint32_t workers_;
  std::uint32_t size_ = 0;
};

}  // namespace sallyport::dataplane
