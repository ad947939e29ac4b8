#include "dataplane/stages/reassemble.h"

#include <algorithm>
#include <cstring>

#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"
#include "dataplane/wire/traffic_class.h"

namespace sallyport::dataplane {
namespace {

using namespace wire;

// What the later stages look at of it.
std::uint32_t transport_header(std::uint8_t protocol) noexcept {
  switch (static_cast<IpProtocol>(protocol)) {
    case IpProtocol::tcp:
      return sizeof(Tcp);
    case IpProtocol::sctp:
      return sizeof(Sctp);
    default:
      return sizeof(Udp);
  }
}

constexpr std::uint32_t payload_max = 65535;
constexpr std::uint32_t share_min = 64;  // a datagram of 64 KiB over Ethernet

// RFC 3168 section 5.3: where one piece is marked, the whole is; but not where its sender cannot have meant that.
constexpr unsigned not_capable = 1U << 0U, congested = 1U << 3U;
[[nodiscard]] bool contradict(unsigned marks) noexcept {
  return (marks & (not_capable | congested)) == (not_capable | congested);
}

}  // namespace

Arrival arrival_of(const Packet& packet, const Parsed& parsed) noexcept {
  const bool tagged = parsed.l3_offset >= sizeof(Ethernet) + sizeof(VlanTag);
  const std::uint16_t tag = tagged ? at<VlanTag>(packet.data + parsed.l3_offset - sizeof(VlanTag)).control.get() : 0;
  return {packet.port, packet.hairpin, false, static_cast<std::uint16_t>(tag & 0x0fffU), {}};
}

Reassembler::Reassembler(std::uint32_t fragments_max, std::uint32_t timeout_ms, std::uint32_t wholes,
                         const KeyHash& hash)
    : pieces_(fragments_max),
      datagrams_(fragments_max),
      wholes_(wholes),
      shares_(shares_count),
      share_max_(std::max(fragments_max / 4, share_min)),
      index_(fragments_max),
      hash_(hash),
      timeout_ms_(timeout_ms) {}

std::uint64_t Reassembler::hash_of(const Arrival& from) const noexcept {
  const std::uint64_t way =
      std::uint64_t{from.port} << 56U ^ std::uint64_t{from.hairpin} << 55U ^ std::uint64_t{from.tag} << 40U;
  if (!from.tunnelled) return way;
  std::uint64_t mac = 0;
  for (const std::uint8_t byte : from.peer.mac) mac = mac << 8U | byte;
  return hash_(from.peer.remote, way ^ mac ^ std::uint64_t{from.peer.id} << 16U);
}

std::uint32_t Reassembler::find(const Name& name) const noexcept {
  const std::uint32_t found = index_.find(hash_of(name), [&](std::uint32_t n) {
    const Datagram& other = datagrams_[n];
    return other.identification == name.identification && other.key == name.key && other.from == name.from;
  });
  return found == KeyIndex::none ? 0 : found;
}

Reassembler::Datagram Reassembler::datagram_of(const Name& name) noexcept {
  Datagram datagram{};
  datagram.key = name.key;
  datagram.from = name.from;
  datagram.identification = name.identification;
  datagram.hops_left = UINT8_MAX;
  return datagram;
}

std::uint32_t Reassembler::begin(const Name& name, Tick now) noexcept {
  const std::uint32_t number = datagrams_.take();
  if (number == 0) return 0;
  if (!index_.insert(hash_of(name), number)) {
    datagrams_.give_back(number);
    return 0;
  }
  Datagram& datagram = datagrams_[number];
  datagram = datagram_of(name);
  datagram.since = now;
  datagram.older = newest_;
  (newest_ != 0 ? datagrams_[newest_].newer : oldest_) = number;
  newest_ = number;
  ++share_of(name);
  return number;
}

std::uint32_t Reassembler::release_pieces(Datagram& datagram, Release release, void* context) noexcept {
  std::uint32_t weight = 0;
  for (std::uint32_t n = datagram.first_piece; n != 0;) {
    const std::uint32_t next = pieces_[n].next;
    weight += pieces_[n].packet.weight;
    release(context, {&pieces_[n].packet, 1});
    pieces_.give_back(n);
    n = next;
  }
  share_of(name_of(datagram)) -= datagram.pieces;
  datagram.first_piece = 0;
  datagram.pieces = 0;
  return weight;
}

void Reassembler::end(std::uint32_t number) noexcept {
  const Datagram& datagram = datagrams_[number];
  (datagram.older != 0 ? datagrams_[datagram.older].newer : oldest_) = datagram.newer;
  (datagram.newer != 0 ? datagrams_[datagram.newer].older : newest_) = datagram.older;
  const Name name = name_of(datagram);
  --share_of(name);
  index_.erase(hash_of(name), number);
  datagrams_.give_back(number);
}

// Puts a piece in its place by offset. False: it overlaps another one, `duplicate` where it is the very same.
bool Reassembler::place(Datagram& datagram, std::uint32_t piece_number, bool& duplicate) noexcept {
  Piece& piece = pieces_[piece_number];
  std::uint32_t before = 0;
  std::uint32_t after = datagram.first_piece;
  while (after != 0 && pieces_[after].offset < piece.offset) {
    before = after;
    after = pieces_[after].next;
  }
  if (after != 0 && pieces_[after].offset == piece.offset && pieces_[after].length == piece.length) {
    const Piece& twin = pieces_[after];
    duplicate = std::memcmp(twin.packet.data + twin.data, piece.packet.data + piece.data, piece.length) == 0;
    return false;
  }
  if (before != 0 && pieces_[before].offset + pieces_[before].length > piece.offset) return false;
  if (after != 0 && piece.offset + piece.length > pieces_[after].offset) return false;
  piece.next = after;
  (before != 0 ? pieces_[before].next : datagram.first_piece) = piece_number;
  return true;
}

// Takes the newcomer out again, so that it stays the caller's.
void Reassembler::take_out(Datagram& datagram, std::uint32_t piece_number) noexcept {
  for (std::uint32_t* link = &datagram.first_piece; *link != 0; link = &pieces_[*link].next) {
    if (*link != piece_number) continue;
    *link = pieces_[piece_number].next;
    break;
  }
  pieces_.give_back(piece_number);
}

// What a piece that has its place says of its datagram.
void Reassembler::note(Datagram& datagram, const Packet& packet, const Parsed& parsed) noexcept {
  const std::uint32_t end_of_piece = parsed.fragment_offset + parsed.l4_bytes();
  datagram.received += parsed.l4_bytes();
  datagram.reach = std::max(datagram.reach, end_of_piece);
  if (!parsed.more_fragments) datagram.total = end_of_piece;
  datagram.hops_left = std::min(datagram.hops_left, parsed.ttl);
  const unsigned codepoint = traffic_class(packet.data + parsed.l3_offset) & ecn_bits;
  datagram.marks = static_cast<std::uint8_t>(datagram.marks | 1U << codepoint);
  if (parsed.fragment_offset != 0) return;
  datagram.l3_offset = parsed.l3_offset;
  datagram.header_end =
      static_cast<std::uint16_t>(parsed.fragment_header != 0 ? parsed.fragment_header : parsed.l4_offset);
  datagram.unfragmentable_next = parsed.unfragmentable_next;
}

Reassembler::Result Reassembler::add(const Packet& packet, const Parsed& parsed, const Arrival& from, Tick now,
                                     Packet& whole, Drop& why, std::uint32_t& also, Release release,
                                     void* context) noexcept {
  also = 0;
  const auto refuse = [&](Drop reason) {
    why = reason;
    return Result::dropped;
  };
  const std::uint32_t length = parsed.l4_bytes();
  if (length == 0 || parsed.fragment_offset + length > payload_max) return refuse(Drop::fragment_bad);
  if (parsed.more_fragments && length % 8 != 0) return refuse(Drop::fragment_bad);
  if (parsed.is_atomic()) {
    if (!assemble_atomic(packet, parsed, whole)) return refuse(Drop::fragments_full);
    Packet piece = packet;
    release(context, {&piece, 1});
    return Result::whole;
  }
  const bool first = parsed.fragment_offset == 0;
  if (first && !holds_all_headers(packet, parsed)) return refuse(Drop::fragment_tiny);
  // RFC 3128: a second fragment that would rewrite the transport header of the first.
  if (!first && parsed.fragment_offset < transport_header(parsed.ip_protocol)) return refuse(Drop::fragment_tiny);

  FlowKey key = parsed.key;
  key.protocol = static_cast<IpProtocol>(parsed.key.family == Family::v4 ? parsed.ip_protocol : 0);
  const Name name{key, from, parsed.identification};
  std::uint32_t number = find(name);
  if (share_of(name) + (number == 0 ? 2 : 1) > share_max_) return refuse(Drop::fragments_full);
  if (number == 0) number = begin(name, now);
  if (number == 0) return refuse(Drop::fragments_full);
  Datagram& datagram = datagrams_[number];
  if (datagram.poisoned) return refuse(Drop::fragment_overlap);

  const std::uint32_t piece_number = pieces_.take();
  if (piece_number == 0) {
    if (datagram.pieces == 0) end(number);
    return refuse(Drop::fragments_full);
  }
  pieces_[piece_number] = {packet, parsed.fragment_offset, length, parsed.l4_offset, 0};
  const auto refuse_all = [&](Drop reason) {
    take_out(datagram, piece_number);
    also = release_pieces(datagram, release, context);
    return refuse(reason);
  };
  bool duplicate = false;
  if (!place(datagram, piece_number, duplicate)) {
    if (duplicate) {
      pieces_.give_back(piece_number);
      return refuse(Drop::fragment_overlap);
    }
    datagram.poisoned = true;
    return refuse_all(Drop::fragment_overlap);
  }
  const std::uint32_t end_of_piece = parsed.fragment_offset + length;
  const bool ends_elsewhere = parsed.more_fragments ? datagram.total != 0 && end_of_piece > datagram.total
                                                    : datagram.total != 0 || end_of_piece < datagram.reach;
  if (ends_elsewhere) {
    datagram.poisoned = true;
    return refuse_all(Drop::fragment_overlap);
  }

  ++datagram.pieces;
  ++share_of(name);
  note(datagram, packet, parsed);
  if (datagram.total == 0 || datagram.received != datagram.total) return Result::held;

  const bool contradictory = contradict(datagram.marks);
  if (contradictory || !assemble(datagram, pieces_[datagram.first_piece], whole)) {
    const Result result = refuse_all(contradictory ? Drop::fragment_bad : Drop::fragments_full);
    end(number);
    return result;
  }
  (void)release_pieces(datagram, release, context);
  end(number);
  return Result::whole;
}

// Pieces of so many bytes hold what those that came held, each under the header that forward() will repeat; so they are
// no more than these, whatever headers these had.
std::uint16_t Reassembler::size_to_cut(const Datagram& datagram, const Piece& first) const noexcept {
  const bool v4 = datagram.key.family == Family::v4;
  const std::uint32_t header =
      datagram.header_end - std::uint32_t{datagram.l3_offset} + (v4 ? 0U : std::uint32_t{sizeof(Ipv6Fragment)});
  std::uint32_t longest = 0;
  for (const Piece* piece = &first; piece != nullptr; piece = next(*piece)) longest = std::max(longest, piece->length);
  return static_cast<std::uint16_t>(std::min(header + longest, payload_max));
}

bool Reassembler::assemble(const Datagram& datagram, const Piece& first, Packet& whole) noexcept {
  if (datagram.header_end + datagram.total > whole_bytes_max) return false;
  const std::uint32_t slot = wholes_.take();
  if (slot == 0) return false;

  whole = first.packet;
  whole.data = wholes_[slot].bytes + headroom;
  whole.headroom = headroom;
  whole.buffer = &wholes_[slot];
  whole.reassembled = true;
  whole.length = datagram.header_end + datagram.total;
  whole.weight = 0;
  whole.fragment_id = datagram.identification;
  std::memcpy(whole.data, first.packet.data, datagram.header_end);
  for (const Piece* piece = &first; piece != nullptr; piece = next(*piece)) {
    std::memcpy(whole.data + datagram.header_end + piece->offset, piece->packet.data + piece->data, piece->length);
    whole.weight = static_cast<std::uint16_t>(whole.weight + piece->packet.weight);
  }
  whole.fragment_size = size_to_cut(datagram, first);

  std::uint8_t* l3 = whole.data + datagram.l3_offset;
  const std::uint32_t l3_bytes = whole.length - datagram.l3_offset;
  if (datagram.key.family == Family::v4) {
    auto& ip = at<Ipv4>(l3);
    Delta delta;
    const auto set = [&](Be16& field, std::uint16_t value) {
      const std::uint16_t before = field.raw();
      field = value;
      delta.replace(before, field.raw());
    };
    set(ip.total_length, static_cast<std::uint16_t>(l3_bytes));
    set(ip.fragment, ip.fragment.get() & Ipv4::dont_fragment);
    update(ip.checksum, delta);
  } else {
    const auto& header = at<Ipv6Fragment>(first.packet.data + datagram.header_end);
    whole.data[datagram.unfragmentable_next] = header.next_header;
    at<Ipv6>(l3).payload_length = static_cast<std::uint16_t>(l3_bytes - sizeof(Ipv6));
  }
  put_hops_and_marks(datagram, l3);
  return true;
}

void Reassembler::put_hops_and_marks(const Datagram& datagram, std::uint8_t* l3) noexcept {
  if ((datagram.marks & congested) != 0) set_traffic_class(l3, static_cast<std::uint8_t>(traffic_class(l3) | ecn_bits));
  if (datagram.key.family == Family::v6) {
    at<Ipv6>(l3).hop_limit = datagram.hops_left;
    return;
  }
  auto& ip = at<Ipv4>(l3);
  const Be16 before = at<Be16>(&ip.ttl);
  ip.ttl = datagram.hops_left;
  Delta delta;
  delta.replace(before.raw(), at<Be16>(&ip.ttl).raw());
  update(ip.checksum, delta);
}

bool Reassembler::assemble_atomic(const Packet& packet, const Parsed& parsed, Packet& whole) noexcept {
  Datagram datagram = datagram_of({parsed.key, {}, parsed.identification});
  note(datagram, packet, parsed);
  return assemble(datagram, {packet, 0, parsed.l4_bytes(), parsed.l4_offset, 0}, whole);
}

std::uint32_t Reassembler::make_room(const Parsed& parsed, Release release, void* context) noexcept {
  std::uint32_t weight = 0;
  if (parsed.is_atomic()) return weight;
  while (oldest_ != 0 && (pieces_.exhausted() || datagrams_.exhausted())) {
    weight += release_pieces(datagrams_[oldest_], release, context);
    end(oldest_);
  }
  return weight;
}

std::uint32_t Reassembler::expire(Tick now, Release release, void* context) noexcept {
  std::uint32_t weight = 0;
  while (oldest_ != 0 && since(datagrams_[oldest_].since, now) >= static_cast<std::int32_t>(timeout_ms_)) {
    weight += release_pieces(datagrams_[oldest_], release, context);
    end(oldest_);
  }
  return weight;
}

void Reassembler::give_back(const Packet& whole) noexcept {
  const auto* slot = static_cast<const Whole*>(whole.buffer);
  wholes_.give_back(static_cast<std::uint32_t>(slot - &wholes_[0]));
}

std::size_t Reassembler::bytes() const noexcept {
  return pieces_.bytes() + datagrams_.bytes() + wholes_.bytes() + shares_.bytes() + index_.bytes();
}

}  // namespace sallyport::dataplane
