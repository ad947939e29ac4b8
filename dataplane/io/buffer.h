// Taking and giving back mbufs, from any thread, so that ThreadSanitizer knows who holds them; and a Packet's view of
// one.
#pragma once

#include <span>

#include "dataplane/io/dpdk.h"
#include "dataplane/io/thread_sanitizer.h"
#include "dataplane/packet.h"

namespace sallyport::dataplane {

// To a device, which may give them to anybody when it has sent them.
inline void buffers_leave([[maybe_unused]] std::span<rte_mbuf* const> frames) noexcept {
#ifdef SALLYPORT_THREAD_SANITIZER
  for (rte_mbuf* frame : frames) {
    for (; frame != nullptr; frame = frame->next) tell_passed_on(frame);
  }
#endif
}

// From a device, or out of a pool: all buffers of each frame.
inline void buffers_arrive([[maybe_unused]] std::span<rte_mbuf* const> frames) noexcept {
#ifdef SALLYPORT_THREAD_SANITIZER
  for (rte_mbuf* frame : frames) {
    for (; frame != nullptr; frame = frame->next) tell_taken_over(frame);
  }
#endif
}

// Null: none left.
[[nodiscard]] inline rte_mbuf* take_buffer(rte_mempool* pool) noexcept {
  rte_mbuf* buffer = nullptr;
  {
    const Unseen inside_the_pool;
    buffer = rte_pktmbuf_alloc(pool);
  }
  if (buffer != nullptr) buffers_arrive({&buffer, 1});
  return buffer;
}

inline void give_buffer(rte_mbuf* buffer) noexcept {
  buffers_leave({&buffer, 1});
  const Unseen inside_the_pool;
  rte_pktmbuf_free(buffer);
}

inline void give_buffers(std::span<void* const> buffers) noexcept {
  for (void* pointer : buffers) give_buffer(static_cast<rte_mbuf*>(pointer));
}

// In one buffer.
[[nodiscard]] inline Packet packet_of(rte_mbuf* frame, PortIndex port) noexcept {
  Packet packet;
  packet.data = rte_pktmbuf_mtod(frame, std::uint8_t*);
  packet.length = frame->pkt_len;
  packet.headroom = frame->data_off;
  packet.port = port;
  packet.buffer = frame;
  return packet;
}

// Written back, before the mbuf goes anywhere.
[[nodiscard]] inline rte_mbuf* frame_of(const Packet& packet) noexcept {
  auto* frame = static_cast<rte_mbuf*>(packet.buffer);
  frame->data_off = static_cast<std::uint16_t>(packet.data - static_cast<std::uint8_t*>(frame->buf_addr));
  frame->data_len = static_cast<std::uint16_t>(packet.length);
  frame->pkt_len = packet.length;
  frame->ol_flags = 0;
  return frame;
}

}  // namespace sallyport::dataplane
