// Which side of a flow is inside, when a capture does not say: the sender of its first packet, or the receiver where
// that is a SYN-ACK. Remembered by both directions' 5-tuple, for as long as the flow could live.
#pragma once

#include <cstdint>
#include <vector>

#include "config/appliance_model.h"
#include "dataplane/flow/flow_key.h"
#include "dataplane/flow/key_hash.h"
#include "dataplane/pipeline.h"

namespace sallyport {

class ReplaySides {
 public:
  explicit ReplaySides(const config::Timeouts& timeouts);

  enum class Sender : std::uint8_t { unknown, inside, outside };
  // The sender of a packet of this key, and the packet noted. `key` is not of ICMP echo: that tells by itself.
  [[nodiscard]] Sender note(const dataplane::FlowKey& key, bool is_syn_ack, dataplane::Instant now);
  // Fetches from memory what note() and find() will look at.
  void foresee(const dataplane::FlowKey& key) const noexcept;
  // Without noting anything.
  [[nodiscard]] Sender find(const dataplane::FlowKey& key, dataplane::Instant now) const noexcept;
  // From now on the sender of this key is inside: it opens the connection anew, whoever did so before.
  void set_inside(const dataplane::FlowKey& key, dataplane::Instant now);

 private:
  struct alignas(64) Entry {
    dataplane::FlowKey key;       // the direction in which the smaller end is the source
    std::uint8_t smaller_inside;  // 1: that source is the inside
    std::uint8_t used;
    dataplane::Instant last_seen;
  };

  [[nodiscard]] dataplane::Instant lifetime(dataplane::IpProtocol protocol) const noexcept;
  // Where the entry of a key is, or belongs.
  [[nodiscard]] std::size_t place(const dataplane::FlowKey& canonical) const noexcept;
  void grow();

  dataplane::Random random_;
  dataplane::KeyHash hash_;
  dataplane::Instant tcp_lifetime_;
  dataplane::Instant udp_lifetime_;
  std::vector<Entry> entries_;  // open addressing, a power of two
  std::size_t used_ = 0;
};

}  // namespace sallyport
