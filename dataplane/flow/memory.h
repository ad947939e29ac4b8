// Memory for the tables: taken once, zeroed, in huge pages where the kernel has some to give. The packet path is built
// without exceptions, so what is not to be had ends the program with the reason; the sum is checked
// before the first packet (Gateway).
//
// The kernel finds and clears a page when it is first touched: some 100 microseconds for a huge one, and more where a
// hypervisor has to find it first, while a queue of a thousand frames overflows. Whoever forwards has that done before
// the first packet comes (TablesTaken); whoever replays a capture touches what it needs.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <type_traits>
#include <vector>

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

// The memory of the blocks that this thread makes while it lives; they have to live as long. One at a time in a thread.
class TablesTaken {
 public:
  TablesTaken() noexcept { current_ = this; }
  ~TablesTaken() { current_ = nullptr; }
  TablesTaken(const TablesTaken&) = delete;
  TablesTaken& operator=(const TablesTaken&) = delete;

  // Has all of it found and cleared by the kernel now, in the memory next to this thread's processor. False: the kernel
  // cannot (before Linux 5.14) or has none left, and some is found when it is touched.
  bool populate() const noexcept {
    bool all = true;
    for (const std::span<std::byte> block : blocks_) {
      all &= ::madvise(block.data(), block.size(), MADV_POPULATE_WRITE) == 0;
    }
    return all;
  }

  static void note(void* memory, std::size_t bytes) {
    if (current_ != nullptr) current_->blocks_.emplace_back(static_cast<std::byte*>(memory), bytes);
  }

 private:
  static inline thread_local TablesTaken* current_ = nullptr;
  std::vector<std::span<std::byte>> blocks_;
};

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
    TablesTaken::note(memory, bytes());
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
