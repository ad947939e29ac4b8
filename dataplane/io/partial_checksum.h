// Checksums that a kernel left to the hardware it did not have.
//
// A packet that one namespace sends to another over a virtual interface carries, where its TCP or UDP checksum should
// be, only the sum of the pseudo header (Linux: CHECKSUM_PARTIAL); of SCTP it carries zero. Whoever takes such frames
// off the interface by af_packet or af_xdp is not told. So: a checksum field that equals the pseudo header's sum is
// completed.
//
// A true checksum looks like that once in 65536 packets and is completed to itself; it costs a sum over that packet. A
// wrong one that looks so by accident would be mended: the price of working between containers without being asked to
// switch off their offloads. Of a packet in a tunnel it is the inner one that is left open (RFC 7348 and others).
#pragma once

#include <cstdint>
#include <span>

namespace sallyport::dataplane {

// `frame` from the Ethernet header on. True: it was unfinished and is complete now. Fragments, IPv6 packets with
// extension headers and whatever is cut short stay as they are: no kernel leaves those unfinished.
bool complete_checksum(std::span<std::uint8_t> frame) noexcept;

}  // namespace sallyport::dataplane
