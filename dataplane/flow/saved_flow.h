// What of a flow outlives the process: plain values without the numbers that one process gives out and no other knows.
// Rules, networks and workloads are not among them: whoever takes a flow back asks the policy of that day.
//
// Times are nanoseconds since the epoch, so that what was over meanwhile is over.
#pragma once

#include <array>
#include <cstdint>

#include "config/address.h"
#include "dataplane/flow/flow.h"
#include "dataplane/flow/flow_key.h"
#include "dataplane/flow_record.h"
#include "dataplane/tunnels.h"

namespace sallyport::dataplane {

// Flags that mean something in another process, too.
inline constexpr std::uint8_t saved_flags =
    Flow::observing | Flow::recorded | Flow::midstream | Flow::guarded | Flow::sealed;

// Behind which node of an overlay a flow's client was, with what finds the tunnel among those of another process.
struct SavedTunnel {
  config::TunnelType type = config::TunnelType::vxlan;
  IpAddress local;
  TunnelPeer peer;  // but its place
};

// Allowed, and in both indexes.
struct SavedFlow {
  FlowKey inside;
  bool translated = false;
  IpAddress nat_address;       // with `translated`
  std::uint16_t nat_port = 0;  // network byte order
  bool by_prefix = false;      // the address is the sender's own, with all its ports (RFC 6296)
  bool tunnelled = false;
  SavedTunnel tunnel;  // with `tunnelled`
  TcpState tcp = TcpState::none;
  std::uint8_t flags = 0;
  AppProtocol app = AppProtocol::unknown;
  bool audited = false, ech = false;
  std::uint64_t started_ns = 0;
  std::uint64_t seen_ns = 0;    // what its timeout counts from
  std::uint64_t packet_ns = 0;  // of a packet that did not refresh it; 0: none
  std::array<std::uint64_t, 2> packets{}, bytes{};
  TcpTrack track{};
  std::uint32_t quic_version = 0;
  std::uint32_t domain = 0;  // NameBindings::mark() of a process with the same seed
  std::uint16_t name_length = 0;
  std::array<char, record_name_bytes> name;

  [[nodiscard]] std::string_view shown_name() const noexcept { return {name.data(), name_length}; }
};

// A flow that another gateway was told of, and that is over.
struct EndedFlow {
  FlowKey inside;
  std::uint64_t started_ns = 0;  // which of those under this key
};

// An outside endpoint that rests since its last flow ended (nat.md 5).
struct SavedRest {
  IpAddress address;
  std::uint16_t port = 0;  // network byte order
  IpProtocol protocol = IpProtocol::udp;
  std::uint64_t freed_ns = 0;
};

// What became of a saved flow.
enum class TakenBack : std::uint8_t {
  taken,
  over,       // its timeout passed meanwhile
  elsewhere,  // its port belongs to another worker than its sender: there are more workers than there were
  refused,    // its key or port is taken, or there is no room
};
inline constexpr std::size_t taken_back_count = 4;

}  // namespace sallyport::dataplane
