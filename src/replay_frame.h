// From a captured frame to the Ethernet frame that the pipeline is given.
//
// Frames of an Ethernet capture stay as they are; the IP packets of other link layers get an Ethernet header of ours.
// What a capture did not keep (snaplen) is filled with zeros: the headers tell the flow, and its packets count with the
// length that they had. With `tunnels`, what is given is the innermost IP packet.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "dataplane/packet.h"
#include "dataplane/wire/vlan.h"
#include "src/capture_reader.h"

namespace sallyport {

class FrameLoader {
 public:
  // `vlan`: the tags of Ethernet headers of ours.
  FrameLoader(bool tunnels, dataplane::wire::VlanTags vlan) : tunnels_(tunnels), vlan_(vlan) {}

  // Into a buffer of ReplayBuffers; sets data's length. False: neither Ethernet nor IP.
  [[nodiscard]] bool load(const CapturedFrame& frame, dataplane::Packet& packet);
  // The same for a frame that is in the buffer already, once its fragments were put together: false where it holds no
  // tunnel and stays as it is.
  [[nodiscard]] bool unwrap(dataplane::Packet& packet) const;
  // Link types of frames that load() refused because nobody here reads them.
  [[nodiscard]] const std::set<std::uint32_t>& unknown_link_types() const noexcept { return unknown_link_types_; }

 private:
  [[nodiscard]] std::span<const std::uint8_t> whole(const CapturedFrame& frame);
  void put_behind_header(std::span<const std::uint8_t> ip, std::uint16_t ethertype, dataplane::Packet& packet) const;

  bool tunnels_;
  dataplane::wire::VlanTags vlan_;
  std::vector<std::uint8_t> filled_;
  std::set<std::uint32_t> unknown_link_types_;
};

}  // namespace sallyport
