// How the model gateway reads a frame, and the packet that an ICMP error quotes.
#include "wire_model.h"

namespace sallyport::model {

namespace {

bool ipv4_header_right(const Bytes& frame, std::size_t at, std::size_t bytes) {
  return add_words(0, frame, at, at + bytes) == 0xffff;
}

// One frame, layer by layer; a step that ends the reading answers false.
class FrameReader {
 public:
  explicit FrameReader(const Bytes& frame) : frame_(frame) {}

  Reading run() {
    if (link()) (void)network();
    return reading_;
  }

 private:
  bool drop(Drop why) {
    reading_.fate = Reading::Fate::dropped;
    reading_.why = why;
    return false;
  }
  bool kernel() {
    reading_.fate = Reading::Fate::kernel;
    return false;
  }

  bool link() {
    if (frame_.size() < 14) return drop(Drop::frame_truncated);
    std::size_t at = 12;
    unsigned tags = 0, vlan = 0;
    while (get16(frame_, at) == 0x8100 || get16(frame_, at) == 0x88a8) {
      if (++tags > 4) return drop(Drop::wrong_vlan);
      if (frame_.size() < at + 6) return drop(Drop::frame_truncated);
      vlan = get16(frame_, at + 2) & 0x0fffU;
      at += 4;
    }
    // A priority tag is no VLAN.
    if (tags > 1 || vlan != 0) return drop(Drop::wrong_vlan);
    type_ = get16(frame_, at);
    reading_.at.ip = at + 2;
    return true;
  }

  bool network() {
    switch (type_) {
      case 0x0806:
        return kernel();
      case 0x0800:
        return ipv4() && (reading_.kind == Kind::fragment || transport());
      case 0x86dd:
        return ipv6() && (reading_.kind == Kind::fragment || transport());
      default:
        return drop(Drop::not_ip);
    }
  }

  bool ipv4() {
    Layers& at = reading_.at;
    const std::size_t left = frame_.size() - at.ip;
    if (left < 20) return drop(Drop::frame_truncated);
    if (frame_[at.ip] >> 4U != 4) return drop(Drop::ip_bad_version);
    const std::size_t header = (frame_[at.ip] & 15U) * 4U;
    if (header < 20 || header > left) return drop(Drop::ip_bad_header_length);
    const std::size_t total = get16(frame_, at.ip + 2);
    if (total < header || total > left) return drop(Drop::ip_bad_total_length);
    if (!ipv4_header_right(frame_, at.ip, header)) return drop(Drop::ip_bad_checksum);
    if (!ipv4_options(at.ip + 20, at.ip + header)) return false;
    reading_.ttl = frame_[at.ip + 8];
    if (reading_.ttl == 0) return drop(Drop::ip_ttl_zero);
    at.family = Family::v4;
    at.protocol = frame_[at.ip + 9];
    at.transport = at.ip + header;
    at.end = at.ip + total;
    reading_.from.ip = IpAddress::from_bytes(Family::v4, &frame_[at.ip + 12]);
    reading_.to.ip = IpAddress::from_bytes(Family::v4, &frame_[at.ip + 16]);
    const unsigned fragment = get16(frame_, at.ip + 6);
    reading_.dont_fragment = (fragment & 0x4000U) != 0;
    reading_.more = (fragment & 0x2000U) != 0;
    reading_.offset = (fragment & 0x1fffU) * 8U;
    reading_.identification = get16(frame_, at.ip + 4);
    if (reading_.more || reading_.offset != 0) reading_.kind = Kind::fragment;
    return true;
  }

  bool ipv4_options(std::size_t at, std::size_t end) {
    while (at < end && frame_[at] != 0) {
      if (frame_[at] == 1) {
        ++at;
        continue;
      }
      if (frame_[at] == 131 || frame_[at] == 137) return drop(Drop::ip_source_route);
      if (at + 1 >= end || frame_[at + 1] < 2 || at + frame_[at + 1] > end) return drop(Drop::ip_bad_header_length);
      at += frame_[at + 1];
    }
    return true;
  }

  bool ipv6() {
    Layers& at = reading_.at;
    const std::size_t left = frame_.size() - at.ip;
    if (left < 40) return drop(Drop::frame_truncated);
    if (frame_[at.ip] >> 4U != 6) return drop(Drop::ip_bad_version);
    const std::size_t total = 40 + get16(frame_, at.ip + 4);
    if (total > left) return drop(Drop::ip_bad_total_length);
    reading_.ttl = frame_[at.ip + 7];
    if (reading_.ttl == 0) return drop(Drop::ip_ttl_zero);
    at.family = Family::v6;
    at.end = at.ip + total;
    reading_.from.ip = IpAddress::from_bytes(Family::v6, &frame_[at.ip + 8]);
    reading_.to.ip = IpAddress::from_bytes(Family::v6, &frame_[at.ip + 24]);
    reading_.dont_fragment = true;
    return ipv6_extensions();
  }

