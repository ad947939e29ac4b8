#include "wire_model.h"

#include <algorithm>
#include <utility>

namespace sallyport::model {
namespace {

std::uint32_t crc32c(const Bytes& bytes, std::size_t from, std::size_t to, std::size_t zeros_at) {
  std::uint32_t crc = ~0U;
  for (std::size_t i = from; i < to; ++i) {
    crc ^= i >= zeros_at && i < zeros_at + 4 ? 0U : bytes[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? crc >> 1U ^ 0x82f63b78U : crc >> 1U;
  }
  return ~crc;
}

// Where the transport's checksum lies, if it has one and it is there.
std::optional<std::size_t> checksum_at(const Layers& at) {
  std::size_t offset = 0;
  switch (at.protocol) {
    case protocol::tcp:
      offset = 16;
      break;
    case protocol::udp:
    case protocol::udp_lite:
    case protocol::dccp:
      offset = 6;
      break;
    case protocol::icmp:
    case protocol::icmp6:
      offset = 2;
      break;
    default:
      return std::nullopt;
  }
  if (at.transport_bytes() < offset + 2) return std::nullopt;
  return at.transport + offset;
}

// What the checksum at `field` should be, as a number modulo 65535.
std::uint32_t right_checksum(const Bytes& frame, const Layers& at, std::size_t field) {
  std::uint32_t sum = add_words(0, frame, at.transport, field);
  sum = add_words(sum, frame, field + 2, at.end);
  if (at.protocol != protocol::icmp) {
    const std::size_t addresses = source_at(at);
    sum = add_words(sum, frame, addresses, addresses + 2 * address_bytes(at.family));
    sum += at.protocol + static_cast<std::uint32_t>(at.transport_bytes());
  }
  return (65535 - sum % 65535) % 65535;
}

void put_end(Bytes& frame, const Layers& at, std::size_t address, std::size_t port, const End& end) {
  put_address(frame, address, end.ip);
  if (protocol::has_ports(at.protocol)) put16(frame, port, end.port);
}

}  // namespace

std::uint32_t add_words(std::uint32_t sum, const Bytes& bytes, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; i += 2) {
    sum += std::uint32_t{bytes[i]} << 8U | (i + 1 < to ? bytes[i + 1] : 0U);
    sum = (sum & 0xffffU) + (sum >> 16U);
  }
  return sum;
}

std::size_t source_at(const Layers& at) { return at.ip + (at.family == Family::v4 ? 12 : 8); }
std::size_t destination_at(const Layers& at) { return at.ip + (at.family == Family::v4 ? 16 : 24); }

std::string to_string(const End& end) { return to_string(end.ip) + " port " + std::to_string(end.port); }

std::uint16_t get16(const Bytes& bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes.at(at) << 8U | bytes.at(at + 1));
}
std::uint32_t get32(const Bytes& bytes, std::size_t at) {
  return std::uint32_t{get16(bytes, at)} << 16U | get16(bytes, at + 2);
}
void put16(Bytes& bytes, std::size_t at, std::uint32_t value) {
  bytes.at(at) = static_cast<std::uint8_t>(value >> 8U);
  bytes.at(at + 1) = static_cast<std::uint8_t>(value);
}
void put32(Bytes& bytes, std::size_t at, std::uint32_t value) {
  put16(bytes, at, value >> 16U);
  put16(bytes, at + 2, value);
}
void put_address(Bytes& bytes, std::size_t at, const IpAddress& address) {
  std::copy_n(address.bytes.begin(), address_bytes(address.family), bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

std::optional<std::uint32_t> wrong_by(const Bytes& frame, const Layers& at) {
  if (at.protocol == protocol::sctp) {
    const std::size_t field = at.transport + 8;
    return get32(frame, field) ^ __builtin_bswap32(crc32c(frame, at.transport, at.end, field));
  }
  const auto field = checksum_at(at);
  if (!field) return std::nullopt;
  const std::uint32_t stored = get16(frame, *field);
  if ((at.protocol == protocol::udp || at.protocol == protocol::udp_lite) && stored == 0) return std::nullopt;
  return (stored + 65535 - right_checksum(frame, at, *field)) % 65535;
}

void settle(Bytes& frame, const Layers& at, const std::optional<std::uint32_t>& wrong) {
  if (!wrong) return;
  if (at.protocol == protocol::sctp) {
    const std::size_t field = at.transport + 8;
    put32(frame, field, *wrong ^ __builtin_bswap32(crc32c(frame, at.transport, at.end, field)));
    return;
  }
  const auto field = checksum_at(at);
  if (!field) return;
  std::uint32_t value = (right_checksum(frame, at, *field) + *wrong) % 65535;
  // UDP: zero means none, or nothing. ICMP: where all else is zero a zero is wrong, and 0xffff always as good.
  const bool never_zero =
      at.protocol == protocol::udp || at.protocol == protocol::udp_lite || protocol::is_icmp(at.protocol);
  if (never_zero && value == 0) value = 0xffff;
  put16(frame, *field, value);
}

void settle_right(Bytes& frame, const Layers& at) {
  settle(frame, at, 0);
  if (!protocol::is_icmp(at.protocol)) return;
  // RFC 1071 to the letter: 0xffff only if all is zero.
  const std::size_t field = at.transport + 2;
  const bool zero = std::all_of(frame.begin() + static_cast<std::ptrdiff_t>(at.transport),
                                frame.begin() + static_cast<std::ptrdiff_t>(at.end),
                                [&, i = at.transport](std::uint8_t byte) mutable {
                                  const bool in_field = i == field || i == field + 1;
                                  ++i;
                                  return in_field || byte == 0;
                                });
  if (get16(frame, field) == 0xffff && !(zero && at.family == Family::v4)) put16(frame, field, 0);
}

void settle_header(Bytes& frame, const Layers& at) {
  if (at.family != Family::v4) return;
  put16(frame, at.ip + 10, 0);
  const std::size_t header = (frame[at.ip] & 15U) * 4U;
  put16(frame, at.ip + 10, ~add_words(0, frame, at.ip, at.ip + header) & 0xffffU);
}

void put_source(Bytes& frame, const Layers& at, const End& end) {
  put_end(frame, at, source_at(at), at.transport, end);
  if (protocol::is_icmp(at.protocol)) put16(frame, at.transport + 4, end.port);
}
void put_destination(Bytes& frame, const Layers& at, const End& end) {
  put_end(frame, at, destination_at(at), at.transport + 2, end);
}

Layers begin_packet(Bytes& frame, const IpAddress& from, const IpAddress& to, std::uint8_t protocol,
                    std::size_t transport_bytes) {
  Layers at;
  at.family = from.family;
  at.protocol = protocol;
  at.ip = frame.size();
  const bool v4 = at.family == Family::v4;
  at.transport = at.ip + (v4 ? 20 : 40);
  at.end = at.transport + transport_bytes;
  frame.resize(at.end);
  const std::size_t ip = at.ip;
  if (v4) {
    frame[ip] = 0x45;
    put16(frame, ip + 2, static_cast<std::uint32_t>(20 + transport_bytes));
    put16(frame, ip + 6, 0x4000);
    frame[ip + 8] = 64;
    frame[ip + 9] = protocol;
  } else {
    frame[ip] = 0x60;
    put16(frame, ip + 4, static_cast<std::uint32_t>(transport_bytes));
    frame[ip + 6] = protocol;
    frame[ip + 7] = 64;
  }
  put_address(frame, ip + (v4 ? 12 : 8), from);
  put_address(frame, ip + (v4 ? 16 : 24), to);
  settle_header(frame, at);
  return at;
}

void put_link_type(Bytes& link, Family family) {
  const bool v4 = family == Family::v4;
  link.push_back(v4 ? 0x08 : 0x86);
  link.push_back(v4 ? 0x00 : 0xdd);
}

namespace {

// Where the fragment header goes: behind hop-by-hop options and the routing header; and which byte names what is there.
std::pair<std::size_t, std::size_t> fragmentable(const Bytes& frame, std::size_t ip) {
  std::size_t end = ip + 40, names = ip + 6;
  std::size_t at = end, named_at = names;
  for (std::uint8_t next = frame[names]; next == 0 || next == 43 || next == 60; next = frame[named_at]) {
    named_at = at;
    at += (frame[at + 1] + 1U) * 8U;
    if (next == 60) continue;
    end = at;
    names = named_at;
  }
  return {end, names};
}

// RFC 791 section 3.1: options without the copied flag are the first fragment's alone; no-operations keep their place.
void leave_uncopied_out(Bytes& piece) {
  const std::size_t end = (piece[0] & 15U) * 4U;
  for (std::size_t i = 20; i < end && piece[i] != 0;) {
    const std::size_t bytes = piece[i] == 1 ? 1 : piece[i + 1];
    if (piece[i] < 128) std::fill_n(piece.begin() + static_cast<std::ptrdiff_t>(i), bytes, std::uint8_t{1});
    i += bytes;
  }
}

Bytes piece_of(const Bytes& frame, const Layers& at, std::size_t header, std::size_t offset, std::size_t bytes) {
  Bytes piece(frame.begin() + static_cast<std::ptrdiff_t>(at.ip), frame.begin() + static_cast<std::ptrdiff_t>(header));
  if (at.family == Family::v6) piece.resize(piece.size() + 8);
  const auto from = frame.begin() + static_cast<std::ptrdiff_t>(header + offset);
  piece.insert(piece.end(), from, from + static_cast<std::ptrdiff_t>(bytes));
  return piece;
}

}  // namespace

std::vector<Bytes> cut(const Bytes& frame, const Layers& at, std::size_t limit, std::uint32_t identification) {
  const bool v4 = at.family == Family::v4;
  const auto [end, names] = v4 ? std::pair{at.transport, std::size_t{0}} : fragmentable(frame, at.ip);
  const std::size_t overhead = end - at.ip + (v4 ? 0 : 8);
  const std::size_t room = std::max<std::size_t>(limit > overhead ? limit - overhead : 0, 8);
  std::vector<Bytes> pieces;
  for (std::size_t offset = 0; end + offset < at.end;) {
    const std::size_t left = at.end - end - offset;
    const std::size_t bytes = left <= room ? left : room / 8 * 8;
    Bytes piece = piece_of(frame, at, end, offset, bytes);
    const bool more = bytes != left;
    if (v4) {
      if (offset != 0) leave_uncopied_out(piece);
      put16(piece, 2, static_cast<std::uint32_t>(piece.size()));
      put16(piece, 4, identification);
      put16(piece, 6, (get16(piece, 6) & 0x4000U) | static_cast<std::uint32_t>(offset / 8) | (more ? 0x2000U : 0U));
      settle_header(piece, {.family = Family::v4, .protocol = at.protocol, .ip = 0, .transport = 0, .end = 0});
    } else {
      put16(piece, 4, static_cast<std::uint32_t>(piece.size() - 40));
      const std::size_t header = end - at.ip;
      piece[header] = piece[names - at.ip];
      piece[names - at.ip] = 44;
      put16(piece, header + 2, static_cast<std::uint32_t>(offset) | (more ? 1U : 0U));
      put32(piece, header + 4, identification);
    }
    pieces.push_back(std::move(piece));
    offset += bytes;
  }
  return pieces;
}

}  // namespace sallyport::model
