// DNS messages (RFC 1035 section 4), as far as a binding of a name to addresses needs them: which question a query
// asks, and which addresses an answer gives for it.
//
// An answer is read from the name that was asked along its CNAME records, in whatever order they stand, to the
// addresses at the end of that chain; what other names the message speaks of is not looked at. A chain is followed
// inside one message only. Nothing allocates; a message that breaks off, whose counts do not fit, whose compression
// pointers do not point strictly back (so that loops cannot be), that has bytes behind its last record, two OPT records
// (RFC 6891 section 6.1.1) or an address of the wrong length is malformed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "classifier/names/parse.h"
#include "classifier/names/reader.h"
#include "config/address.h"

namespace sallyport::classifier::names {

// A domain name in lower case, as its labels: comparable by bytes.
class DnsName {
 public:
  static constexpr std::size_t bytes_max = 255;  // RFC 1035 section 2.3.4, length bytes and root label included

  // "www.example.com" without a trailing dot, in `room`. Empty: the root, or a label with a dot or a NUL in it, which
  // no host name has.
  [[nodiscard]] std::string_view text(std::array<char, bytes_max>& room) const noexcept;
  [[nodiscard]] Bytes labels() const noexcept { return {bytes_.data(), size_}; }

  friend bool operator==(const DnsName& a, const DnsName& b) noexcept;

 private:
  friend class DnsNameReader;
  std::array<std::uint8_t, bytes_max> bytes_;  // the first size_ are meant; the root label is left out
  std::uint8_t size_ = 0;
};

struct DnsQuestion {
  std::uint16_t id = 0;
  std::uint16_t type = 0;
  DnsName name;
  Bytes as_sent;  // name, type and class, in the message: an answer has to repeat them (RFC 5452 section 9.1)
};

struct DnsAddress {
  IpAddress address;
  std::uint32_t ttl_s = 0;  // the smallest of its own and those of the CNAMEs on the way to it
};

struct DnsAnswer {
  DnsQuestion question;
  bool truncated = false;     // TC: the client has to ask again, over TCP (RFC 2181 section 9); no address is read
  std::uint16_t code = 0;     // RCODE with the upper bits of OPT; other than 0: no address is read
  std::size_t addresses = 0;  // so many of `room` were filled
  bool more = false;          // and there were others, for which there was no room
};

// done; not_this: an answer, another opcode, or no question of class IN; malformed: it breaks off before the question
// ends, or asks two.
[[nodiscard]] Parse parse_dns_query(Bytes message, DnsQuestion& question) noexcept;

// done, with what it says; not_this: a query, or another opcode; malformed.
[[nodiscard]] Parse parse_dns_answer(Bytes message, DnsAnswer& answer, std::span<DnsAddress> room) noexcept;

// Over TCP each message stands behind its length (RFC 1035 section 4.2.2). done: `message` is the first one of the
// stream, and begins after two bytes; need_more otherwise. An empty message is malformed.
inline constexpr std::size_t dns_length_bytes = 2;
[[nodiscard]] Parse first_dns_message(Bytes stream, Bytes& message) noexcept;

}  // namespace sallyport::classifier::names
