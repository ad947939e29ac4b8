// The neighbours of the gateway that the generator pretends to be: answers ARP (RFC 826) and neighbour solicitations
// (RFC 4861), and asks for the gateway's own MAC address.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "config/address.h"
#include "dataplane/routing.h"

namespace sallyport::pktgen {

// A frame that may grow up to 86 bytes.
using Frame = std::vector<std::uint8_t>;

class Neighbours {
 public:
  explicit Neighbours(std::vector<Prefix> answered) : answered_(std::move(answered)) {}

  // The answer to a question about one of our addresses; empty: no such question.
  [[nodiscard]] Frame answer(std::span<const std::uint8_t> frame, const dataplane::MacAddress& own) const;
  // Not traffic: ARP, ICMPv6 of neighbour discovery and multicast listeners, and whatever else is for every hop.
  [[nodiscard]] static bool is_control(std::span<const std::uint8_t> frame) noexcept;
  // The same of what follows an Ethernet header.
  [[nodiscard]] static bool is_control(std::uint16_t ethertype, std::span<const std::uint8_t> packet) noexcept;

  // Who has this address? From nobody's address, as RFC 5227 and RFC 4862 ask before one has an own one.
  [[nodiscard]] static Frame question(const IpAddress& wanted, const dataplane::MacAddress& own);
  // Who says so.
  [[nodiscard]] static std::optional<dataplane::MacAddress> found(std::span<const std::uint8_t> frame,
                                                                  const IpAddress& wanted) noexcept;

 private:
  [[nodiscard]] bool is_ours(const IpAddress& address) const noexcept;
  [[nodiscard]] Frame answer_arp(std::span<const std::uint8_t> frame, const dataplane::MacAddress& own) const;
  [[nodiscard]] Frame answer_solicitation(std::span<const std::uint8_t> frame, const dataplane::MacAddress& own) const;

  std::vector<Prefix> answered_;
};

}  // namespace sallyport::pktgen
