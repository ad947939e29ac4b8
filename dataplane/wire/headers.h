// Header formats as they lie on the wire. Every field is bytes in network order behind a type that converts, so a
// structure can be laid over any address.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

namespace sallyport::dataplane::wire {

class Be16 {
 public:
  Be16() = default;
  explicit Be16(std::uint16_t host) noexcept { *this = host; }
  Be16& operator=(std::uint16_t host) noexcept {
    raw_[0] = static_cast<std::uint8_t>(host >> 8U);
    raw_[1] = static_cast<std::uint8_t>(host);
    return *this;
  }
  [[nodiscard]] std::uint16_t get() const noexcept { return static_cast<std::uint16_t>(raw_[0] << 8U | raw_[1]); }
  // As it lies in memory, for keys and checksums.
  [[nodiscard]] std::uint16_t raw() const noexcept {
    std::uint16_t value;
    std::memcpy(&value, raw_.data(), 2);
    return value;
  }
  void set_raw(std::uint16_t value) noexcept { std::memcpy(raw_.data(), &value, 2); }

 private:
  std::array<std::uint8_t, 2> raw_;
};

class Be32 {
 public:
  Be32() = default;
  explicit Be32(std::uint32_t host) noexcept { *this = host; }
  Be32& operator=(std::uint32_t host) noexcept {
    host = __builtin_bswap32(host);
    std::memcpy(raw_.data(), &host, 4);
    return *this;
  }
  [[nodiscard]] std::uint32_t get() const noexcept {
    std::uint32_t value;
    std::memcpy(&value, raw_.data(), 4);
    return __builtin_bswap32(value);
  }

 private:
  std::array<std::uint8_t, 4> raw_;
};

// Little endian, for the one field that is.
class Le32 {
 public:
  Le32() = default;
  Le32& operator=(std::uint32_t host) noexcept {
    std::memcpy(raw_.data(), &host, 4);
    return *this;
  }
  [[nodiscard]] std::uint32_t get() const noexcept {
    std::uint32_t value;
    std::memcpy(&value, raw_.data(), 4);
    return value;
  }

 private:
  std::array<std::uint8_t, 4> raw_;
};

// IEEE 802.3, 802.1Q
inline constexpr std::uint16_t ethertype_ipv4 = 0x0800;
inline constexpr std::uint16_t ethertype_arp = 0x0806;
inline constexpr std::uint16_t ethertype_vlan = 0x8100;
inline constexpr std::uint16_t ethertype_qinq = 0x88a8;
inline constexpr std::uint16_t ethertype_ipv6 = 0x86dd;

struct Ethernet {
  std::array<std::uint8_t, 6> destination;
  std::array<std::uint8_t, 6> source;
  Be16 type;
};
static_assert(sizeof(Ethernet) == 14);

struct VlanTag {
  Be16 control;  // priority, drop eligible, 12 bits of VLAN
  Be16 type;     // of what follows
};
static_assert(sizeof(VlanTag) == 4);

// RFC 791
struct Ipv4 {
  std::uint8_t version_length;
  std::uint8_t service;
  Be16 total_length;
  Be16 identification;
  Be16 fragment;  // 3 flags, 13 bits of offset in eights
  std::uint8_t ttl;
  std::uint8_t protocol;
  Be16 checksum;
  std::array<std::uint8_t, 4> source;
  std::array<std::uint8_t, 4> destination;

  static constexpr std::uint16_t dont_fragment = 0x4000;
  static constexpr std::uint16_t more_fragments = 0x2000;
  static constexpr std::uint16_t offset_mask = 0x1fff;
  [[nodiscard]] unsigned header_bytes() const noexcept { return (version_length & 0x0fU) * 4U; }
};
static_assert(sizeof(Ipv4) == 20);

// RFC 8200
struct Ipv6 {
  Be32 version_class_flow;
  Be16 payload_length;
  std::uint8_t next_header;
  std::uint8_t hop_limit;
  std::array<std::uint8_t, 16> source;
  std::array<std::uint8_t, 16> destination;
};
static_assert(sizeof(Ipv6) == 40);

struct Ipv6Fragment {
  std::uint8_t next_header;
  std::uint8_t reserved;
  Be16 offset;  // 13 bits of offset in eights, 2 reserved, more fragments
  Be32 identification;
};
static_assert(sizeof(Ipv6Fragment) == 8);

inline constexpr std::uint8_t next_hop_by_hop = 0;
inline constexpr std::uint8_t next_routing = 43;
inline constexpr std::uint8_t next_fragment = 44;
inline constexpr std::uint8_t next_authentication = 51;
inline constexpr std::uint8_t next_none = 59;
inline constexpr std::uint8_t next_destination = 60;

// RFC 9293
struct Tcp {
  Be16 source_port;
  Be16 destination_port;
  Be32 sequence;
  Be32 acknowledgment;
  std::uint8_t offset;  // upper four bits: header length in 32-bit words
  std::uint8_t flags;
  Be16 window;
  Be16 checksum;
  Be16 urgent;

