// The flows of one worker, found from either side.
//
// A flow stands in one index under two keys: the inside key (client -> server) and the outside key (server -> egress
// address and port, as an answer comes in). The index number carries the side in its lowest bit.
//
// A flow's parts (flow.h) lie in arrays of their own under the flow's number; whoever has the Flow finds the others by
// its place. Number 0 is the draft: a new flow is made there and moves into the table when it may.
#pragma once

#include <cstdint>
#include <cstring>

#include <immintrin.h>

#include "dataplane/flow/books.h"
#include "dataplane/flow/flow.h"
#include "dataplane/flow/key_hash.h"
#include "dataplane/flow/key_index.h"
#include "dataplane/flow/slots.h"

namespace sallyport::dataplane {

class FlowTable {
 public:
  enum class Side : std::uint8_t { inside = 0, outside = 1 };

  FlowTable(std::uint32_t capacity, const KeyHash& hash, const AddressBook& addresses)
      : flows_(capacity),
        addresses6_(std::size_t{capacity} + 1),
        tracks_(std::size_t{capacity} + 1),
        facts_(std::size_t{capacity} + 1),
        extras_(capacity + 1),
        index_(std::size_t{capacity} * 2),
        hash_(hash),
        addresses_(addresses) {}

  [[nodiscard]] std::uint64_t hash(const FlowKey& key, Side side) const noexcept {
    return hash_(key, static_cast<std::uint64_t>(side));
  }
  // The same of a packet's bytes, of which addresses, source in front, and ports make one string.
  template <Family family>
  [[nodiscard]] std::uint64_t hash(const std::uint8_t* tuple, IpProtocol protocol, Side side) const noexcept {
    const auto domain = static_cast<std::uint64_t>(side);
    if constexpr (family == Family::v4) {
      return hash_.of_v4(word<std::uint64_t>(tuple), word<std::uint32_t>(tuple + 8), protocol, domain);
    } else {
      return hash_.of_v6(tuple, word<std::uint32_t>(tuple + 32), protocol, domain);
    }
  }
  void prefetch_bucket(std::uint64_t hash) const noexcept { index_.prefetch(hash); }
  // What the index says at a glance; where it is Hint::elsewhere, glance_elsewhere() when what was prefetched is there.
  using Hint = KeyIndex::Hint;
  [[nodiscard]] Hint glance(std::uint64_t hash) const noexcept {
    const Hint hint = index_.hint(hash);
    if (hint.elsewhere) index_.prefetch_other(hash);
    return hint;
  }
  [[nodiscard]] std::uint32_t glance_elsewhere(std::uint64_t hash) const noexcept {
    return index_.hint_elsewhere(hash);
  }
  // What packets of this flow touch of it.
  void prefetch_parts(Family family, bool tcp, FlowNumber number) const noexcept {
    prefetch(&flows_[number]);
    if (family == Family::v6) prefetch(&addresses6_[number]);
    if (tcp) prefetch(&tracks_[number]);
  }
  // Is this flow, whose protocol and family are known to be the packet's, the one of this string of addresses and
  // ports?
  template <Family family>
  [[nodiscard]] bool has_tuple(FlowNumber number, const std::uint8_t* tuple, Side side) const noexcept {
    const Flow& flow = flows_[number];
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&flow);
    if constexpr (family == Family::v4) {
      const auto addresses = word<std::uint64_t>(tuple);
      const auto ports = word<std::uint32_t>(tuple + 8);
      if (side == Side::inside) {
        return ((word<std::uint64_t>(bytes) ^ addresses) | (word<std::uint32_t>(bytes + Flow::ports_at) ^ ports)) == 0;
      }
      const std::uint64_t own = std::uint64_t{flow.nat_address4} << 32U | flow.destination4;
      return ((own ^ addresses) | (ports_from(flow) ^ ports)) == 0;
    } else {
      const Addresses6& inside = addresses6_[number];
      const auto ports = word<std::uint32_t>(tuple + 32);
      const __m256i addresses = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(tuple));
      if (side == Side::inside) {
        return word<std::uint32_t>(bytes + Flow::ports_at) == ports &&
               same(_mm256_load_si256(reinterpret_cast<const __m256i*>(&inside)), addresses);
      }
      const auto* server = reinterpret_cast<const __m128i*>(inside.destination.data());
      const auto* egress = reinterpret_cast<const __m128i*>(addresses_[flow.nat_address].bytes.data());
      return ports_from(flow) == ports && same(_mm256_loadu2_m128i(egress, server), addresses);
    }
  }

  // 0: there is none.
  [[nodiscard]] FlowNumber find(const FlowKey& key, std::uint64_t key_hash, Side side) const noexcept {
    const std::uint32_t found = index_.find(key_hash, [&](std::uint32_t number) {
      if ((number & 1U) != static_cast<std::uint32_t>(side)) return false;
      return side == Side::inside ? is_inside_key(number >> 1U, key) : is_outside_key(number >> 1U, key);
    });
    return found == KeyIndex::none ? 0 : found >> 1U;
  }
  // The same after a glance, which packets in front of this one may have made stale.
  [[nodiscard]] FlowNumber find(const FlowKey& key, std::uint64_t key_hash, Side side,
                                std::uint32_t glanced) const noexcept {
    if (glanced != KeyIndex::none && (glanced & 1U) == static_cast<std::uint32_t>(side)) {
      const FlowNumber number = glanced >> 1U;
      const bool linked = flows_[number].live > static_cast<std::uint8_t>(side);
      if (linked && (side == Side::inside ? is_inside_key(number, key) : is_outside_key(number, key))) return number;
    }
    return find(key, key_hash, side);
  }
  [[nodiscard]] FlowNumber find(const FlowKey& key, Side side) const noexcept {
    return find(key, hash(key, side), side);
  }

  // Client -> server, before translation.
  [[nodiscard]] FlowKey inside_key(const Flow& flow) const noexcept {
    FlowKey key;
    put_inside_key(flow, key);
    return key;
  }
  // The same where it is to stand: what was just written in pieces is dear to copy, since wider loads wait until all of
  // the pieces are in the cache.
  void put_inside_key(const Flow& flow, FlowKey& key) const noexcept {
    put_inside_addresses(flow, key.source, key.destination);
    key.set_ports(flow.source_port, flow.destination_port);
    key.protocol = flow.protocol;
    key.family = flow.family;
  }
  [[nodiscard]] IpAddress source(const Flow& flow) const noexcept {
    return flow.family == Family::v4 ? from_v4_word(flow.source4) : from_v6(addresses6_[number_of(flow)].source);
  }
  [[nodiscard]] IpAddress destination(const Flow& flow) const noexcept {
    return flow.family == Family::v4 ? from_v4_word(flow.destination4)
                                     : from_v6(addresses6_[number_of(flow)].destination);
  }
  // With a flow of IPv6 only.
  [[nodiscard]] const Addresses6& inside_addresses6(const Flow& flow) const noexcept {
    return addresses6_[number_of(flow)];
  }
  // As an answer to the flow comes in from outside.
  [[nodiscard]] FlowKey outside_key(const Flow& flow) const noexcept {
    FlowKey key;
    put_inside_addresses(flow, key.destination, key.source);
    if (flow.nat_address != 0) key.destination = addresses_[flow.nat_address].bytes;
    const std::uint16_t egress_port = flow.nat_address != 0 ? flow.nat_port : flow.source_port;
    // Echo keys keep the identifier in source_port in both directions.
    const bool echo = is_echo(flow.protocol);
    key.set_ports(echo ? egress_port : flow.destination_port, echo ? std::uint16_t{0} : egress_port);
    key.protocol = flow.protocol;
    key.family = flow.family;
    return key;
  }
  [[nodiscard]] static bool is_echo(IpProtocol protocol) noexcept {
    return protocol == IpProtocol::icmp || protocol == IpProtocol::icmp6;
  }

  // Where the next new flows will lie, `ahead` of them apart.
  void prefetch_new(const FlowKey& key, std::uint32_t ahead) const noexcept {
    const FlowNumber number = flows_.next(ahead);
    prefetch_parts(key.family, key.protocol == IpProtocol::tcp, number);
    prefetch_whole(facts_[number]);
  }

  // For callers that know who comes: its line, its facts and its addresses, whether it has any here or not.
  void prefetch_flow(FlowNumber number) const noexcept {
    prefetch(&flows_[number]);
    prefetch(&facts_[number]);
    prefetch(&addresses6_[number]);
  }
  // What unlink() will look at.
  void prefetch_links(FlowNumber number) const noexcept {
    prefetch_bucket(side_hash(number, Side::inside));
    if (flows_[number].live == 2) prefetch_bucket(side_hash(number, Side::outside));
  }

  [[nodiscard]] bool full() const noexcept { return flows_.exhausted(); }
  // A flow of this key and nothing else, untranslated, in no index.
  [[nodiscard]] Flow& begin_draft(const FlowKey& inside) noexcept {
    Flow& flow = flows_[draft];
    flow = Flow{};
    tracks_[draft] = TcpTrack{};
    forget_extras(draft);
    facts_[draft] = FlowFacts{};
    flow.family = inside.family;
    flow.protocol = inside.protocol;
    flow.source_port = flow.nat_port = inside.source_port;
    flow.destination_port = inside.destination_port;
    if (inside.family == Family::v6) {
      addresses6_[draft] = {inside.source, inside.destination};
      return flow;
    }
    flow.source4 = flow.nat_address4 = v4_word(inside.source);
    flow.destination4 = v4_word(inside.destination);
    return flow;
  }
  // The draft as a flow of the table that is in no index yet, or 0. What the draft had of extras is that flow's now.
  [[nodiscard]] FlowNumber keep_draft() noexcept {
    const FlowNumber number = flows_.take();
    if (number == 0) return 0;
    const Flow& flow = flows_[draft];
    flows_[number] = flow;
    facts_[number] = facts_[draft];
    facts_[draft].extras = 0;
    if (flow.family == Family::v6) addresses6_[number] = addresses6_[draft];
    if (flow.is_tcp()) tracks_[number] = tracks_[draft];
    return number;
  }
  void give_back(FlowNumber number) noexcept {
    forget_extras(number);
    flows_[number].live = 0;
    flows_.give_back(number);
  }
  [[nodiscard]] bool link(FlowNumber number, Side side) noexcept { return link(number, side, side_hash(number, side)); }
  // `key_hash`: of the key under which it is to stand.
  [[nodiscard]] bool link(FlowNumber number, Side side, std::uint64_t key_hash) noexcept {
    return index_.insert(key_hash, number << 1U | static_cast<std::uint32_t>(side));
  }
  void unlink(FlowNumber number, Side side) noexcept {
    index_.erase(side_hash(number, side), number << 1U | static_cast<std::uint32_t>(side));
  }

  [[nodiscard]] Flow& operator[](FlowNumber number) noexcept { return flows_[number]; }
  [[nodiscard]] const Flow& operator[](FlowNumber number) const noexcept { return flows_[number]; }
  [[nodiscard]] FlowNumber number_of(const Flow& flow) const noexcept {
    return static_cast<FlowNumber>(&flow - &flows_[0]);
  }
  [[nodiscard]] FlowFacts& facts(const Flow& flow) noexcept { return facts_[number_of(flow)]; }
  [[nodiscard]] const FlowFacts& facts(const Flow& flow) const noexcept { return facts_[number_of(flow)]; }
  [[nodiscard]] FlowFacts& facts(FlowNumber number) noexcept { return facts_[number]; }
  // Those that a flow has, or nothing but zeros.
  [[nodiscard]] const FlowExtras& extras(FlowNumber number) const noexcept { return extras_[facts_[number].extras]; }
  [[nodiscard]] const FlowExtras& extras(const Flow& flow) const noexcept { return extras(number_of(flow)); }
  // The same to write into. There are some for everybody, and one more for the draft.
  [[nodiscard]] FlowExtras& own_extras(FlowNumber number) noexcept {
    std::uint32_t& own = facts_[number].extras;
    if (own == 0) {
      own = extras_.take();
      extras_[own] = FlowExtras{};
    }
    return extras_[own];
  }
  [[nodiscard]] FlowExtras& own_extras(const Flow& flow) noexcept { return own_extras(number_of(flow)); }
  // Writes it, unless it is nothing and there is nowhere that it would have to be overwritten.
  template <typename T>
  void note(const Flow& flow, T FlowExtras::*what, T value) noexcept {
    if (value != T{} || facts(flow).extras != 0) own_extras(flow).*what = value;
  }
  [[nodiscard]] TcpTrack& track(const Flow& flow) noexcept { return tracks_[number_of(flow)]; }
  [[nodiscard]] const TcpTrack& track(const Flow& flow) const noexcept { return tracks_[number_of(flow)]; }

  [[nodiscard]] std::uint32_t live() const noexcept { return flows_.in_use(); }
  [[nodiscard]] std::uint32_t capacity() const noexcept { return flows_.capacity(); }
  // All flows that ever were have smaller numbers; the memory behind was never touched.
  [[nodiscard]] FlowNumber end() const noexcept { return flows_.fresh(); }
  [[nodiscard]] std::size_t bytes() const noexcept {
    return flows_.bytes() + addresses6_.bytes() + tracks_.bytes() + facts_.bytes() + extras_.bytes() + index_.bytes();
  }

 private:
  static constexpr FlowNumber draft = 0;

  void forget_extras(FlowNumber number) noexcept {
    std::uint32_t& own = facts_[number].extras;
    if (own == 0) return;
    extras_.give_back(own);
    own = 0;
  }
  template <typename Word>
  [[nodiscard]] static Word word(const std::uint8_t* bytes) noexcept {
    Word value;
    std::memcpy(&value, bytes, sizeof value);
    return value;
  }
  [[nodiscard]] static bool same(__m256i a, __m256i b) noexcept {
    return _mm256_movemask_epi8(_mm256_cmpeq_epi8(a, b)) == -1;
  }
  // Of an answer to a translated flow with ports.
  [[nodiscard]] static std::uint32_t ports_from(const Flow& flow) noexcept {
    return std::uint32_t{flow.nat_port} << 16U | flow.destination_port;
  }
  [[nodiscard]] static std::uint32_t v4_word(const std::array<std::uint8_t, 16>& bytes) noexcept {
    std::uint32_t word;
    std::memcpy(&word, bytes.data(), sizeof word);
    return word;
  }
  // All of it in one store: whoever hashes or copies it reads more than the word.
  static void put_v4_word(std::uint32_t word, std::array<std::uint8_t, 16>& bytes) noexcept {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes.data()), _mm_cvtsi32_si128(static_cast<int>(word)));
  }
  using AddressBytes = std::array<std::uint8_t, 16>;
  void put_inside_addresses(const Flow& flow, AddressBytes& source, AddressBytes& destination) const noexcept {
    if (flow.family == Family::v4) {
      put_v4_word(flow.source4, source);
      put_v4_word(flow.destination4, destination);
    } else {
      const Addresses6& inside = addresses6_[number_of(flow)];
      source = inside.source;
      destination = inside.destination;
    }
  }
  [[nodiscard]] static IpAddress from_v4_word(std::uint32_t word) noexcept {
    IpAddress address;
    put_v4_word(word, address.bytes);
    return address;
  }
  [[nodiscard]] static IpAddress from_v6(const std::array<std::uint8_t, 16>& bytes) noexcept {
    return {Family::v6, bytes};
  }

  // Of two words each; the compiler would call memcmp().
  [[nodiscard]] static bool same(const std::array<std::uint8_t, 16>& a,
                                 const std::array<std::uint8_t, 16>& b) noexcept {
    std::uint64_t left[2], right[2];
    std::memcpy(left, a.data(), sizeof left);
    std::memcpy(right, b.data(), sizeof right);
    return ((left[0] ^ right[0]) | (left[1] ^ right[1])) == 0;
  }
  [[nodiscard]] bool is_inside_key(FlowNumber number, const FlowKey& key) const noexcept {
    const Flow& flow = flows_[number];
    if (flow.source_port != key.source_port || flow.destination_port != key.destination_port ||
        flow.protocol != key.protocol || flow.family != key.family) {
      return false;
    }
    if (key.family == Family::v4) {
      return flow.source4 == v4_word(key.source) && flow.destination4 == v4_word(key.destination);
    }
    return same(addresses6_[number].source, key.source) && same(addresses6_[number].destination, key.destination);
  }
  [[nodiscard]] bool is_outside_key(FlowNumber number, const FlowKey& key) const noexcept {
    const Flow& flow = flows_[number];
    const bool echo = is_echo(key.protocol);
    const std::uint16_t server_port = echo ? key.destination_port : key.source_port;
    const std::uint16_t egress_port = echo ? key.source_port : key.destination_port;
    if (flow.nat_port != egress_port || flow.destination_port != server_port || flow.protocol != key.protocol ||
        flow.family != key.family) {
      return false;
    }
    if (key.family == Family::v4) {
      return flow.destination4 == v4_word(key.source) && flow.nat_address4 == v4_word(key.destination);
    }
    const Addresses6& inside = addresses6_[number];
    const auto& egress = flow.nat_address != 0 ? addresses_[flow.nat_address].bytes : inside.source;
    return same(inside.destination, key.source) && same(egress, key.destination);
  }

  [[nodiscard]] std::uint64_t side_hash(FlowNumber number, Side side) const noexcept {
    const Flow& flow = flows_[number];
    return hash(side == Side::inside ? inside_key(flow) : outside_key(flow), side);
  }

  Slots<Flow> flows_;
  Block<Addresses6> addresses6_;
  Block<TcpTrack> tracks_;
  Block<FlowFacts> facts_;
  Slots<FlowExtras> extras_;
  KeyIndex index_;
  const KeyHash& hash_;
  const AddressBook& addresses_;
};

}  // namespace sallyport::dataplane
