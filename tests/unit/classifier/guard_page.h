// Memory that ends at an unmapped page: one byte read too far is a fault.
#pragma once

#include <cstddef>
#include <cstdlib>

#include <sys/mman.h>
#include <unistd.h>

namespace sallyport {

class GuardPage {
 public:
  GuardPage() : page_bytes_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
    void* mapped = mmap(nullptr, 2 * page_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) std::abort();
    start_ = static_cast<char*>(mapped);
    if (mprotect(start_ + page_bytes_, page_bytes_, PROT_NONE) != 0) std::abort();
  }
  ~GuardPage() { munmap(start_, 2 * page_bytes_); }
  GuardPage(const GuardPage&) = delete;
  GuardPage& operator=(const GuardPage&) = delete;

  // The last bytes before the fault, at a multiple of `alignment`.
  [[nodiscard]] void* last(std::size_t bytes, std::size_t alignment = 1) noexcept {
    return start_ + (page_bytes_ - bytes) / alignment * alignment;
  }

 private:
  std::size_t page_bytes_;
  char* start_ = nullptr;
};

}  // namespace sallyport
