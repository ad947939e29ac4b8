// Memory for the tables: taken once, zeroed, in huge pages where the kernel has some to give. The packet path is built
// without exceptions, so what is not to be had ends the program with the reason; the sum is checked
// before the first packet (Gateway).
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <type_traits>

#include <sys/mman.h>

namespace sallyport::dataplane {

// Fetches the line ahead of its use. g++ 12 takes a function that only prefetches for one without effect and leaves its
// calls out; into this it cannot look.
inline void prefetch(const void* address) noexcept {
  asm volatile("prefetcht0 %0" : : "m"(*static_cast<const char*>(address)));
}

// All lines of a value.
template <typename T>
void prefetch_whole(const T& value) noexcept {
  const char* begin = reinterpret_cast<const char*>(&value);
  for (std::size_t at = 0; at < sizeof(T) - 1; at += 64) prefetch(begin + at);
  prefetch(begin + sizeof(T) - 1);
}

// `count` values of zero bytes; T must be valid so.
template <typename T>
class Block {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  explicit Block(std::size_t count) : count_(count) {
    if (count == 0) return;
    void* memory = ::mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
      std::fprintf(stderr, "sallyport: no memory for a table of %zu MiB: lower [limits] flows or held_bytes\n",
                   bytes() >> 20U);
      std::_Exit(3);
    }
    ::madvise(memory, bytes(), MADV_HUGEPAGE);
    values_ = static_cast<T*>(memory);
  }
  ~Block() {
    if (values_ != nullptr) ::munmap(values_, bytes());
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  [[nodiscard]] T& operator[](std::size_t index) noexcept { return values_[index]; }
  [[nodiscard]] const T& operator[](std::size_t index) const noexcept { return values_[index]; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return count_ * sizeof(T); }
  [[nodiscard]] T* data() noexcept { return values_; }

 private:
  T* values_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace sallyport::dataplane
