// Cuts a datagram into pieces (RFC 791 section 3.2, RFC 8200 section 4.5).
#pragma once

#include <cstdint>

#include "dataplane/packet.h"
#include "dataplane/stages/parse.h"

namespace sallyport::dataplane {

// One packet, cut piece by piece. IPv4: new_id identifies the pieces (RFC 6864 section 5.3.1: datagrams of several
// senders leave under one address). IPv6: Packet::fragment_id.
class Fragmenter {
 public:
  // No piece is larger than `limit` bytes of IP packet.
  Fragmenter(const Packet& packet, const Parsed& parsed, std::uint16_t limit, std::uint16_t new_id) noexcept;

  // At least one piece is made, even of a packet that is nothing but headers which every piece repeats.
  [[nodiscard]] bool done() const noexcept { return offset_ == total_ && begun_; }
  // Frame bytes of the next piece.
  [[nodiscard]] std::uint32_t next_bytes() const noexcept;
  // Into a packet with that many bytes; sets its length.
  void make(Packet& piece) noexcept;

 private:
  [[nodiscard]] std::uint32_t chunk() const noexcept;
  void make_v4(Packet& piece, std::uint32_t bytes) noexcept;
  void make_v6(Packet& piece, std::uint32_t bytes) noexcept;

  const Packet& packet_;
  const Parsed& parsed_;
  std::uint32_t header_;  // IP bytes that every piece repeats
  std::uint32_t data_;    // where the payload begins in the packet
  std::uint32_t total_;   // payload bytes
  std::uint32_t offset_ = 0;
  bool begun_ = false;
  std::uint32_t room_;  // payload bytes that fit into the last piece; into the others a multiple of 8
  std::uint16_t new_id_;
};

}  // namespace sallyport::dataplane
