// A bounded queue of pointers to one reader: packets on their way to another worker, or between a wire and its kernel
// twin.
//
// An rte_ring. Several writers synchronise by its "relaxed tail", so one that the scheduler takes away in the middle
// does not stop the others: workers share their processors with the control plane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/io/thread_sanitizer.h"

struct rte_ring;

namespace sallyport::dataplane {

class PointerRing {
 public:
  // Room for exactly `capacity` pointers.
  explicit PointerRing(std::uint32_t capacity);

  // Any thread. As many as there is room for, the first ones of the span; answers how many.
  [[nodiscard]] std::size_t push(std::span<void* const> pointers) noexcept;
  // The reading thread. As many as there are and as `out` can take.
  [[nodiscard]] std::size_t pop(std::span<void*> out) noexcept;
  [[nodiscard]] bool empty() const noexcept;

 private:
  struct Free {
    void operator()(rte_ring* ring) const noexcept;
  };
  std::unique_ptr<rte_ring, Free> ring_;
  OneAtATime reader_;
};

}  // namespace sallyport::dataplane
