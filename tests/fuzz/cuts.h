// What the fuzz targets share.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sallyport::fuzz {

inline void insist(bool holds) {
  if (!holds) __builtin_trap();
}

// Lengths of pieces that follow from the input alone, so that a finding replays.
class Cuts {
 public:
  Cuts(const std::uint8_t* data, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) state_ = (state_ ^ data[i]) * 0x100000001b3U;  // FNV-1a
  }
  // 1 to `most`.
  std::size_t next(std::size_t most) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::size_t>(state_ >> 33) % most + 1;
  }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325U;
};

}  // namespace sallyport::fuzz
