// Datagrams that come in pieces (RFC 791 section 3.2, RFC 8200 section 4.5).
//
// Fragments wait, in any order, until their datagram is whole; then the pipeline sees one packet, and forward() cuts it
// again no larger than it came, with the fewest hops left that a piece had, and congestion marked where one was. What
// overlaps is thrown away with all of its datagram, later pieces included (RFC 5722, done for IPv4 alike); a first
// fragment that does not hold all headers, the transport's options included, is refused (RFC 1858, 7112).
//
// Addresses and identification are anybody's to write, so pieces are of one datagram only where they came the same way:
// else one side could finish, or spoil, what the other has begun. A datagram that comes in one piece with a fragment
// header has nothing to do with others of its identification (RFC 6946). All memory is taken at start. One sender gets
// a quarter of it; when all is taken, the datagram that has waited longest gives way, for the rest of one that will be
// whole follows at once.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/drop.h"
#include "dataplane/flow/flow.h"
#include "dataplane/flow/key_hash.h"
#include "dataplane/flow/key_index.h"
#include "dataplane/flow/memory.h"
#include "dataplane/flow/slots.h"
#include "dataplane/packet.h"
#include "dataplane/stages/parse.h"
#include "dataplane/tunnels.h"

namespace sallyport::dataplane {

// The way on which a fragment came in. Compared as a whole.
struct Arrival {
  PortIndex port = no_port;
  bool hairpin = false;
  bool tunnelled = false;
  std::uint16_t tag = 0;  // the VLAN's, where several come in by one port
  TunnelPeer peer;        // who sent it through a tunnel

  friend bool operator==(const Arrival&, const Arrival&) noexcept = default;
};
// Of a packet that came through no tunnel.
[[nodiscard]] Arrival arrival_of(const Packet& packet, const Parsed& parsed) noexcept;

class Reassembler {
 public:
  static constexpr std::uint32_t whole_bytes_max = 65535 + 64;  // an IP packet and the link header in front
  static constexpr std::uint32_t headroom = 128;

  // Takes pieces back; the World's release, as a function of the user's.
  using Release = void (*)(void* context, std::span<Packet> packets);

  Reassembler(std::uint32_t fragments_max, std::uint32_t timeout_ms, std::uint32_t wholes, const KeyHash& hash);

  enum class Result : std::uint8_t { held, whole, dropped };
  // Takes a packet whose Parsed says fragment. `whole`: the datagram, to be given back before the call that brought its
  // last piece is over; its pieces go to `release`. `dropped`: this packet stays the caller's and ends under `why`;
  // pieces of its datagram that were held went to `release` and end under it, too, packets of a weight of `also`.
  [[nodiscard]] Result add(const Packet& packet, const Parsed& parsed, const Arrival& from, Tick now, Packet& whole,
                           Drop& why, std::uint32_t& also, Release release, void* context) noexcept;
  // Makes room for this piece, where it has to wait and there is none; answers the weight of those that had to go.
  [[nodiscard]] std::uint32_t make_room(const Parsed& parsed, Release release, void* context) noexcept;
  // Ends what waited too long; answers its weight.
  [[nodiscard]] std::uint32_t expire(Tick now, Release release, void* context) noexcept;
  void give_back(const Packet& whole) noexcept;
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
    FlowKey key;  // addresses and protocol
    Arrival from;
    std::uint32_t identification;
    std::uint32_t first_piece;
    std::uint32_t pieces;
    std::uint32_t received;    // payload bytes so far
    std::uint32_t total;       // payload bytes in all, 0 while the last piece is missing
    std::uint32_t reach;       // the end of the farthest piece
    std::uint16_t header_end;  // offsets in the piece that begins the datagram, once it came
    std::uint16_t l3_offset;
    std::uint16_t unfragmentable_next;
    std::uint8_t hops_left;  // the least TTL of the pieces
    std::uint8_t marks;      // their ECN codepoints, a bit each
    bool poisoned;
    Tick since;
    std::uint32_t older, newer;  // by arrival
  };
  struct Whole {
    std::uint8_t bytes[headroom + whole_bytes_max + 1];
  };
  // What tells datagrams apart.
  struct Name {
    const FlowKey& key;
    const Arrival& from;
    std::uint32_t identification;
  };

  [[nodiscard]] std::uint32_t find(const Name& name) const noexcept;
  [[nodiscard]] std::uint32_t begin(const Name& name, Tick now) noexcept;
  [[nodiscard]] std::uint32_t release_pieces(Datagram& datagram, Release release, void* context) noexcept;
  void end(std::uint32_t number) noexcept;
  void take_out(Datagram& datagram, std::uint32_t piece_number) noexcept;
  [[nodiscard]] bool place(Datagram& datagram, std::uint32_t piece_number, bool& duplicate) noexcept;
  [[nodiscard]] static Datagram datagram_of(const Name& name) noexcept;
  static void note(Datagram& datagram, const Packet& packet, const Parsed& parsed) noexcept;
  static void put_hops_and_marks(const Datagram& datagram, std::uint8_t* l3) noexcept;
  [[nodiscard]] const Piece* next(const Piece& piece) const noexcept {
    return piece.next != 0 ? &pieces_[piece.next] : nullptr;
  }
  [[nodiscard]] std::uint16_t size_to_cut(const Datagram& datagram, const Piece& first) const noexcept;
  [[nodiscard]] bool assemble(const Datagram& datagram, const Piece& first, Packet& whole) noexcept;
  [[nodiscard]] bool assemble_atomic(const Packet& packet, const Parsed& parsed, Packet& whole) noexcept;
  [[nodiscard]] static Name name_of(const Datagram& datagram) noexcept {
    return {datagram.key, datagram.from, datagram.identification};
  }
  [[nodiscard]] std::uint64_t hash_of(const Arrival& from) const noexcept;
  [[nodiscard]] std::uint64_t hash_of(const Name& name) const noexcept {
    return hash_(name.key, std::uint64_t{name.identification} << 8U ^ hash_of(name.from) ^ 3U);
  }
  // What a sender has: its datagrams and their pieces. Senders share a counter by their hash.
  [[nodiscard]] std::uint32_t& share_of(const Name& name) noexcept {
    return shares_[hash_(name.key.source_address(), hash_of(name.from) ^ 4U) % shares_count];
  }

  static constexpr std::size_t shares_count = 4096;

  Slots<Piece> pieces_;
  Slots<Datagram> datagrams_;
  Slots<Whole> wholes_;
  Block<std::uint32_t> shares_;
  std::uint32_t share_max_;
  KeyIndex index_;
  const KeyHash& hash_;
  std::uint32_t timeout_ms_;
  std::uint32_t oldest_ = 0;
  std::uint32_t newest_ = 0;
};

}  // namespace sallyport::dataplane
