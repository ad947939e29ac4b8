// A translated packet as its client knows it, for as long as this lives: the translation's address and port are
// replaced by the client's own, in place, and put back. Checksums are left as they are.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "dataplane/packet.h"
#include "dataplane/tap/sight.h"
#include "dataplane/wire/headers.h"

namespace sallyport::dataplane {

class ClientView {
 public:
  // `sight` has a flow and is of another form.
  ClientView(const Packet& packet, const Sight& sight) noexcept {
    const Parsed& parsed = sight.parsed;
    const bool source = sight.form == Form::source;
    const bool v4 = parsed.key.family == Family::v4;
    address_bytes_ = address_bytes(parsed.key.family);
    const std::size_t first = v4 ? offsetof(wire::Ipv4, source) : offsetof(wire::Ipv6, source);
    address_ = packet.data + parsed.l3_offset + first + (source ? 0 : address_bytes_);
    std::copy_n(address_, address_bytes_, address_before_.begin());
    std::copy_n(sight.inside.source.begin(), address_bytes_, address_);
    if (!has_ports(parsed.key.protocol) || parsed.kind == PacketKind::icmp_error) return;
    port_ = packet.data + parsed.l4_offset + (source ? 0 : sizeof(std::uint16_t));
    std::copy_n(port_, sizeof(std::uint16_t), port_before_.begin());
    std::copy_n(reinterpret_cast<const std::uint8_t*>(&sight.inside.source_port), sizeof(std::uint16_t), port_);
  }
  ~ClientView() {
    std::copy_n(address_before_.begin(), address_bytes_, address_);
    if (port_ != nullptr) std::copy(port_before_.begin(), port_before_.end(), port_);
  }
  ClientView(const ClientView&) = delete;
  ClientView& operator=(const ClientView&) = delete;

 private:
  std::uint8_t* address_ = nullptr;
  std::size_t address_bytes_ = 0;
  std::uint8_t* port_ = nullptr;
  std::array<std::uint8_t, 16> address_before_{};
  std::array<std::uint8_t, sizeof(std::uint16_t)> port_before_{};
};

}  // namespace sallyport::dataplane
