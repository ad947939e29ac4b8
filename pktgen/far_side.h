// The far side: a server that keeps nothing about anybody, so that millions of connections cost it no memory. Whatever
// it says follows from the segment that it answers: its first sequence number from the endpoints, the next ones from
// what the client has acknowledged. Segments that are lost or come in another order are the client's affair.
//
//   SYN           -> SYN-ACK
//   data with PSH -> ServerHello     the client pushes the last segment of a hello
//   FIN           -> FIN-ACK
//   a datagram    -> the same one back
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "config/address.h"
#include "dataplane/packet.h"
#include "dataplane/routing.h"

namespace sallyport::pktgen {

class FarSide {
 public:
  // Answers TCP to this endpoint alone.
  FarSide(const IpAddress& address, std::uint16_t port, std::uint16_t mtu);
  // Answers everybody, TCP and UDP.
  explicit FarSide(std::uint16_t mtu);

  // Turns a frame into its answer, in place: a ServerHello is larger than what it answers, but no larger than an MTU
  // of 1500 allows. It comes from `own`: the question may have gone to everybody. False: there is none, and the frame
  // is as it was.
  [[nodiscard]] bool answer(dataplane::Packet& frame, const dataplane::MacAddress& own) noexcept;
  [[nodiscard]] std::uint64_t answered() const noexcept { return answered_; }

 private:
  [[nodiscard]] bool answer_segment(dataplane::Packet& frame, const dataplane::MacAddress& own) noexcept;
  [[nodiscard]] static bool send_back(dataplane::Packet& frame, const dataplane::MacAddress& own) noexcept;

  std::optional<IpAddress> address_;
  std::uint16_t port_ = 0;
  std::uint16_t mtu_;
  std::vector<std::uint8_t> hello_;
  std::uint64_t answered_ = 0;
};

}  // namespace sallyport::pktgen
