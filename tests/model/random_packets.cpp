// The packets of RandomTraffic.
#include <algorithm>
#include <array>

#include "random_traffic.h"

namespace sallyport::model {
namespace {

IpAddress numbered(const char* text, std::uint32_t host) {
  IpAddress address = *parse_address(text);
  address.bytes[address_bytes(address.family) - 1] = static_cast<std::uint8_t>(host);
  return address;
}

// Numbers near their wrap, a way of their own for each side, so that windows and repetitions happen.
std::uint32_t first_number(const FlowName& name, bool of_client) {
  return of_client ? 0xffffff00U + name.server.port : 0x7fffff80U + name.server.port;
}

FlowName answered(const Reading& packet) {
  FlowName name{packet.at.protocol, packet.from, packet.to};
  return name;
}

}  // namespace

IpAddress RandomTraffic::client(Family family) {
  return numbered(family == Family::v4 ? "10.0.0.0" : "fd00::", 1 + below(6));
}
IpAddress RandomTraffic::server(Family family) {
  return numbered(family == Family::v4 ? "198.51.100.0" : "2001:db8:1::", 1 + below(5));
}
IpAddress RandomTraffic::egress(Family family) {
  return numbered(family == Family::v4 ? "203.0.113.0" : "2001:db8:ffff::", 1 + below(3));
}
std::uint16_t RandomTraffic::client_port() {
  static constexpr std::array<std::uint16_t, 10> ports{0, 7, 500, 1023, 1024, 2000, 2003, 5060, 40'000, 40'001};
  return pick(ports);
}
std::uint16_t RandomTraffic::server_port() {
  static constexpr std::array<std::uint16_t, 5> ports{53, 80, 443, 5'000, 2'000};
  return pick(ports);
}

Bytes RandomTraffic::link() const { return {2, 0, 0, 0, 1, 1, 2, 0, 0, 0, 3, 9}; }

Bytes RandomTraffic::payload() {
  static constexpr std::array<std::uint32_t, 6> sizes{1, 4, 40, 400, 1360, 1460};
  Bytes made(chance(60) ? below(24) : below(pick(sizes)) + 1);
  for (std::uint8_t& byte : made) byte = static_cast<std::uint8_t>(random_());
  return made;
}

FlowName RandomTraffic::new_flow() {
  static constexpr std::array<std::uint8_t, 12> protocols{
      protocol::tcp, protocol::tcp,  protocol::tcp,  protocol::tcp,  protocol::udp, protocol::udp,
      protocol::udp, protocol::icmp, protocol::icmp, protocol::sctp, protocol::gre, protocol::udp_lite};
  const Family family = chance(65) ? Family::v4 : Family::v6;
  FlowName name{pick(protocols), {client(family), 0}, {server(family), 0}};
  if (name.protocol == protocol::icmp && family == Family::v6) name.protocol = protocol::icmp6;
  if (protocol::has_ports(name.protocol) || protocol::is_icmp(name.protocol)) name.client.port = client_port();
  if (protocol::has_ports(name.protocol)) name.server.port = server_port();
  spoken_.push_back(name);
  if (spoken_.size() > 32) spoken_.pop_front();
  return name;
}

void RandomTraffic::add_options(Bytes& frame, Layers& at) {
  // Record route, timestamp, router alert, a no-operation.
  static const std::array<Bytes, 4> kinds{Bytes{7, 7, 4, 0, 0, 0, 0}, Bytes{68, 8, 5, 0, 0, 0, 0, 0},
                                          Bytes{148, 4, 0, 0}, Bytes{1}};
  Bytes options;
  for (std::uint32_t count = 1 + below(3); count > 0; --count) {
    const Bytes one = pick(kinds);
    options.insert(options.end(), one.begin(), one.end());
  }
  options.resize((options.size() + 3) / 4 * 4);
  frame.insert(frame.begin() + static_cast<std::ptrdiff_t>(at.transport), options.begin(), options.end());
  at.transport += options.size();
  at.end += options.size();
  frame[at.ip] = static_cast<std::uint8_t>(0x40 | (at.transport - at.ip) / 4);
  put16(frame, at.ip + 2, static_cast<std::uint32_t>(at.end - at.ip));
}

void RandomTraffic::add_extension_headers(Bytes& frame, Layers& at) {
  std::vector<std::uint8_t> kinds;
  if (chance(40)) kinds.push_back(0);
  for (std::uint32_t count = 1 + below(2); count > 0; --count)
    kinds.push_back(pick(std::array<std::uint8_t, 3>{43, 51, 60}));
  Bytes headers;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const std::uint8_t next = i + 1 < kinds.size() ? kinds[i + 1] : at.protocol;
    if (kinds[i] == 51) {
      headers.insert(headers.end(), {next, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 7, 7, 7, 7});
    } else if (kinds[i] == 43) {
      headers.insert(headers.end(), {next, 0, 4, 0, 0, 0, 0, 0});
    } else {
      headers.insert(headers.end(), {next, 0, 1, 4, 0, 0, 0, 0});
    }
  }
  frame[at.ip + 6] = kinds[0];
  frame.insert(frame.begin() + static_cast<std::ptrdiff_t>(at.transport), headers.begin(), headers.end());
  at.transport += headers.size();
  at.end += headers.size();
  put16(frame, at.ip + 4, static_cast<std::uint32_t>(at.end - at.ip - 40));
}

