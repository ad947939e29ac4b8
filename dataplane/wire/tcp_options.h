// The options of a segment of TCP (RFC 9293 section 3.1): kind, length and value, or a kind alone.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane::wire {

// One by one, until `visit(kind, at, count)` says true: `count` bytes from `at` on.
class TcpOptions {
 public:
  // `tcp`: a whole header, options included.
  explicit TcpOptions(std::uint8_t* tcp) noexcept
      : tcp_(at<Tcp>(tcp)), bytes_(tcp + sizeof(Tcp)), size_(tcp_.header_bytes() - 20U) {}

  template <typename Visit>
  void for_each(const Visit& visit) const noexcept {
    constexpr std::uint8_t end_of_list = 0, no_operation = 1;
    for (unsigned i = 0; i < size_ && bytes_[i] != end_of_list;) {
      if (bytes_[i] == no_operation) {
        ++i;
        continue;
      }
      if (i + 1 >= size_ || bytes_[i + 1] < 2 || i + bytes_[i + 1] > size_) return;
      if (visit(bytes_[i], i, std::uint32_t{bytes_[i + 1]})) return;
      i += bytes_[i + 1];
    }
  }
  [[nodiscard]] std::uint8_t* operator[](unsigned place) const noexcept { return bytes_ + place; }
  // `write()` changes them. An option may begin at an odd offset; the sum is over the words as they lie.
  template <typename Write>
  void change(unsigned place, unsigned count, const Write& write) const noexcept {
    std::array<std::uint8_t, 40> before;
    const unsigned from = place & ~1U, end = std::min((place + count + 1) & ~1U, size_);
    std::memcpy(before.data(), bytes_ + from, end - from);
    write();
    Delta delta;
    delta.replace(before.data(), bytes_ + from, end - from);
    update(tcp_.checksum, delta);
  }

 private:
  Tcp& tcp_;
  std::uint8_t* bytes_;
  unsigned size_;
};

}  // namespace sallyport::dataplane::wire
