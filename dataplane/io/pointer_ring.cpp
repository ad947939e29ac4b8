#include "dataplane/io/pointer_ring.h"

#include <cstdlib>
#include <new>

#include "dataplane/io/dpdk.h"
#include "dataplane/io/thread_sanitizer.h"

namespace sallyport::dataplane {

PointerRing::PointerRing(std::uint32_t capacity) {
  const std::uint32_t slots = rte_align32pow2(capacity + 1);
  const auto bytes = static_cast<std::size_t>(rte_ring_get_memsize(slots));
  ring_.reset(static_cast<rte_ring*>(std::aligned_alloc(RTE_CACHE_LINE_SIZE, bytes)));
  if (!ring_) throw std::bad_alloc();
  rte_ring_init(ring_.get(), "packets", capacity, RING_F_MP_RTS_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
}

void PointerRing::Free::operator()(rte_ring* ring) const noexcept { std::free(ring); }

std::size_t PointerRing::push(std::span<void* const> pointers) noexcept {
  for (void* pointer : pointers) tell_passed_on(pointer);
  const Unseen inside_the_ring;
  return rte_ring_enqueue_burst(ring_.get(), pointers.data(), static_cast<unsigned>(pointers.size()), nullptr);
}

std::size_t PointerRing::pop(std::span<void*> out) noexcept {
  reader_.enter();
  std::size_t count = 0;
  {
    const Unseen inside_the_ring;
    count = rte_ring_dequeue_burst(ring_.get(), out.data(), static_cast<unsigned>(out.size()), nullptr);
  }
  for (void* pointer : out.first(count)) tell_taken_over(pointer);
  return count;
}

bool PointerRing::empty() const noexcept {
  const Unseen inside_the_ring;
  return rte_ring_empty(ring_.get()) != 0;
}

}  // namespace sallyport::dataplane
