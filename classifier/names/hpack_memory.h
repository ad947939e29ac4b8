// Memory for a library that asks for some piece by piece: pieces of a few sizes, from one block taken at start.
//
// Sizes are powers of two. A piece that is given back is kept for the next of its size; sizes do not lend to each
// other, so the block is large enough for what all its users together need, or somebody goes without.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace sallyport::classifier::names {

class PieceMemory {
 public:
  explicit PieceMemory(std::size_t bytes) : block_(std::make_unique_for_overwrite<std::byte[]>(bytes)), bytes_(bytes) {}

  // Null: none left, or more than is ever given.
  [[nodiscard]] void* take(std::size_t count) noexcept {
    if (count > (std::size_t{1} << size_log2_max)) return nullptr;
    const std::size_t size_log2 =
        std::max<std::size_t>(size_log2_min, std::bit_width(std::max<std::size_t>(count, 1) - 1));
    Piece*& free = free_[size_log2];
    if (free != nullptr) {
      Piece* piece = free;
      free = piece->next;
      piece->next = nullptr;
      in_use_ += sizeof(Piece) + (std::size_t{1} << size_log2);
      return piece + 1;
    }
    const std::size_t wanted = sizeof(Piece) + (std::size_t{1} << size_log2);
    if (wanted > bytes_ - used_) return nullptr;
    auto* piece = new (&block_[used_]) Piece{nullptr, size_log2};
    used_ += wanted;
    in_use_ += wanted;
    return piece + 1;
  }
  void give_back(void* pointer) noexcept {
    if (pointer == nullptr) return;
    Piece* piece = static_cast<Piece*>(pointer) - 1;
    in_use_ -= sizeof(Piece) + (std::size_t{1} << piece->size_log2);
    piece->next = free_[piece->size_log2];
    free_[piece->size_log2] = piece;
  }
  [[nodiscard]] static std::size_t size_of(const void* pointer) noexcept {
    return std::size_t{1} << (static_cast<const Piece*>(pointer) - 1)->size_log2;
  }

  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t in_use() const noexcept { return in_use_; }

 private:
  static constexpr std::size_t size_log2_min = 5;
  static constexpr std::size_t size_log2_max = 17;
  struct alignas(16) Piece {
    Piece* next;
    std::size_t size_log2;
  };
  std::unique_ptr<std::byte[]> block_;
  std::size_t bytes_;
  std::size_t used_ = 0;    // of the block, with what was given back
  std::size_t in_use_ = 0;  // by pieces that somebody has
  std::array<Piece*, size_log2_max + 1> free_{};
};

}  // namespace sallyport::classifier::names
