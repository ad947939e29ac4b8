// Endpoint-independent mappings (RFC 4787 REQ-1, RFC 5382 REQ-1, RFC 5508 REQ-1): one inside endpoint keeps one outside
// endpoint towards all servers while any of its flows lives. ICMP echo always, UDP and TCP as [nat] says.
//
// Where others than the server may answer through a mapping, its port rests when it is freed (RFC 6888 REQ-8): what was
// meant for the old holder must not reach a new one. To the same inside endpoint it is given again meanwhile. Where
// only the server itself may answer, nothing is ever looked for by an outside endpoint, and of those it is only known
// which are taken.
#pragma once

#include <cstdint>

#include "dataplane/flow/flow.h"
#include "dataplane/flow/flow_key.h"
#include "dataplane/flow/key_hash.h"
#include "dataplane/flow/key_index.h"
#include "dataplane/flow/port_set.h"
#include "dataplane/flow/slots.h"

namespace sallyport::dataplane {

// Both keys are FlowKeys with only a source: the endpoint. The inside one is told apart by egress address, too, since a
// policy may send one endpoint out under several.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;  // network byte order
  IpProtocol protocol = IpProtocol::udp;
};

struct Mapping {
  Endpoint inside;
  std::uint32_t nat_address;  // number in the AddressBook
  std::uint16_t nat_port;     // network byte order
  bool rests;                 // it has no flows any more
  std::uint32_t flows;
  std::uint32_t uninvited;  // of these: FlowFacts::uninvited
  Tick freed;               // it rests since then
  Tick refreshed;           // by a client's packet; kept where ports rest
  std::uint32_t next_resting, previous_resting;
};

class MappingBook {
 public:
  // Freed ports rest for `rest_ms`; 0: they are free at once.
  MappingBook(std::uint32_t capacity, std::uint32_t rest_ms, const KeyHash& hash)
      : mappings_(capacity),
        index_(std::size_t{mappings_.capacity()} * (rest_ms == 0 ? 1 : 2)),
        taken_(mappings_.capacity(), hash),
        rest_ms_(rest_ms),
        hash_(hash) {}

  [[nodiscard]] std::uint32_t find(const Endpoint& inside, std::uint32_t nat_address) const noexcept {
    const std::uint32_t found = index_.find(inside_hash(inside, nat_address), [&](std::uint32_t tagged) {
      const Mapping& m = mappings_[tagged >> 1U];
      return (tagged & 1U) == 0 && m.nat_address == nat_address && m.inside.port == inside.port &&
             m.inside.protocol == inside.protocol && m.inside.address == inside.address;
    });
    return found == KeyIndex::none ? 0 : found >> 1U;
  }
  // Does an outside endpoint belong to a mapping, or did it while that rests?
  [[nodiscard]] bool is_taken(std::uint32_t nat_address, std::uint16_t nat_port, IpProtocol protocol) const noexcept {
    return taken_.contains(port_of(nat_address, nat_port, protocol));
  }
  // Does it belong to one with flows?
  [[nodiscard]] bool is_used(std::uint32_t nat_address, std::uint16_t nat_port, IpProtocol protocol) const noexcept {
    if (!resting()) return is_taken(nat_address, nat_port, protocol);
    const std::uint32_t number = holder(nat_address, nat_port, protocol);
    return number != 0 && !rests(number);
  }
  // Where ports rest: the mapping that it belongs to, or belonged to; 0: none.
  [[nodiscard]] std::uint32_t holder(std::uint32_t nat_address, std::uint16_t nat_port,
                                     IpProtocol protocol) const noexcept {
    const std::uint32_t found = index_.find(outside_hash(nat_address, nat_port, protocol), [&](std::uint32_t tagged) {
      const Mapping& m = mappings_[tagged >> 1U];
      return (tagged & 1U) == 1 && m.nat_address == nat_address && m.nat_port == nat_port &&
             m.inside.protocol == protocol;
    });
    return found == KeyIndex::none ? 0 : found >> 1U;
  }
  [[nodiscard]] bool rests(std::uint32_t number) const noexcept { return mappings_[number].rests; }
  // Was it added just now, and no flow given yet?
  [[nodiscard]] bool is_new(std::uint32_t number) const noexcept {
    return mappings_[number].flows == 0 && !mappings_[number].rests;
  }
  // May others than those who have flows come in through it? Not where nobody inside holds it.
  [[nodiscard]] bool is_open(std::uint32_t number) const noexcept {
    return mappings_[number].flows > mappings_[number].uninvited;
  }