  static constexpr std::uint8_t fin = 0x01;
  static constexpr std::uint8_t syn = 0x02;
  static constexpr std::uint8_t rst = 0x04;
  static constexpr std::uint8_t psh = 0x08;
  static constexpr std::uint8_t ack = 0x10;
  static constexpr std::uint8_t urg = 0x20;
  [[nodiscard]] unsigned header_bytes() const noexcept { return (offset >> 4U) * 4U; }
};
static_assert(sizeof(Tcp) == 20);

// RFC 768
struct Udp {
  Be16 source_port;
  Be16 destination_port;
  Be16 length;
  Be16 checksum;
};
static_assert(sizeof(Udp) == 8);

// RFC 9260: the common header
struct Sctp {
  Be16 source_port;
  Be16 destination_port;
  Be32 verification_tag;
  Le32 checksum;  // CRC32c
};
static_assert(sizeof(Sctp) == 12);

// RFC 792, RFC 4443
struct Icmp {
  std::uint8_t type;
  std::uint8_t code;
  Be16 checksum;
  Be16 identifier;  // echo; unused by errors
  Be16 sequence;    // echo; the MTU of fragmentation needed
};
static_assert(sizeof(Icmp) == 8);

inline constexpr std::uint8_t icmp_echo_reply = 0;
inline constexpr std::uint8_t icmp_unreachable = 3;
inline constexpr std::uint8_t icmp_source_quench = 4;
inline constexpr std::uint8_t icmp_redirect = 5;
inline constexpr std::uint8_t icmp_echo_request = 8;
inline constexpr std::uint8_t icmp_time_exceeded = 11;
inline constexpr std::uint8_t icmp_parameter_problem = 12;
inline constexpr std::uint8_t icmp_code_host_unreachable = 1;
inline constexpr std::uint8_t icmp_code_port_unreachable = 3;
inline constexpr std::uint8_t icmp_code_fragmentation_needed = 4;
inline constexpr std::uint8_t icmp_code_admin_prohibited = 13;

inline constexpr std::uint8_t icmp6_unreachable = 1;
inline constexpr std::uint8_t icmp6_too_big = 2;
inline constexpr std::uint8_t icmp6_time_exceeded = 3;
inline constexpr std::uint8_t icmp6_parameter_problem = 4;
inline constexpr std::uint8_t icmp6_echo_request = 128;
inline constexpr std::uint8_t icmp6_echo_reply = 129;
inline constexpr std::uint8_t icmp6_listener_first = 130;   // multicast listener discovery, 130..132 and 143
inline constexpr std::uint8_t icmp6_neighbour_first = 133;  // neighbour discovery, 133..137
inline constexpr std::uint8_t icmp6_neighbour_last = 137;
inline constexpr std::uint8_t icmp6_listener_report2 = 143;
inline constexpr std::uint8_t icmp6_code_address_unreachable = 3;
inline constexpr std::uint8_t icmp6_code_port_unreachable = 4;
inline constexpr std::uint8_t icmp6_code_admin_prohibited = 1;

// The caller has checked that the bytes are there.
template <typename Header>
[[nodiscard]] Header& at(std::uint8_t* bytes) noexcept {
  return *reinterpret_cast<Header*>(bytes);
}
template <typename Header>
[[nodiscard]] const Header& at(const std::uint8_t* bytes) noexcept {
  return *reinterpret_cast<const Header*>(bytes);
}

}  // namespace sallyport::dataplane::wire
