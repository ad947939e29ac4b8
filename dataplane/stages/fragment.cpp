#include "dataplane/stages/fragment.h"

#include <algorithm>
#include <cstring>

#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {
namespace {

using namespace wire;

// The unfragmentable part of an IPv6 packet: up to and with hop-by-hop options and the routing header.
[[nodiscard]] std::uint32_t unfragmentable(const std::uint8_t* l3) noexcept {
  std::uint32_t offset = sizeof(Ipv6);
  std::uint32_t end = offset;
  std::uint8_t next = at<Ipv6>(l3).next_header;
  while (next == next_hop_by_hop || next == next_routing || next == next_destination) {
    const bool counts = next != next_destination;
    next = l3[offset];
    offset += (l3[offset + 1] + 1U) * 8U;
    if (counts) end = offset;
  }
  return end;
}

// RFC 791 section 3.1: options without the copied flag are the first fragment's alone; here the others keep their
// places.
void blank_uncopied(std::uint8_t* option, unsigned left) noexcept {
  constexpr std::uint8_t end_of_list = 0, no_operation = 1, copied = 0x80;
  while (left != 0 && *option != end_of_list) {
    const unsigned bytes = *option == no_operation ? 1 : option[1];
    if ((*option & copied) == 0) std::memset(option, no_operation, bytes);
    option += bytes;
    left -= bytes;
  }
}

}  // namespace

Fragmenter::Fragmenter(const Packet& packet, const Parsed& parsed, std::uint16_t limit, std::uint16_t new_id) noexcept
    : packet_(packet), parsed_(parsed), new_id_(new_id) {
  const bool v4 = parsed.key.family == Family::v4;
  header_ = v4 ? std::uint32_t{parsed.l4_offset} - parsed.l3_offset : unfragmentable(packet.data + parsed.l3_offset);
  data_ = parsed.l3_offset + header_;
  total_ = parsed.l3_bytes - header_;
  const std::uint32_t overhead = header_ + (v4 ? 0U : 8U);
  room_ = std::max(limit > overhead ? limit - overhead : 0U, 8U);
}

std::uint32_t Fragmenter::chunk() const noexcept {
  const std::uint32_t left = total_ - offset_;
  return left <= room_ ? left : room_ & ~7U;
}

std::uint32_t Fragmenter::next_bytes() const noexcept {
  return data_ + (parsed_.key.family == Family::v4 ? 0U : 8U) + chunk();
}

void Fragmenter::make(Packet& piece) noexcept {
  piece.length = next_bytes();
  const std::uint32_t bytes = chunk();
  std::memcpy(piece.data, packet_.data, data_);
  if (parsed_.key.family == Family::v4) {
    make_v4(piece, bytes);
  } else {
    make_v6(piece, bytes);
  }
  offset_ += bytes;
  begun_ = true;
}

void Fragmenter::make_v4(Packet& piece, std::uint32_t bytes) noexcept {
  std::memcpy(piece.data + data_, packet_.data + data_ + offset_, bytes);
  auto& ip = at<Ipv4>(piece.data + parsed_.l3_offset);
  Delta delta;
  const auto set = [&](Be16& field, std::uint16_t value) {
    const std::uint16_t before = field.raw();
    field = value;
    delta.replace(before, field.raw());
  };
  const bool more = offset_ + bytes < total_;
  set(ip.total_length, static_cast<std::uint16_t>(header_ + bytes));
  set(ip.identification, new_id_);
  set(ip.fragment, static_cast<std::uint16_t>((ip.fragment.get() & Ipv4::dont_fragment) | offset_ / 8U |
                                              (more ? Ipv4::more_fragments : 0U)));
  if (offset_ != 0 && header_ > sizeof(Ipv4)) {
    std::uint8_t* options = piece.data + parsed_.l3_offset + sizeof(Ipv4);
    const std::uint32_t count = header_ - std::uint32_t{sizeof(Ipv4)};
    blank_uncopied(options, count);
    delta.replace(packet_.data + parsed_.l3_offset + sizeof(Ipv4), options, count);
  }
  update(ip.checksum, delta);
}

void Fragmenter::make_v6(Packet& piece, std::uint32_t bytes) noexcept {
  std::memcpy(piece.data + data_ + 8, packet_.data + data_ + offset_, bytes);
  std::uint8_t* l3 = piece.data + parsed_.l3_offset;
  at<Ipv6>(l3).payload_length = static_cast<std::uint16_t>(header_ - sizeof(Ipv6) + 8 + bytes);
  // The last header of the unfragmentable part names the fragment header.
  std::uint8_t* names_next = l3 + 6;
  for (std::uint32_t offset = sizeof(Ipv6); offset < header_; offset += (l3[offset + 1] + 1U) * 8U)
    names_next = l3 + offset;
  auto& fragment = at<Ipv6Fragment>(piece.data + data_);
  fragment.next_header = *names_next;
  *names_next = next_fragment;
  fragment.reserved = 0;
  const bool more = offset_ + bytes < total_;
  fragment.offset = static_cast<std::uint16_t>(offset_ | (more ? 1U : 0U));
  fragment.identification = packet_.fragment_id;
}

}  // namespace sallyport::dataplane
