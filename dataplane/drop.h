// Every end of a packet that is not a transmission has a name. One counter and one test each; docs/OPERATIONS.md says
// what each means and what to do about it (a lint test compares).
//
// Always: received = transmitted + held + sum of these. A packet that the gateway makes itself (a reset, an ICMP error)
// is counted apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport::dataplane {

// X(name, description)
#define SALLYPORT_DROPS(X)                                                                                    \
  X(no_policy, "no valid policy was ever loaded")                                                             \
  X(standby, "another gateway forwards in place of this one")                                                 \
  X(not_ip, "neither IPv4 nor IPv6, nor for the gateway itself")                                              \
  X(wrong_vlan, "a VLAN tag that the port does not carry")                                                    \
  X(to_gateway, "addressed to the gateway itself: handed to the kernel")                                      \
  X(frame_truncated, "the frame ends inside a header")                                                        \
  X(ip_bad_version, "the version field is not that of the EtherType")                                         \
  X(ip_bad_header_length, "the IPv4 header length is below 20 or past the packet")                            \
  X(ip_bad_total_length, "the IP length field does not fit the header or the frame")                          \
  X(ip_bad_checksum, "wrong IPv4 header checksum")                                                            \
  X(ip_source_route, "IPv4 source route option")                                                              \
  X(ip_ttl_zero, "TTL or hop limit 0 on arrival")                                                             \
  X(ttl_exceeded, "TTL or hop limit ends here: answered by time exceeded")                                    \
  X(ip6_bad_extension, "an IPv6 extension header is unknown, too long, misplaced, or one of more than eight") \
  X(ip6_routing_type_0, "IPv6 routing header type 0 (RFC 5095)")                                              \
  X(l4_truncated, "the packet ends inside its transport header")                                              \
  X(l4_bad_length, "a transport length field does not fit the packet")                                        \
  X(tcp_bad_flags, "a TCP flag combination that no stack sends (none, SYN with FIN or RST)")                  \
  X(udp6_zero_checksum, "UDP over IPv6 without a checksum")                                                   \
  X(icmp_bad_checksum, "wrong ICMP checksum")                                                                 \
  X(unsupported_protocol, "an IP protocol that this version does not translate")                              \
  X(icmp_unsupported, "an ICMP type that is neither echo nor a known error")                                  \
  X(martian_source, "a source address that no packet may carry here")                                         \
  X(martian_destination, "a destination address that no packet may carry here")                               \
  X(martian_land, "source equal to destination")                                                              \
  X(martian_own_address, "an outside packet whose source is one of our egress addresses")                     \
  X(source_check, "an inside source that no workload, namespace or inside network covers")                    \
  X(fragment_tiny, "a first fragment that splits the transport header (RFC 1858, 7112)")                      \
  X(fragment_overlap, "overlapping fragments (RFC 5722)")                                                     \
  X(fragment_bad, "a fragment that cannot be: not a multiple of 8, past 65535, marks that contradict")        \
  X(fragment_timeout, "the rest of the datagram did not come in time")                                        \
  X(fragments_full, "too many datagrams in pieces at once")                                                   \
  X(policy_denied, "the policy says no: a new flow")                                                          \
  X(flow_denied, "more of a flow that was denied")                                                            \
  X(policy_removed, "an established flow that the new policy no longer allows")                               \
  X(hello_denied, "held for a server name; the verdict was no")                                               \
  X(hello_duplicate, "payload that is held already")                                                          \
  X(hello_unordered, "follows a gap in what is read before the verdict: comes again")                         \
  X(hello_cut, "payload cut off a SYN: an unfinished hello")                                                  \
  X(hello_abandoned, "held for a server name; the connection ended first")                                    \
  X(held_full, "no room to hold more payload")                                                                \
  X(flows_exhausted, "the flow table is full")                                                                \
  X(worker_overloaded, "a new flow while the worker has more packets than time")                              \
  X(source_limit, "the source has as many flows as it may, or opens them too fast")                           \
  X(nat_ports_exhausted, "no free port on the egress address towards this server")                            \
  X(source_ports_exhausted, "the source has as many ports as it may")                                         \
  X(nat_protocol_taken, "another host has this protocol without ports towards this server")                   \
  X(no_egress_address, "the egress has no address of this family")                                            \
  X(bandwidth_exceeded, "over the bandwidth of its egress")                                                   \
  X(no_mapping, "from outside, without a flow")                                                               \
  X(no_flow_midstream, "a TCP packet that is no SYN, without a flow")                                         \
  X(tcp_rst_invalid, "a reset outside the window")                                                            \
  X(icmp_error_no_flow, "an ICMP error about a packet that no flow sent")                                     \
  X(icmp_error_bad, "an ICMP error whose quoted packet is broken")                                            \
  X(icmp_lone_reply, "an echo reply without a request")                                                       \
  X(no_route, "no route to the destination")                                                                  \
  X(too_big, "over the MTU and not to be fragmented: answered by packet too big")                             \
  X(neighbour_unresolved, "the next hop did not answer")                                                      \
  X(neighbour_queue_full, "too many packets wait for the next hop")                                           \
  X(hairpin_refused, "from inside to an egress address that no mapping stands behind")                        \
  X(tunnel_malformed, "a tunnel's header is cut short, of another version, or wants what is not known here")  \
  X(tunnel_bad_checksum, "wrong checksum of a tunnel's UDP or GRE header")                                    \
  X(tunnel_unknown_network, "a VNI or key that no tunnel has")                                                \
  X(tunnel_unknown_remote, "from an address that is none of the tunnel's remotes")                            \
  X(tunnel_fragmented, "a tunnel's packet that came in fragments")                                            \
  X(tunnel_congested, "congestion was marked on a tunnel's packet whose content cannot say so (RFC 6040)")    \
  X(tunnel_to_gateway, "inside a tunnel, for the gateway itself")                                             \
  X(tunnel_conflict, "of a flow that came through another tunnel, or through none")                           \
  X(worker_queue_full, "handed to another worker, whose queue was full")                                      \
  X(transmit_queue_full, "the device took no more")                                                           \
  X(buffers_exhausted, "no buffer left to rewrite the packet in")

enum class Drop : std::uint8_t {
#define SALLYPORT_DROP_ENUMERATOR(name, description) name,
  SALLYPORT_DROPS(SALLYPORT_DROP_ENUMERATOR)
#undef SALLYPORT_DROP_ENUMERATOR
};

#define SALLYPORT_DROP_COUNT(name, description) +1
inline constexpr std::size_t drop_count = 0 SALLYPORT_DROPS(SALLYPORT_DROP_COUNT);
#undef SALLYPORT_DROP_COUNT

[[nodiscard]] std::string_view to_string(Drop drop) noexcept;
[[nodiscard]] std::string_view description(Drop drop) noexcept;

}  // namespace sallyport::dataplane