  // For callers that know what comes: fetches the mapping; or what find() will look at.
  void prefetch(std::uint32_t number) const noexcept { prefetch_whole(mappings_[number]); }
  [[nodiscard]] std::uint64_t prefetch(const Endpoint& inside, std::uint32_t nat_address) const noexcept {
    const std::uint64_t hash = inside_hash(inside, nat_address);
    index_.prefetch(hash);
    return hash;
  }
  // A mapping with this hash of its inside endpoint, perhaps the one that is meant, which is fetched from memory; 0:
  // none at a glance.
  [[nodiscard]] std::uint32_t glance(std::uint64_t hash) const noexcept {
    const std::uint32_t tagged = index_.hint(hash).number;
    if (tagged == KeyIndex::none) return 0;
    prefetch_whole(mappings_[tagged >> 1U]);
    return tagged >> 1U;
  }
  // Fetches what says whether an outside endpoint is taken.
  void prefetch_outside(std::uint32_t nat_address, std::uint16_t nat_port, IpProtocol protocol) const noexcept {
    taken_.prefetch(port_of(nat_address, nat_port, protocol));
  }
  // What is_taken() will most likely say.
  [[nodiscard]] bool looks_taken(std::uint32_t nat_address, std::uint16_t nat_port,
                                 IpProtocol protocol) const noexcept {
    return taken_.glance(port_of(nat_address, nat_port, protocol));
  }
  // Where the next new mappings will lie, `ahead` of them apart.
  void prefetch_new(std::uint32_t ahead) const noexcept { prefetch_whole(mappings_[mappings_.next(ahead)]); }

  // 0: no room. It has no flow yet: hold() or drop() follows.
  [[nodiscard]] std::uint32_t add(const Endpoint& inside, std::uint32_t nat_address, std::uint16_t nat_port) noexcept {
    const std::uint32_t number = mappings_.take();
    if (number == 0) return 0;
    mappings_[number] = {inside, nat_address, nat_port, false, 0, 0, 0, 0, 0, 0};
    if (!enter(number)) {
      mappings_.give_back(number);
      return 0;
    }
    return number;
  }
  // One more flow; after that nothing rests.
  void hold(std::uint32_t number, bool uninvited) noexcept {
    Mapping& mapping = mappings_[number];
    if (mapping.rests) leave_rest(mapping);
    ++mapping.flows;
    if (uninvited) ++mapping.uninvited;
  }
  // One of its flows is invited.
  void invite(std::uint32_t number) noexcept { --mappings_[number].uninvited; }
  void refresh(std::uint32_t number, Tick now) noexcept { mappings_[number].refreshed = now; }
  // A flow of it has ended. True: it was the last one, and the mapping is gone or rests. A resting one keeps its egress
  // address; whoever calls wake(), or hold(), gives that back.
  [[nodiscard]] bool release(std::uint32_t number, bool uninvited, Tick now) noexcept {
    if (uninvited) --mappings_[number].uninvited;
    if (--mappings_[number].flows != 0) return false;
    if (rest_ms_ == 0) {
      drop(number);
    } else {
      begin_rest(number, now);
    }
    return true;
  }
  // Of a mapping without flows that does not rest.
  void drop(std::uint32_t number) noexcept {
    const Mapping& m = mappings_[number];
    index_.erase(inside_hash(m.inside, m.nat_address), number << 1U);
    taken_.remove(port_of(m.nat_address, m.nat_port, m.inside.protocol));
    if (resting()) index_.erase(outside_hash(m.nat_address, m.nat_port, m.inside.protocol), number << 1U | 1U);
    mappings_.give_back(number);
  }