// TTL, type of service, options, the checksum; now and then padding, or fragments allowed.
Bytes RandomTraffic::finished(Bytes frame, Layers at) {
  const bool v4 = at.family == Family::v4;
  if (chance(5)) v4 ? add_options(frame, at) : add_extension_headers(frame, at);
  if (v4 && chance(50)) put16(frame, at.ip + 6, 0);
  frame[at.ip + (v4 ? 8 : 7)] = chance(95) ? std::uint8_t{64} : static_cast<std::uint8_t>(1 + below(2));
  if (v4 && chance(30)) {
    put16(frame, at.ip + 4, below(65536));
    frame[at.ip + 1] = static_cast<std::uint8_t>(below(256));
  }
  settle_header(frame, at);
  settle_right(frame, at);
  if (at.protocol == protocol::udp && v4 && chance(5)) put16(frame, at.transport + 6, 0);
  if (chance(5)) frame.resize(frame.size() + below(20));
  return frame;
}

Bytes RandomTraffic::segment(const FlowName& name, bool from_client) {
  static constexpr std::array<std::uint8_t, 16> flags{flag::syn,
                                                      flag::syn,
                                                      flag::syn,
                                                      flag::syn | flag::ack,
                                                      flag::syn | flag::ack,
                                                      flag::ack,
                                                      flag::ack,
                                                      flag::ack,
                                                      flag::ack,
                                                      flag::ack | flag::psh,
                                                      flag::ack | flag::psh,
                                                      flag::ack | flag::fin,
                                                      flag::ack | flag::fin,
                                                      flag::rst,
                                                      flag::rst | flag::ack,
                                                      flag::ack | flag::urg};
  static constexpr std::array<std::uint32_t, 8> steps{0, 1, 1, 2, 100, 1000, 70'000, 0x80000000U};
  const std::uint8_t set = pick(flags);
  Bytes options;
  if ((set & flag::syn) != 0) {
    if (chance(30)) options.insert(options.end(), {1});
    if (chance(60)) options.insert(options.end(), {2, 4, static_cast<std::uint8_t>(below(7)), 0xb4});
    if (chance(50)) options.insert(options.end(), {3, 3, static_cast<std::uint8_t>(below(16))});
    options.resize((options.size() + 3) / 4 * 4);
  }
  const Bytes data = (set & (flag::syn | flag::rst)) != 0 || chance(50) ? Bytes{} : payload();
  Bytes frame = link();
  put_link_type(frame, name.client.ip.family);
  const End& from = from_client ? name.client : name.server;
  const End& to = from_client ? name.server : name.client;
  const Layers at = begin_packet(frame, from.ip, to.ip, protocol::tcp, 20 + options.size() + data.size());
  put16(frame, at.transport, from.port);
  put16(frame, at.transport + 2, to.port);
  put32(frame, at.transport + 4, first_number(name, from_client) + pick(steps));
  if ((set & flag::ack) != 0) put32(frame, at.transport + 8, first_number(name, !from_client) + pick(steps));
  frame[at.transport + 12] = static_cast<std::uint8_t>((5 + options.size() / 4) << 4U);
  frame[at.transport + 13] = set;
  static constexpr std::array<std::uint16_t, 4> windows{0, 1, 500, 65535};
  put16(frame, at.transport + 14, pick(windows));
  std::copy(options.begin(), options.end(), frame.begin() + static_cast<std::ptrdiff_t>(at.transport + 20));
  std::copy(data.rbegin(), data.rend(), frame.rbegin());
  return finished(std::move(frame), at);
}

Bytes RandomTraffic::datagram(const FlowName& name, bool from_client) {
  if (name.protocol == protocol::tcp) return segment(name, from_client);
  const End& from = from_client ? name.client : name.server;
  const End& to = from_client ? name.server : name.client;
  const bool v4 = from.ip.family == Family::v4;
  Bytes frame = link();
  put_link_type(frame, v4 ? Family::v4 : Family::v6);
  const Bytes data = payload();
  const std::size_t header = name.protocol == protocol::sctp ? 12 : 8;
  const Layers at = begin_packet(frame, from.ip, to.ip, name.protocol, header + data.size());
  std::copy(data.rbegin(), data.rend(), frame.rbegin());
  if (protocol::has_ports(name.protocol)) {
    put16(frame, at.transport, from.port);
    put16(frame, at.transport + 2, to.port);
  }
  if (name.protocol == protocol::udp) put16(frame, at.transport + 4, static_cast<std::uint32_t>(8 + data.size()));
  if (protocol::is_icmp(name.protocol)) {
    const bool reply = from_client ? chance(3) : !chance(5);
    frame[at.transport] = v4 ? (reply ? 0 : 8) : (reply ? 129 : 128);
    put16(frame, at.transport + 4, name.client.port);
  }
  return finished(std::move(frame), at);
}

Bytes RandomTraffic::from_client() {
  return datagram(spoken_.empty() || chance(25) ? new_flow() : pick(spoken_), true);
}

// To one of the egress addresses, often to where somebody is.
Bytes RandomTraffic::to_ourselves() {
  FlowName name = new_flow();
  name.server.ip = egress(name.client.ip.family);
  if (!seen_[outside].empty() && chance(70)) {
    const Reading seen = read_frame(pick(seen_[outside]));
    if (seen.fate == Reading::Fate::packet && seen.from.ip.family == name.client.ip.family) {
      name.protocol = seen.at.protocol;
      name.server = seen.from;
    }
  }
  spoken_.back() = name;
  return datagram(name, true);
}

// From outside, to an egress address, without having been asked.
Bytes RandomTraffic::stray() {
  FlowName name = new_flow();
  spoken_.pop_back();
  name.client.ip = egress(name.client.ip.family);
  if (!seen_[outside].empty() && chance(70)) {
    const Reading seen = read_frame(pick(seen_[outside]));
    if (seen.fate == Reading::Fate::packet && seen.from.ip.family == name.client.ip.family) {
      name.protocol = seen.at.protocol;
      name.client = seen.from;
      if (chance(50)) name.server.ip = seen.to.ip;
    }
  }
  return datagram(name, false);
}

Bytes RandomTraffic::answer() {
  if (seen_[outside].empty()) return stray();
  const Reading seen = read_frame(pick(seen_[outside]));
  if (seen.fate != Reading::Fate::packet || seen.kind == Kind::icmp_error || seen.kind == Kind::fragment)
    return stray();
  return datagram(answered(seen), false);
}

// Of a router, or of the one who got it, about what left by that side; cut short, changed now and then.
Bytes RandomTraffic::error(unsigned from) {
  if (seen_[from].empty()) return stray();
  const Bytes about = pick(seen_[from]);
  const Reading seen = read_frame(about);
  if (seen.fate != Reading::Fate::packet) return stray();
  Bytes quoted(about.begin() + static_cast<std::ptrdiff_t>(seen.at.ip), about.end());
  if (chance(40)) quoted.resize(std::min<std::size_t>(quoted.size(), 20 + below(60)));
  if (chance(10)) quoted[below(static_cast<std::uint32_t>(quoted.size()))] ^= static_cast<std::uint8_t>(1 + below(255));
  const bool v4 = seen.at.family == Family::v4;
  IpAddress sender = seen.to.ip;
  if (chance(40)) sender = *parse_address(v4 ? "192.0.2.77" : "2001:db8:77::1");
  if (from == inside && chance(30)) sender = client(seen.at.family);
  Bytes frame = link();
  put_link_type(frame, v4 ? Family::v4 : Family::v6);
  const Layers at = begin_packet(frame, sender, seen.from.ip, v4 ? protocol::icmp : protocol::icmp6, 8 + quoted.size());
  static constexpr std::array<std::uint8_t, 4> types{3, 4, 11, 12};
  frame[at.transport] = v4 ? pick(types) : static_cast<std::uint8_t>(1 + below(4));
  frame[at.transport + 1] = static_cast<std::uint8_t>(below(16));
  put32(frame, at.transport + 4, chance(50) ? 1280 : 0);
  std::copy(quoted.rbegin(), quoted.rend(), frame.rbegin());
  return finished(std::move(frame), at);
}

// What no flow begins with: ARP, neighbours, our own addresses, addresses that cannot be.
Bytes RandomTraffic::nobody_s() {
  Bytes frame = link();
  if (chance(10)) {
    frame.insert(frame.end(), {0x08, 0x06});
    frame.resize(60);
    return frame;
  }
  static constexpr std::array v4{"10.0.0.254", "192.0.2.1",       "224.0.0.18",  "239.1.1.1", "127.0.0.1",
                                 "0.0.0.0",    "255.255.255.255", "169.254.1.1", "10.0.0.2"};
  static constexpr std::array v6{"fd00::fe", "2001:db8:9::1", "ff02::1",         "ff05::2", "::1",
                                 "::",       "fe80::1",       "::ffff:10.0.0.1", "fd00::2"};
  FlowName name = new_flow();
  spoken_.pop_back();
  const bool is_v4 = name.client.ip.family == Family::v4;
  const IpAddress odd = *parse_address(is_v4 ? pick(v4) : pick(v6));
  (chance(70) ? name.server.ip : name.client.ip) = odd;
  if (chance(10)) name.client.ip = name.server.ip;
  return datagram(name, true);
}

// One thing wrong with it.
void RandomTraffic::spoil(Bytes& frame) {
  const Reading is = read_frame(frame);
  if (is.fate != Reading::Fate::packet) return;
  const Layers& at = is.at;
  switch (below(8)) {
    case 0:
      frame.resize(below(static_cast<std::uint32_t>(frame.size())) + 1);
      return;
    case 1:  // anywhere
      frame[below(static_cast<std::uint32_t>(frame.size()))] ^= static_cast<std::uint8_t>(1U << below(8));
      return;
    case 2:  // in the IP header
      frame[at.ip + below(20)] = static_cast<std::uint8_t>(below(256));
      if (at.family == Family::v4 && (frame[at.ip] & 15U) == 5) settle_header(frame, at);
      return;
    case 3:  // in the transport
      frame[at.transport + below(static_cast<std::uint32_t>(at.transport_bytes()))] ^=
          static_cast<std::uint8_t>(below(256));
      return;
    case 4:  // flags of TCP, the type of ICMP
      if (is.is_tcp()) {
        frame[at.transport + 13] = static_cast<std::uint8_t>(below(64));
      } else if (protocol::is_icmp(at.protocol)) {
        frame[at.transport] = static_cast<std::uint8_t>(below(256));
      }
      settle_right(frame, at);
      return;
    case 5: {  // a tag
      const std::array<std::uint8_t, 4> tag{0x81, 0x00, static_cast<std::uint8_t>(below(2) * 0xe0),
                                            static_cast<std::uint8_t>(below(2))};
      frame.insert(frame.begin() + 12, tag.begin(), tag.end());
      return;
    }
    case 6:
      frame[at.ip + (at.family == Family::v4 ? 8 : 7)] = 0;
      settle_header(frame, at);
      return;
    default:
      for (std::uint8_t& byte : frame) byte = static_cast<std::uint8_t>(random_());
      return;
  }
}

// The payload of a reset is cut off where names are looked for, and the model does not look for names.
void RandomTraffic::unburden(Bytes& frame) const {
  const Reading is = read_frame(frame);
  if (is.fate != Reading::Fate::packet || !is.is_tcp() || !is.has(flag::rst) || is.payload_bytes == 0) return;
  frame[is.at.transport + 13] = flag::ack;
}

bool RandomTraffic::arrives_in_pieces(const Arrival& arrival) {
  const Reading is = read_frame(arrival.frame);
  if (is.fate != Reading::Fate::packet || is.kind == Kind::fragment || is.at.transport_bytes() < 24) return false;
  std::vector<Bytes> cuts =
      cut(arrival.frame, is.at, chance(50) ? 68 + below(200) : 600 + below(900), 1 + below(chance(50) ? 4 : 65535));
  if (cuts.size() < 2 || cuts.size() > 40) return false;
  if (chance(10)) cuts.erase(cuts.begin() + below(static_cast<std::uint32_t>(cuts.size())));
  if (chance(10)) cuts.push_back(pick(cuts));
  if (chance(10)) {
    Bytes changed = pick(cuts);
    changed.back() ^= 1;
    cuts.push_back(changed);
  }
  if (chance(10)) {
    for (const Bytes& other : cut(arrival.frame, is.at, 100 + below(100), get32(cuts[0], 4) >> 16U))
      cuts.push_back(other);
  }
  if (chance(60)) std::shuffle(cuts.begin(), cuts.end(), random_);
  for (const Bytes& piece : cuts) {
    Bytes frame = link();
    put_link_type(frame, is.at.family);
    frame.insert(frame.end(), piece.begin(), piece.end());
    pieces_.push_back({chance(99) ? arrival.port : 1 - arrival.port, frame});
  }
  return true;
}

Arrival RandomTraffic::packet() {
  Arrival arrival;
  if (!pieces_.empty() && (chance(70) || pieces_.size() > 60)) {
    arrival = pieces_.front();
    pieces_.erase(pieces_.begin());
    return arrival;
  }
  const std::uint32_t dice = below(100);
  arrival.port = dice < 58 ? inside : outside;
  if (dice < 44) {
    arrival.frame = from_client();
  } else if (dice < 50) {
    arrival.frame = to_ourselves();
  } else if (dice < 53) {
    arrival.frame = nobody_s();
  } else if (dice < 58) {
    arrival.frame = error(inside);
  } else if (dice < 87) {
    arrival.frame = answer();
  } else if (dice < 93) {
    arrival.frame = stray();
  } else if (dice < 98) {
    arrival.frame = error(outside);
  } else {
    arrival.frame = nobody_s();
  }
  if (chance(4)) {
    spoil(arrival.frame);
    unburden(arrival.frame);
  } else if (chance(4) && arrives_in_pieces(arrival)) {
    return packet();
  }
  return arrival;
}

}  // namespace sallyport::model