  // nat.md 21: hop-by-hop (first only), routing without segments left, fragment, AH and destination options, eight.
  bool ipv6_extensions() {
    Layers& at = reading_.at;
    at.transport = at.ip + 40;
    std::size_t named_at = at.ip + 6;
    for (unsigned seen = 0;; ++seen) {
      const std::uint8_t next = frame_[named_at];
      const bool known = next == 0 || next == 43 || next == 44 || next == 51 || next == 60;
      if (!known) {
        at.protocol = next;
        return true;
      }
      if (seen == 8 || (next == 0 && seen != 0)) return drop(Drop::ip6_bad_extension);
      if (at.end - at.transport < 8) return drop(Drop::frame_truncated);
      if (next == 44) return ipv6_fragment(named_at);
      if (next == 43 && frame_[at.transport + 2] == 0) return drop(Drop::ip6_routing_type_0);
      if (next == 43 && frame_[at.transport + 3] != 0) return drop(Drop::ip6_bad_extension);
      const unsigned length = frame_[at.transport + 1];
      const std::size_t bytes = next == 51 ? (length + 2) * 4 : (length + 1) * 8;
      if (bytes > at.end - at.transport) return drop(Drop::ip6_bad_extension);
      named_at = at.transport;
      at.transport += bytes;
    }
  }

  bool ipv6_fragment(std::size_t named_at) {
    Layers& at = reading_.at;
    reading_.kind = Kind::fragment;
    reading_.fragment_header = at.transport;
    reading_.names_fragment_header = named_at;
    reading_.more = (frame_[at.transport + 3] & 1U) != 0;
    reading_.offset = get16(frame_, at.transport + 2) & 0xfff8U;
    reading_.identification = get32(frame_, at.transport + 4);
    at.protocol = frame_[at.transport];
    if (reading_.offset == 0 && at.protocol == 0) return drop(Drop::ip6_bad_extension);
    at.transport += 8;
    return true;
  }

  bool transport() {
    switch (reading_.at.protocol) {
      case protocol::tcp:
        return tcp();
      case protocol::udp:
        return udp();
      case protocol::sctp:
        if (reading_.at.transport_bytes() < 12) return drop(Drop::l4_truncated);
        return ports(Kind::sctp);
      case protocol::icmp:
      case protocol::icmp6:
        return icmp();
      default:
        return portless();
    }
  }

  bool portless() {
    reading_.kind = Kind::portless;
    if (reading_.at.family == Family::v4) return true;
    switch (reading_.at.protocol) {
      case 59:
        return drop(Drop::unsupported_protocol);
      case 135:
      case 139:
      case 140:
      case 253:
      case 254:
        return drop(Drop::ip6_bad_extension);
      default:
        return true;
    }
  }

  bool ports(Kind kind) {
    reading_.kind = kind;
    reading_.from.port = get16(frame_, reading_.at.transport);
    reading_.to.port = get16(frame_, reading_.at.transport + 2);
    return true;
  }

  bool tcp() {
    const Layers& at = reading_.at;
    if (at.transport_bytes() < 20) return drop(Drop::l4_truncated);
    const std::size_t header = (frame_[at.transport + 12] >> 4U) * 4U;
    if (header < 20 || header > at.transport_bytes()) return drop(Drop::l4_bad_length);
    reading_.flags = frame_[at.transport + 13];
    const bool fin = reading_.has(flag::fin), syn = reading_.has(flag::syn), rst = reading_.has(flag::rst),
               ack = reading_.has(flag::ack);
    if ((!fin && !syn && !rst && !ack) || (syn && (fin || rst)) || (fin && !ack && !rst)) {
      return drop(Drop::tcp_bad_flags);
    }
    reading_.sequence = get32(frame_, at.transport + 4);
    reading_.acknowledgment = get32(frame_, at.transport + 8);
    reading_.window = get16(frame_, at.transport + 14);
    reading_.payload_bytes = at.transport_bytes() - header;
    return ports(Kind::tcp);
  }