  [[nodiscard]] bool resting() const noexcept { return rest_ms_ != 0; }
  [[nodiscard]] std::uint32_t rest_ms() const noexcept { return rest_ms_; }
  // All mappings that ever were have smaller numbers.
  [[nodiscard]] std::uint32_t end() const noexcept { return mappings_.fresh(); }
  // Of any number below end(): is it a mapping, and does it rest?
  [[nodiscard]] bool is_resting(std::uint32_t number) const noexcept {
    const Mapping& m = mappings_[number];
    return m.rests && holder(m.nat_address, m.nat_port, m.inside.protocol) == number;
  }
  // One that began to rest in another process, or in none; the address of its inside endpoint may not be known. It
  // keeps its egress address. False: the outside endpoint is not free, or no room.
  [[nodiscard]] bool rest_again(const Endpoint& inside, std::uint32_t nat_address, std::uint16_t nat_port,
                                Tick freed) noexcept {
    if (const std::uint32_t known = holder(nat_address, nat_port, inside.protocol); known != 0) {
      if (rests(known) && since(mappings_[known].freed, freed) > 0) rest_longer(known, freed);
      return false;
    }
    const std::uint32_t number = add(inside, nat_address, nat_port);
    if (number != 0) begin_rest(number, freed);
    return number != 0;
  }
  // Frees the ports that have rested, each mapping to `freed` for the last time; at most `budget`.
  template <typename Freed>
  void wake(Tick now, std::uint32_t budget, const Freed& freed) noexcept {
    while (first_resting_ != 0 && budget-- != 0) {
      const std::uint32_t number = first_resting_;
      const Mapping mapping = mappings_[number];
      if (since(mapping.freed, now) < static_cast<std::int32_t>(rest_ms_)) return;
      leave_rest(mappings_[number]);
      drop(number);
      freed(mapping);
    }
  }

  [[nodiscard]] const Mapping& operator[](std::uint32_t number) const noexcept { return mappings_[number]; }
  [[nodiscard]] std::size_t bytes() const noexcept { return mappings_.bytes() + index_.bytes() + taken_.bytes(); }

 private:
  // Under both endpoints; the inside one only if it is known. False: no room.
  [[nodiscard]] bool enter(std::uint32_t number) noexcept {
    const Mapping& m = mappings_[number];
    const std::uint64_t in = inside_hash(m.inside, m.nat_address);
    const bool inside_known = m.inside.address != IpAddress{m.inside.address.family, {}};
    if (inside_known && !index_.insert(in, number << 1U)) return false;
    if (enter_outside(m, number)) return true;
    if (inside_known) index_.erase(in, number << 1U);
    return false;
  }
  // Its outside endpoint is free.
  [[nodiscard]] bool enter_outside(const Mapping& m, std::uint32_t number) noexcept {
    const PortSet::Port port = port_of(m.nat_address, m.nat_port, m.inside.protocol);
    if (!taken_.add(port)) return false;
    const auto hash = [&] { return outside_hash(m.nat_address, m.nat_port, m.inside.protocol); };
    if (!resting() || index_.insert(hash(), number << 1U | 1U)) return true;
    taken_.remove(port);
    return false;
  }
  // The latest comes last.
  void begin_rest(std::uint32_t number, Tick now) noexcept {
    Mapping& mapping = mappings_[number];
    mapping.rests = true;
    mapping.freed = now;
    mapping.next_resting = 0;
    mapping.previous_resting = last_resting_;
    (last_resting_ == 0 ? first_resting_ : mappings_[last_resting_].next_resting) = number;
    last_resting_ = number;
  }
  void leave_rest(Mapping& mapping) noexcept {
    const std::uint32_t next = mapping.next_resting, previous = mapping.previous_resting;
    (previous == 0 ? first_resting_ : mappings_[previous].next_resting) = next;
    (next == 0 ? last_resting_ : mappings_[next].previous_resting) = previous;
    mapping.rests = false;
  }
  void rest_longer(std::uint32_t number, Tick freed) noexcept {
    leave_rest(mappings_[number]);
    begin_rest(number, freed);
  }
  [[nodiscard]] static PortSet::Port port_of(std::uint32_t address, std::uint16_t port, IpProtocol protocol) noexcept {
    return {address, protocol, __builtin_bswap16(port)};
  }
  [[nodiscard]] std::uint64_t inside_hash(const Endpoint& e, std::uint32_t nat_address) const noexcept {
    return hash_(e.address, std::uint64_t{nat_address} << 32U | std::uint64_t{e.port} << 8U |
                                static_cast<std::uint64_t>(e.protocol));
  }
  [[nodiscard]] std::uint64_t outside_hash(std::uint32_t address, std::uint16_t port, IpProtocol p) const noexcept {
    FlowKey key;
    key.source_port = port;
    key.protocol = p;
    return hash_(key, std::uint64_t{address} << 8U | 2U);
  }

  Slots<Mapping> mappings_;
  KeyIndex index_;  // inside endpoints, and where ports rest the outside ones
  PortSet taken_;   // outside endpoints
  std::uint32_t rest_ms_;
  std::uint32_t first_resting_ = 0;
  std::uint32_t last_resting_ = 0;
  const KeyHash& hash_;
};

}  // namespace sallyport::dataplane
