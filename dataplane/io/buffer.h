// Taking and giving back mbufs, from any thread, so that ThreadSanitizer knows who holds them.
#pragma once

#include <span>

#include "dataplane/io/dpdk.h"

namespace sallyport::dataplane {

// Null: none left.
[[nodiscard]] inline rte_mbuf* take_buffer(rte_mempool* pool) noexcept {
  buffers_arrive(pool);
  return rte_pktmbuf_alloc(pool);
}

inline void give_buffer(rte_mbuf* buffer) noexcept {
  buffers_leave(buffer->pool);
  rte_pktmbuf_free(buffer);
}

inline void give_buffers(std::span<void* const> buffers) noexcept {
  for (void* pointer : buffers) give_buffer(static_cast<rte_mbuf*>(pointer));
}

}  // namespace sallyport::dataplane
