// Datagrams in pieces: the model gateway puts them together before anything else is asked about them.
#include <algorithm>

#include "gateway_model.h"

namespace sallyport::model {
namespace {

// Where no later piece may begin (RFC 3128).
std::size_t transport_header(std::uint8_t p) {
  if (p == protocol::tcp) return 20;
  return p == protocol::sctp ? 12 : 8;
}

// RFC 1858, RFC 7112: the first piece has all extension headers, of which there may be eight, and the transport's.
bool has_all_headers(const Bytes& frame, const Layers& at) {
  std::size_t header = at.transport;
  std::uint8_t kind = at.protocol;
  for (unsigned seen = 0; at.family == Family::v6 && seen < 8; ++seen) {
    if (kind != 0 && kind != 43 && kind != 51 && kind != 60) break;
    if (header + 8 > at.end) return false;
    const std::size_t bytes = kind == 51 ? (frame[header + 1] + 2U) * 4U : (frame[header + 1] + 1U) * 8U;
    kind = frame[header];
    header += bytes;
    if (header > at.end) return false;
  }
  if (kind == 59) return true;
  if (header + transport_header(kind) > at.end) return false;
  return kind != protocol::tcp || header + (frame[header + 12] >> 4U) * 4U <= at.end;
}

std::uint8_t traffic_class(const Bytes& frame, const Layers& at) {
  if (at.family == Family::v4) return frame[at.ip + 1];
  return static_cast<std::uint8_t>(get16(frame, at.ip) >> 4U);
}

}  // namespace

std::optional<Drop> GatewayModel::impossible(const Packet& piece) {
  const Reading& is = piece.is;
  const std::size_t bytes = is.at.transport_bytes();
  if (bytes == 0 || is.offset + bytes > 65535 || (is.more && bytes % 8 != 0)) return Drop::fragment_bad;
  if (is.offset == 0 && !is.more) return std::nullopt;  // all there, and read as such
  const bool good =
      is.offset == 0 ? has_all_headers(piece.frame, is.at) : is.offset >= transport_header(is.at.protocol);
  return good ? std::nullopt : std::optional(Drop::fragment_tiny);
}

// What its sender may not send does not wait.
bool GatewayModel::may_wait(const Packet& piece) {
  const IpAddress& to = piece.is.to.ip;
  if (piece.hairpin || is_local(to)) return true;
  Drop why{};
  if (is_martian(piece, why)) {
    is_for_all_on_link(to) ? to_kernel(piece) : drop(piece, why);
    return false;
  }
  if (!piece.from_inside() || !fails_source_check(piece)) return true;
  drop(piece, Drop::source_check);
  return false;
}

void GatewayModel::collect(Packet& piece) {
  if (!may_wait(piece)) return;
  const Reading& is = piece.is;
  if (const auto why = impossible(piece)) return drop(piece, *why);
  // RFC 6946: all of a datagram, whatever others have its identification.
  if (is.offset == 0 && !is.more) return assemble({.pieces = {{0, piece}}});
  const DatagramName name{piece.port, is.from.ip, is.to.ip,
                          is.at.family == Family::v4 ? is.at.protocol : std::uint8_t{0}, is.identification};
  Datagram& datagram = datagrams_.try_emplace(name, Datagram{.since = now_}).first->second;
  if (datagram.poisoned) return drop(piece, Drop::fragment_overlap);

  const auto data = [](const Packet& p) {
    return Bytes(p.frame.begin() + static_cast<std::ptrdiff_t>(p.is.at.transport),
                 p.frame.begin() + static_cast<std::ptrdiff_t>(p.is.at.end));
  };
  const std::size_t end = is.offset + is.at.transport_bytes();
  const auto twin = datagram.pieces.find(is.offset);
  if (twin != datagram.pieces.end() && data(twin->second) == data(piece)) return drop(piece, Drop::fragment_overlap);
  bool conflict = false;
  std::size_t reach = 0;
  for (const auto& [offset, other] : datagram.pieces) {
    const std::size_t other_end = offset + other.is.at.transport_bytes();
    conflict = conflict || (is.offset < other_end && offset < end);
    reach = std::max(reach, other_end);
  }
  // The last piece says where all others end.
  if (is.more) {
    conflict = conflict || (datagram.total && end > *datagram.total);
  } else {
    conflict = conflict || datagram.total || end < reach;
  }
  if (conflict) {
    drop(piece, Drop::fragment_overlap);
    drop_pieces(datagram, Drop::fragment_overlap);
    datagram.pieces.clear();
    datagram.poisoned = true;
    return;
  }
  if (!is.more) datagram.total = end;
  datagram.pieces.emplace(is.offset, piece);
  std::size_t bytes = 0;
  for (const auto& [offset, one] : datagram.pieces) bytes += one.is.at.transport_bytes();
  if (!datagram.total || bytes != *datagram.total) return;
  Datagram whole = std::move(datagram);
  datagrams_.erase(name);
  assemble(std::move(whole));
}

void GatewayModel::drop_pieces(const Datagram& datagram, Drop why) {
  for (const auto& [offset, piece] : datagram.pieces) drop(piece, why);
}

void GatewayModel::assemble(Datagram datagram) {
  std::uint8_t hops_left = 255;
  std::set<unsigned> codepoints;
  for (const auto& [offset, piece] : datagram.pieces) {
    hops_left = std::min(hops_left, piece.is.ttl);
    codepoints.insert(traffic_class(piece.frame, piece.is.at) & 3U);
  }
  const bool congested = codepoints.contains(3);
  if (congested && codepoints.contains(0)) return drop_pieces(datagram, Drop::fragment_bad);
  Packet whole = datagram.pieces.at(0);
  const Reading first = whole.is;
  const bool v4 = first.at.family == Family::v4;
  whole.frame.resize(v4 ? first.at.transport : first.fragment_header);
  whole.weight = 0;
  whole.fragment_identification = first.identification;
  for (const auto& [offset, piece] : datagram.pieces) {
    const Layers& at = piece.is.at;
    whole.frame.insert(whole.frame.end(), piece.frame.begin() + static_cast<std::ptrdiff_t>(at.transport),
                       piece.frame.begin() + static_cast<std::ptrdiff_t>(at.end));
    whole.weight += piece.weight;
    whole.largest_fragment = std::max(whole.largest_fragment, piece.is.ip_bytes());
  }
  const auto bytes = static_cast<std::uint32_t>(whole.frame.size() - first.at.ip);
  if (v4) {
    put16(whole.frame, first.at.ip + 2, bytes);
    put16(whole.frame, first.at.ip + 6, first.dont_fragment ? 0x4000 : 0);
  } else {
    whole.frame[first.names_fragment_header] = first.at.protocol;
    put16(whole.frame, first.at.ip + 4, bytes - 40);
  }
  whole.frame[first.at.ip + (v4 ? 8 : 7)] = hops_left;
  if (congested) whole.frame[first.at.ip + 1] |= v4 ? std::uint8_t{3} : std::uint8_t{0x30};  // RFC 3168 section 5.3
  settle_header(whole.frame, first.at);
  handle(std::move(whole));
}

void GatewayModel::expire_datagrams() {
  const auto patience = static_cast<std::uint64_t>(site_.settings.nat.fragment_timeout.count());
  std::erase_if(datagrams_, [&](const auto& entry) {
    if (now_ < entry.second.since + patience) return false;
    drop_pieces(entry.second, Drop::fragment_timeout);
    return true;
  });
}

}  // namespace sallyport::model
