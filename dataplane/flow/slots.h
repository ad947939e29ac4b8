// A fixed number of values, handed out and taken back by number. Number 0 is never handed out, so 0 can mean "none".
#pragma once

#include <cstdint>

#include "dataplane/flow/memory.h"

namespace sallyport::dataplane {

template <typename T>
class Slots {
 public:
  // `count` may be handed out at once.
  explicit Slots(std::uint32_t count) : values_(std::size_t{count} + 1), free_(count), left_(count), fresh_(1) {}

  [[nodiscard]] bool exhausted() const noexcept { return left_ == 0; }
  [[nodiscard]] std::uint32_t in_use() const noexcept { return static_cast<std::uint32_t>(free_.size()) - left_; }
  [[nodiscard]] std::uint32_t capacity() const noexcept { return static_cast<std::uint32_t>(free_.size()); }

  // From here on numbers were never handed out.
  [[nodiscard]] std::uint32_t fresh() const noexcept { return fresh_; }

  // 0: none left. The value is as its last holder left it.
  [[nodiscard]] std::uint32_t take() noexcept {
    if (left_ == 0) return 0;
    --left_;
    return returned_ != 0 ? free_[--returned_] : fresh_++;
  }
  // What take() would answer the time after `ahead` more, or 0.
  [[nodiscard]] std::uint32_t next(std::uint32_t ahead) const noexcept {
    if (ahead >= left_) return 0;
    return ahead < returned_ ? free_[returned_ - 1 - ahead] : fresh_ + (ahead - returned_);
  }
  void give_back(std::uint32_t number) noexcept {
    free_[returned_++] = number;
    ++left_;
  }

  [[nodiscard]] T& operator[](std::uint32_t number) noexcept { return values_[number]; }
  [[nodiscard]] const T& operator[](std::uint32_t number) const noexcept { return values_[number]; }
  [[nodiscard]] std::size_t bytes() const noexcept { return values_.bytes() + free_.bytes(); }

 private:
  Block<T> values_;
  Block<std::uint32_t> free_;  // a stack of returned numbers; numbers never used yet are counted from fresh_ on
  std::uint32_t left_;
  std::uint32_t fresh_;
  std::uint32_t returned_ = 0;
};

}  // namespace sallyport::dataplane
