// A packet in hand.
//
// A small handle passed by value; whoever holds it owns the buffer behind it and has to transmit, hold or release it.
// The bytes are contiguous: io linearises what a device delivers in pieces. The pipeline knows nothing of mbufs; the
// World that gave the packet does.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sallyport::dataplane {

using PortIndex = std::uint8_t;
inline constexpr PortIndex no_port = 0xff;
inline constexpr unsigned ports_max = 8;
inline constexpr std::size_t burst_max = 64;  // packets that a pipeline handles at once

struct Packet {
  static constexpr std::uint8_t no_end = 0xff;

  std::uint8_t* data = nullptr;  // first byte of the Ethernet header
  std::uint32_t length = 0;      // bytes from data on, padding included
  std::uint16_t headroom = 0;    // writable bytes in front of data
  std::uint16_t weight = 1;      // received packets that this one stands for (a reassembled datagram: its fragments);
                                 // 0: made by the gateway itself
  std::uint16_t tunnel = 0;      // it came through one: its place among the burst's peers, from 1 (stages/tunnel.h)
  std::uint16_t fragment_size = 0;  // IP bytes of the largest fragment it arrived in; 0: it came whole
  std::uint32_t fragment_id = 0;    // the identification of its fragments
  PortIndex port = no_port;         // where it came in
  bool reassembled = false;         // the buffer belongs to a Reassembler, not to the World
  bool asked_elsewhere = false;     // another worker that might know its flow has looked and knows none
  bool hairpin = false;             // it left towards an egress address of ours, and comes in as if from outside
  std::uint8_t ended_by = no_end;   // of one that is given back: the Drop it ended under
  void* buffer = nullptr;           // the World's own handle (an mbuf, a slot)
};

}  // namespace sallyport::dataplane
