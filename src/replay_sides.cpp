#include "src/replay_sides.h"

#include <chrono>
#include <cstring>
#include <utility>

#include "dataplane/flow/memory.h"

namespace sallyport {
namespace {

using dataplane::FlowKey;
using dataplane::Instant;

constexpr std::size_t entries_at_first = 4096;
constexpr std::uint64_t hash_domain = 1;

Instant nanoseconds(std::chrono::milliseconds timeout) noexcept {
  return static_cast<Instant>(std::chrono::nanoseconds(timeout).count());
}

bool source_is_smaller(const FlowKey& key) noexcept {
  const int addresses = std::memcmp(key.source.data(), key.destination.data(), key.source.size());
  return addresses != 0 ? addresses < 0 : key.source_port <= key.destination_port;
}

}  // namespace

ReplaySides::ReplaySides(const config::Timeouts& timeouts)
    : random_(0),
      hash_(random_),
      tcp_lifetime_(nanoseconds(timeouts.tcp_established)),
      udp_lifetime_(nanoseconds(timeouts.udp)),
      entries_(entries_at_first) {}

Instant ReplaySides::lifetime(dataplane::IpProtocol protocol) const noexcept {
  return protocol == dataplane::IpProtocol::udp ? udp_lifetime_ : tcp_lifetime_;
}

std::size_t ReplaySides::place(const FlowKey& canonical) const noexcept {
  const std::size_t mask = entries_.size() - 1;
  std::size_t at = hash_(canonical, hash_domain) & mask;
  while (entries_[at].used != 0 && !(entries_[at].key == canonical)) at = (at + 1) & mask;
  return at;
}

void ReplaySides::grow() {
  std::vector<Entry> before = std::exchange(entries_, std::vector<Entry>(entries_.size() * 2));
  for (const Entry& entry : before) {
    if (entry.used != 0) entries_[place(entry.key)] = entry;
  }
}

ReplaySides::Sender ReplaySides::note(const FlowKey& key, bool is_syn_ack, Instant now) {
  if (used_ * 2 >= entries_.size()) grow();
  const bool smaller = source_is_smaller(key);
  const FlowKey canonical = smaller ? key : key.reversed();
  Entry& entry = entries_[place(canonical)];
  if (entry.used == 0) {
    ++used_;
    entry = {canonical, static_cast<std::uint8_t>(smaller != is_syn_ack), 1, now};
  } else if (now - entry.last_seen >= lifetime(key.protocol)) {
    entry.smaller_inside = static_cast<std::uint8_t>(smaller != is_syn_ack);
  }
  entry.last_seen = now;
  return smaller == (entry.smaller_inside != 0) ? Sender::inside : Sender::outside;
}

ReplaySides::Sender ReplaySides::find(const FlowKey& key, Instant now) const noexcept {
  const bool smaller = source_is_smaller(key);
  const Entry& entry = entries_[place(smaller ? key : key.reversed())];
  if (entry.used == 0 || now - entry.last_seen >= lifetime(key.protocol)) return Sender::unknown;
  return smaller == (entry.smaller_inside != 0) ? Sender::inside : Sender::outside;
}

void ReplaySides::foresee(const FlowKey& key) const noexcept {
  const FlowKey canonical = source_is_smaller(key) ? key : key.reversed();
  dataplane::prefetch(&entries_[hash_(canonical, hash_domain) & (entries_.size() - 1)]);
}

void ReplaySides::set_inside(const FlowKey& key, Instant now) {
  const bool smaller = source_is_smaller(key);
  Entry& entry = entries_[place(smaller ? key : key.reversed())];
  entry.smaller_inside = static_cast<std::uint8_t>(smaller);
  entry.last_seen = now;
}

}  // namespace sallyport