  bool udp() {
    const Layers& at = reading_.at;
    if (at.transport_bytes() < 8) return drop(Drop::l4_truncated);
    const std::size_t length = get16(frame_, at.transport + 4);
    if (length < 8 || length > at.transport_bytes()) return drop(Drop::l4_bad_length);
    if (at.family == Family::v6 && get16(frame_, at.transport + 6) == 0) return drop(Drop::udp6_zero_checksum);
    return ports(Kind::udp);
  }

  bool icmp() {
    const Layers& at = reading_.at;
    const bool v4 = at.family == Family::v4;
    if (v4 != (at.protocol == protocol::icmp)) return drop(Drop::unsupported_protocol);
    if (at.transport_bytes() < 8) return drop(Drop::l4_truncated);
    const bool nothing = v4 && add_words(0, frame_, at.transport, at.end) == 0;  // and a sum is never zero
    if (nothing || wrong_by(frame_, at).value_or(1) != 0) return drop(Drop::icmp_bad_checksum);
    const unsigned type = frame_[at.transport];
    if (type == (v4 ? 8 : 128)) return echo(Kind::echo_request);
    if (type == (v4 ? 0 : 129)) return echo(Kind::echo_reply);
    const bool error = v4 ? type == 3 || type == 4 || type == 11 || type == 12 : type >= 1 && type <= 4;
    if (error) {
      reading_.kind = Kind::icmp_error;
      return true;
    }
    // Multicast listeners and neighbour discovery.
    if (!v4 && ((type >= 130 && type <= 137) || type == 143)) return kernel();
    return drop(Drop::icmp_unsupported);
  }
  bool echo(Kind kind) {
    reading_.kind = kind;
    reading_.from.port = get16(frame_, reading_.at.transport + 4);
    return true;
  }

  const Bytes& frame_;
  Reading reading_;
  unsigned type_ = 0;
};

bool quoted_ipv4(const Bytes& frame, Layers& at) {
  const std::size_t left = at.end - at.ip;
  if (left < 20 || frame[at.ip] >> 4U != 4) return false;
  const std::size_t header = (frame[at.ip] & 15U) * 4U;
  if (header < 20 || header > left || !ipv4_header_right(frame, at.ip, header)) return false;
  if ((get16(frame, at.ip + 6) & 0x1fffU) != 0) return false;  // no first fragment: its ports are elsewhere
  at.protocol = frame[at.ip + 9];
  at.transport = at.ip + header;
  return true;
}

bool quoted_ipv6(const Bytes& frame, Layers& at) {
  if (at.end - at.ip < 40 || frame[at.ip] >> 4U != 6) return false;
  at.transport = at.ip + 40;
  at.protocol = frame[at.ip + 6];
  for (unsigned seen = 0; seen < 8; ++seen) {
    const bool extension =
        at.protocol == 0 || at.protocol == 43 || at.protocol == 44 || at.protocol == 51 || at.protocol == 60;
    if (!extension) break;
    if (at.end - at.transport < 8) return false;
    if (at.protocol == 44 && (get16(frame, at.transport + 2) & 0xfff8U) != 0) return false;
    const unsigned length = frame[at.transport + 1];
    const std::size_t bytes = at.protocol == 44 ? 8 : at.protocol == 51 ? (length + 2) * 4 : (length + 1) * 8;
    if (bytes > at.end - at.transport) return false;
    at.protocol = frame[at.transport];
    at.transport += bytes;
  }
  return true;
}

}  // namespace

Reading read_frame(const Bytes& frame) { return FrameReader(frame).run(); }

std::optional<Quote> read_quote(const Bytes& frame, const Reading& error) {
  Quote quote;
  Layers& at = quote.at;
  at.family = error.at.family;
  at.ip = error.at.transport + 8;
  at.end = error.at.end;
  if (!(at.family == Family::v4 ? quoted_ipv4(frame, at) : quoted_ipv6(frame, at))) return std::nullopt;
  const bool told_by_address = !protocol::has_ports(at.protocol) && !protocol::is_icmp(at.protocol);
  if (at.transport_bytes() < 8 && !told_by_address) return std::nullopt;
  quote.from.ip = IpAddress::from_bytes(at.family, &frame[source_at(at)]);
  quote.to.ip = IpAddress::from_bytes(at.family, &frame[destination_at(at)]);
  if (protocol::has_ports(at.protocol)) {
    quote.from.port = get16(frame, at.transport);
    quote.to.port = get16(frame, at.transport + 2);
  } else if (protocol::is_icmp(at.protocol)) {
    const unsigned type = frame[at.transport];
    if (type != 0 && type != 8 && type != 128 && type != 129) return std::nullopt;
    quote.from.port = get16(frame, at.transport + 4);
  }
  return quote;
}

}  // namespace sallyport::model
