// Datagrams that come in pieces (RFC 791 section 3.2, RFC 8200 section 4.5).
//
// Fragments wait, in any order, until their datagram is whole; then the pipeline sees one packet, and forward() cuts it
// again no larger than it came. What overlaps is thrown away with all of its datagram, later pieces included (RFC 5722,
// done for IPv4 alike); a first fragment that does not hold its transport header is refused (RFC 1858, 7112). All
// memory is taken at start.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/drop.h"
#include "dataplane/flow/flow.h"
#include "dataplane/flow/key_hash.h"
#include "dataplane/flow/key_index.h"
#include "dataplane/flow/slots.h"
#include "dataplane/packet.h"
#include "dataplane/stages/parse.h"

namespace sallyport::dataplane {

class Reassembler {
 public:
  static constexpr std::uint32_t whole_bytes_max = 65535 + 64;  // an IP packet and the link header in front
  static constexpr std::uint32_t headroom = 128;

  // Takes pieces back; the World's release, as a function of the user's.
  using Release = void (*)(void* context, std::span<Packet> packets);

  Reassembler(std::uint32_t fragments_max, std::uint32_t timeout_ms, std::uint32_t wholes, const KeyHash& hash);

  enum class Result : std::uint8_t { held, whole, dropped };
  // Takes a packet whose Parsed says fragment. `whole`: the datagram, to be given back after use; its pieces go to
  // `release`. `dropped`: this packet stays the caller's and ends under `why`; `also` pieces of its datagram that were
  // held went to `release` and end under it, too.
  [[nodiscard]] Result add(const Packet& packet, const Parsed& parsed, Tick now, Packet& whole, Drop& why,
                           std::uint32_t& also, Release release, void* context) noexcept;
  // Ends what waited too long; answers how many pieces.
  [[nodiscard]] std::uint32_t expire(Tick now, Release release, void* context) noexcept;
  void give_back(const Packet& whole) noexcept;
  // A whole that is to be held longer than the call: still the same buffer, given back later. So many may be held.
  [[nodiscard]] std::uint32_t wholes_left() const noexcept { return wholes_.capacity() - wholes_.in_use(); }
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  struct Piece {
    Packet packet;
    std::uint32_t offset;  // of its bytes in the datagram's payload
    std::uint32_t length;
    std::uint32_t data;  // where they begin in the packet
    std::uint32_t next;  // by rising offset; 0: the last
  };
  struct Datagram {
    FlowKey key;  // addresses and protocol; identification in the ports
    std::uint32_t identification;
    std::uint32_t first_piece;
    std::uint32_t pieces;
    std::uint32_t received;    // payload bytes so far
    std::uint32_t total;       // payload bytes in all, 0 while the last piece is missing
    std::uint32_t reach;       // the end of the farthest piece
    std::uint32_t largest;     // IP bytes of the largest piece
    std::uint16_t header_end;  // offsets in the piece that begins the datagram, once it came
    std::uint16_t l3_offset;
    std::uint16_t unfragmentable_next;
    bool poisoned;
    Tick since;
    std::uint32_t older, newer;  // by arrival
  };
  struct Whole {
    std::uint8_t bytes[headroom + whole_bytes_max + 1];
  };

  [[nodiscard]] std::uint32_t find(const FlowKey& key, std::uint32_t identification) const noexcept;
  [[nodiscard]] std::uint32_t begin(const FlowKey& key, std::uint32_t identification, Tick now) noexcept;
  [[nodiscard]] std::uint32_t release_pieces(Datagram& datagram, Release release, void* context) noexcept;
  void end(std::uint32_t number) noexcept;
  void take_out(Datagram& datagram, std::uint32_t piece_number) noexcept;
  [[nodiscard]] bool place(Datagram& datagram, std::uint32_t piece_number, bool& duplicate) noexcept;
  [[nodiscard]] bool assemble(const Datagram& datagram, Packet& whole) noexcept;
  [[nodiscard]] std::uint64_t hash_of(const FlowKey& key, std::uint32_t identification) const noexcept {
    return hash_(key, std::uint64_t{identification} << 8U | 3U);
  }

  Slots<Piece> pieces_;
  Slots<Datagram> datagrams_;
  Slots<Whole> wholes_;
  KeyIndex index_;
  const KeyHash& hash_;
  std::uint32_t timeout_ms_;
  std::uint32_t oldest_ = 0;
  std::uint32_t newest_ = 0;
};

}  // namespace sallyport::dataplane
