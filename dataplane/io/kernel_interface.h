// An interface of the kernel that a port stands on (af_packet, af_xdp), made fit for it.
//
// The interface becomes the gateway's: its own kernel stack must neither answer nor forward what arrives there, and
// frames must arrive as they were on the wire. Three traps, all met on veth pairs, i.e. between containers:
//
//   GRO, LRO and VLAN acceleration join or cut frames before anybody sees them: switched off here.
//   TCP segmentation: the peer's kernel sends "frames" of up to 64 KiB and leaves it to the wire to cut them. The wire
//   is
//     a function call and does not. A kernel stops that towards a veth whose end runs an XDP program, so one that
//     passes everything is attached where there is none (af_packet); it goes when the process ends, however it ends.
//   Checksums: the peer's kernel leaves the TCP, UDP or SCTP checksum to the wire, too. There is no way to tell it from
//     here not to, so the frames are completed when they are received: see partial_checksum.h.
//
// What cannot be mended: a VLAN tag that the peer's kernel keeps beside the frame is lost under af_xdp (af_packet puts
// it back); such a peer has to be told `ethtool -K PEER txvlan off`.
//
// What is set here stays when the gateway ends: without it the kernel would answer, or forward past the policy, and an
// MTU that goes back and forth takes some devices' link down at each restart. The promiscuous mode that the drivers
// above switch on is taken back, unless it was on before.
#pragma once

#include <cstdint>
#include <string>

#include "dataplane/io/control_log.h"
#include "dataplane/io/interface_claim.h"
#include "dataplane/routing.h"

namespace sallyport::dataplane {

class KernelInterface {
 public:
  // `key` names the port in messages: "port \"inside\": device". Sets the MTU and brings the interface up.
  // Throws EnvironmentError.
  KernelInterface(const std::string& name, std::uint16_t mtu, bool attach_passing_program, const std::string& key,
                  const Log& log);
  ~KernelInterface();
  KernelInterface(KernelInterface&& other) noexcept;
  KernelInterface& operator=(KernelInterface&&) = delete;

  // Queues that the kernel spreads arriving frames over.
  [[nodiscard]] unsigned receive_queues() const noexcept { return receive_queues_; }
  // There is a link. The drivers above it say so whether there is one or not.
  [[nodiscard]] bool is_running() const noexcept;

 private:
  InterfaceClaim claim_;
  std::string name_;  // empty: moved away
  bool was_promiscuous_ = false;
  unsigned receive_queues_ = 1;
  int program_link_ = -1;  // the attached program lives as long as this file descriptor
};

}  // namespace sallyport::dataplane
