// A bounded reader: the only way in which the parsers of this room touch foreign bytes.
//
// A read that would go past the end gives zero or nothing and leaves the reader empty and failed, so a parser reads a
// whole structure first and asks failed() once. Numbers are in network byte order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sallyport::classifier::names {

using Bytes = std::span<const std::uint8_t>;

class Reader {
 public:
  explicit Reader(Bytes bytes) noexcept : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] bool empty() const noexcept { return at_ == end_; }
  [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  // What is left, without reading it.
  [[nodiscard]] Bytes rest() const noexcept { return {at_, left()}; }

  Bytes bytes(std::size_t count) noexcept {
    if (count > left()) return fail();
    const Bytes taken{at_, count};
    at_ += count;
    return taken;
  }
  void skip(std::size_t count) noexcept { (void)bytes(count); }

  std::uint8_t u8() noexcept { return static_cast<std::uint8_t>(number<1>()); }
  std::uint16_t u16() noexcept { return static_cast<std::uint16_t>(number<2>()); }
  std::uint32_t u24() noexcept { return static_cast<std::uint32_t>(number<3>()); }
  std::uint32_t u32() noexcept { return static_cast<std::uint32_t>(number<4>()); }

  // RFC 8446 section 3.4: a vector behind its length in one or two bytes.
  Bytes vector8() noexcept { return bytes(u8()); }
  Bytes vector16() noexcept { return bytes(u16()); }

  // RFC 9000 section 16: 1, 2, 4 or 8 bytes, told by the two highest bits.
  std::uint64_t varint() noexcept {
    if (empty()) {
      fail();
      return 0;
    }
    switch (*at_ >> 6) {
      case 0:
        return number<1>();
      case 1:
        return number<2>() & 0x3fff;
      case 2:
        return number<4>() & 0x3fff'ffff;
      default:
        return number<8>() & 0x3fff'ffff'ffff'ffff;
    }
  }

 private:
  template <std::size_t length>
  std::uint64_t number() noexcept {
    if (length > left()) {
      fail();
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < length; ++i) value = value << 8 | at_[i];
    at_ += length;
    return value;
  }
  Bytes fail() noexcept {
    failed_ = true;
    at_ = end_;
    return {};
  }

  const std::uint8_t* at_;
  const std::uint8_t* end_;
  bool failed_ = false;
};

}  // namespace sallyport::classifier::names
