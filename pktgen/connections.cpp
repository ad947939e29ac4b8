#include "pktgen/connections.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "pktgen/mixed.h"

namespace sallyport::pktgen {
namespace {

namespace wire = dataplane::wire;

constexpr std::size_t swept_a_call = 4096;
constexpr std::size_t looked_at_a_call = 512;  // fewer than any table has
constexpr std::size_t expired_a_call = 1024;   // more than are passed over meanwhile
constexpr unsigned sequence_bits_a_round = 20;
constexpr std::size_t hello_bytes_max = 4096;

std::size_t header_bytes(Family family) {
  return tcp_payload_offset(sizeof(wire::Ethernet), family, 0) - sizeof(wire::Ethernet);
}

// A hello's last segment is pushed.
bool wants_answer(std::uint8_t flags) { return (flags & (wire::Tcp::syn | wire::Tcp::psh | wire::Tcp::fin)) != 0; }

std::span<const std::uint8_t> bytes_of(const IpAddress& address) {
  return std::span(address.bytes).first(address_bytes(address.family));
}

}  // namespace

Connections::Connections(const ConnectOptions& options, std::vector<std::string> names,
                         const dataplane::MacAddress& source, const dataplane::MacAddress& destination,
                         std::uint64_t cycles_per_second)
    : options_(options),
      source_(source),
      destination_(destination),
      nanoseconds_a_cycle_(1e9 / static_cast<double>(cycles_per_second)),
      timeout_cycles_(static_cast<std::uint64_t>(options.timeout * static_cast<double>(cycles_per_second))),
      segment_bytes_max_(options.common.mtu - header_bytes(options.from.family)),
      clients_(options.from, options.sources),
      hellos_(std::move(names), options.post_quantum),
      table_(static_cast<std::size_t>(clients_.count())),
      waiting_(waiting_max),
      hello_(hello_bytes_max) {}

std::uint32_t Connections::first_sequence(std::uint32_t place, std::uint16_t round) const noexcept {
  return options_.sequence_base + static_cast<std::uint32_t>(mixed(place)) +
         (std::uint32_t{round} << sequence_bits_a_round);
}

std::size_t Connections::room(std::uint64_t now, std::size_t most) noexcept {
  if (!options_.rate) {
    most = std::min<std::size_t>(most, options_.parallel - std::min<std::uint64_t>(options_.parallel, under_way_));
  }
  if (most == 0) return 0;
  std::size_t free = 0;
  const std::size_t passed = pass_over_taken(now);
  for (std::size_t ahead = 0; passed + ahead < looked_at_a_call && free < most; ++ahead) {
    if (is_free(next_ + ahead, now)) ++free;
  }
  return free;
}

// How many places were seen. A turn in which all were taken counts as none, and is looked through again: rounds stay
// few, which sequence numbers live by.
std::size_t Connections::pass_over_taken(std::uint64_t now) noexcept {
  std::size_t passed = 0;
  for (; passed < looked_at_a_call && !is_free(next_, now); ++passed) {
    ++next_;
    if (++passed_over_ < table_.size()) continue;
    next_ -= table_.size();
    oldest_handshake_ = std::min(oldest_handshake_, next_);
    oldest_open_ = std::min(oldest_open_, next_);
    passed_over_ = 0;
    report_.endpoints_exhausted = true;
  }
  return passed;
}

bool Connections::is_free(std::uint64_t connection, std::uint64_t now) noexcept {
  Entry& entry = table_[connection % table_.size()];
  // A frame may have been timed a moment later than this call.
  if (entry.state == State::fin_sent && now >= entry.since && now - entry.since >= timeout_cycles_) time_out(entry);
  return entry.state == State::free;
}

void Connections::begin(std::uint64_t now) noexcept {
  if (options_.open != 0 && report_.open + under_way_ >= options_.open) close_oldest(now);
  while (!is_free(next_, now)) ++next_;
  passed_over_ = 0;
  const auto place = static_cast<std::uint32_t>(next_ % table_.size());
  table_[place] = {now, 0, static_cast<std::uint16_t>(next_ / table_.size()), State::syn_sent};
  ++next_;
  ++under_way_;
  ++report_.attempted;
  say(place, Say::syn);
}

bool Connections::is_in_its_place(std::uint64_t connection) const noexcept {
  return table_[connection % table_.size()].round == static_cast<std::uint16_t>(connection / table_.size());
}

bool Connections::is_under_way(std::uint64_t connection) const noexcept {
  const State state = table_[connection % table_.size()].state;
  return is_in_its_place(connection) && (state == State::syn_sent || state == State::hello_sent);
}

// Those under way may still open: none of them is passed by.
void Connections::close_oldest(std::uint64_t now) noexcept {
  for (; oldest_open_ < next_ && !is_under_way(oldest_open_); ++oldest_open_) {
    const auto place = static_cast<std::uint32_t>(oldest_open_ % table_.size());
    if (table_[place].state != State::open || !is_in_its_place(oldest_open_)) continue;
    close(place, now);
    return;
  }
}

std::size_t Connections::close_some(std::uint64_t now, std::size_t most) noexcept {
  std::size_t closed = 0;
  for (std::size_t seen = 0; seen < swept_a_call && closed < most && !all_seen(); ++seen, ++swept_) {
    if (table_[swept_].state != State::open) continue;
    close(static_cast<std::uint32_t>(swept_), now);
    ++closed;
  }
  return closed;
}

void Connections::close(std::uint32_t place, std::uint64_t now) noexcept {
  table_[place].state = State::fin_sent;
  table_[place].since = now;
  --report_.open;
  ++closing_;
  say(place, Say::fin);
}

void Connections::say(std::uint32_t place, Say what, std::uint8_t piece) noexcept {
  if (waiting_count_ == waiting_.size()) {
    ++report_.overrun;
    return;
  }
  waiting_[(waiting_first_ + waiting_count_++) % waiting_.size()] = {place, table_[place].round, what, piece};
}

std::uint32_t Connections::write(std::uint64_t now, std::uint8_t* bytes) noexcept {
  if (waiting_count_ == 0) return 0;
  const Waiting waiting = waiting_[waiting_first_];
  waiting_first_ = (waiting_first_ + 1) % waiting_.size();
  --waiting_count_;
  std::size_t payload_bytes = 0;
  const TcpWords words = compose(waiting, now, bytes, payload_bytes);
  if (words.flags == 0) return 0;
  if (wants_answer(words.flags)) ++report_.asking;
  auto& ethernet = wire::at<wire::Ethernet>(bytes);
  ethernet.destination = destination_;
  ethernet.source = source_;
  ethernet.type = options_.from.family == Family::v4 ? wire::ethertype_ipv4 : wire::ethertype_ipv6;
  const auto address = clients_.address(waiting.place);
  const TcpEndpoint client{std::span(address).first(address_bytes(options_.from.family)), clients_.port(waiting.place)};
  const std::uint32_t length = write_tcp(bytes, sizeof ethernet, client, {bytes_of(options_.to), options_.port}, words,
                                         payload_bytes, static_cast<std::uint16_t>(segment_bytes_max_));
  ++report_.sent.packets;
  report_.sent.bytes += length;
  return length;
}

TcpWords Connections::compose(const Waiting& waiting, std::uint64_t now, std::uint8_t* bytes,
                              std::size_t& payload_bytes) noexcept {
  Entry& entry = table_[waiting.place];
  const std::uint32_t first = first_sequence(waiting.place, entry.round);
  const auto hello = static_cast<std::uint32_t>(hello_bytes(waiting.place, entry.round));
  switch (waiting.what) {
    case Say::syn:
      return {first, 0, wire::Tcp::syn};
    case Say::ack_syn:
      return {first + 1, entry.server_next, wire::Tcp::ack};
    case Say::hello: {
      if (entry.state != State::hello_sent) return {};
      bool last = false;
      payload_bytes = write_hello(
          waiting, bytes + tcp_payload_offset(sizeof(wire::Ethernet), options_.from.family, wire::Tcp::ack), last);
      entry.since = now;
      const auto sent = static_cast<std::uint32_t>(waiting.piece * segment_bytes_max_);
      return {first + 1 + sent, entry.server_next,
              static_cast<std::uint8_t>(wire::Tcp::ack | (last ? wire::Tcp::psh : 0U))};
    }
    case Say::ack_answer:
      return {first + 1 + hello, entry.server_next, wire::Tcp::ack};
    case Say::fin:
      if (entry.state != State::fin_sent) return {};
      return {first + 1 + hello, entry.server_next, wire::Tcp::fin | wire::Tcp::ack};
    case Say::ack_fin:
      return {first + 2 + hello, entry.server_next, wire::Tcp::ack};
  }
  return {};
}

std::size_t Connections::write_hello(const Waiting& waiting, std::uint8_t* payload, bool& last) noexcept {
  const std::uint64_t number = hello_number(waiting.place, waiting.round);
  const std::size_t whole = hellos_.bytes(number);
  const std::size_t from = waiting.piece * segment_bytes_max_;
  const std::size_t count = std::min(whole - from, segment_bytes_max_);
  hellos_.write(number, number, std::span(hello_).first(whole));
  std::memcpy(payload, hello_.data() + from, count);
  last = from + count == whole;
  return count;
}

bool Connections::take(std::uint64_t now, std::span<const std::uint8_t> frame) noexcept {
  const std::optional<TcpSegment> segment = read_tcp(frame);
  if (!segment || segment->from.port != options_.port) return false;
  const std::span<const std::uint8_t> server = bytes_of(options_.to);
  if (!std::equal(segment->from.address.begin(), segment->from.address.end(), server.begin(), server.end()))
    return false;
  const std::optional<std::uint64_t> number = clients_.number_of(segment->to.address, segment->to.port);
  if (!number) return false;
  ++report_.received.packets;
  report_.received.bytes += frame.size();
  const auto place = static_cast<std::uint32_t>(*number);
  const std::uint8_t flags = segment->words.flags;
  if ((flags & wire::Tcp::rst) != 0) {
    take_reset(table_[place]);
  } else if ((flags & wire::Tcp::syn) != 0) {
    take_syn_ack(place, now, *segment);
  } else if ((flags & wire::Tcp::fin) != 0) {
    take_fin(place, *segment);
  } else if (segment->payload_bytes != 0) {
    take_answer(place, now, *segment);
  }
  return true;
}

void Connections::take_syn_ack(std::uint32_t place, std::uint64_t now, const TcpSegment& segment) noexcept {
  Entry& entry = table_[place];
  if (entry.state != State::syn_sent || segment.words.acknowledgment != first_sequence(place, entry.round) + 1) return;
  ++report_.established;
  report_.handshake.add(nanoseconds(now - entry.since));
  entry.state = State::hello_sent;
  entry.since = now;
  entry.server_next = segment.next_sequence();
  say(place, Say::ack_syn);
  const std::size_t hello = hello_bytes(place, entry.round);
  for (std::size_t piece = 0; piece * segment_bytes_max_ < hello; ++piece) {
    say(place, Say::hello, static_cast<std::uint8_t>(piece));
  }
}

void Connections::take_answer(std::uint32_t place, std::uint64_t now, const TcpSegment& segment) noexcept {
  Entry& entry = table_[place];
  const auto hello = static_cast<std::uint32_t>(hello_bytes(place, entry.round));
  const std::uint32_t expected = first_sequence(place, entry.round) + 1 + hello;
  if (entry.state != State::hello_sent || segment.words.acknowledgment != expected) return;
  ++report_.answered;
  report_.hello.add(nanoseconds(now - entry.since));
  entry.state = State::open;
  entry.server_next = segment.next_sequence();
  --under_way_;
  ++report_.open;
  report_.open_most = std::max(report_.open_most, report_.open);
  if (options_.open == 0) {
    close(place, now);
  } else {
    say(place, Say::ack_answer);
  }
}

void Connections::take_fin(std::uint32_t place, const TcpSegment& segment) noexcept {
  Entry& entry = table_[place];
  const auto hello = static_cast<std::uint32_t>(hello_bytes(place, entry.round));
  const std::uint32_t expected = first_sequence(place, entry.round) + 2 + hello;
  if (entry.state != State::fin_sent || segment.words.acknowledgment != expected) return;
  ++report_.closed;
  --closing_;
  entry.server_next = segment.next_sequence();
  entry.state = State::free;
  say(place, Say::ack_fin);
}

void Connections::take_reset(Entry& entry) noexcept {
  if (entry.state == State::free) return;
  ++report_.reset;
  if (entry.state == State::open) {
    --report_.open;
    ++report_.reset_when_open;
  } else {
    --(entry.state == State::fin_sent ? closing_ : under_way_);
  }
  entry.state = State::free;
}

// Whoever waits for an answer to SYN, hello or FIN.
void Connections::time_out(Entry& entry) noexcept {
  if (entry.state == State::syn_sent) ++report_.timed_out_syn;
  if (entry.state == State::hello_sent) ++report_.timed_out_hello;
  if (entry.state == State::fin_sent) ++report_.timed_out_fin;
  --(entry.state == State::fin_sent ? closing_ : under_way_);
  entry.state = State::free;
}

void Connections::expire(std::uint64_t now) noexcept {
  for (std::size_t i = 0; i < expired_a_call && oldest_handshake_ < next_; ++i, ++oldest_handshake_) {
    if (!is_under_way(oldest_handshake_)) continue;
    Entry& entry = table_[oldest_handshake_ % table_.size()];
    // A frame may have been timed a moment later than this call.
    if (now < entry.since || now - entry.since < timeout_cycles_) return;
    time_out(entry);
  }
}

void Connections::expire_closing() noexcept {
  for (Entry& entry : table_) {
    if (entry.state == State::fin_sent) time_out(entry);
  }
}

}  // namespace sallyport::pktgen
