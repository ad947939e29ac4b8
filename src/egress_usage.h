// Who uses which egress address, out of all living flows: ports, the server that most of them go to, the busiest
// sources. Made when somebody asks; bounded however many flows there are.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "config/address.h"
#include "dataplane/flow_record.h"

namespace sallyport {

class EgressUsage {
 public:
  // Addresses, servers and sources that are counted apart; flows of further ones are only counted.
  static constexpr std::size_t addresses_max = 4096;
  static constexpr std::size_t servers_max = std::size_t{1} << 18U;
  static constexpr std::size_t sources_max = std::size_t{1} << 18U;

  void add(const dataplane::FlowRecord& flow);

  struct Server {
    IpAddress address;
    std::uint16_t port = 0;  // host byte order
    dataplane::IpProtocol protocol = dataplane::IpProtocol::tcp;
    std::uint64_t flows = 0;
  };
  struct Address {
    IpAddress address;
    std::uint64_t flows = 0;
    std::size_t tcp_ports = 0, udp_ports = 0, other_ports = 0;  // in use; ICMP: identifiers
    Server fullest;                                             // most ports of this address lie towards it
  };
  struct Source {
    IpAddress address;
    classifier::Id namespace_name = 0, workload = 0;
    std::uint64_t flows = 0;
  };
  [[nodiscard]] std::vector<Address> addresses() const;                   // rising
  [[nodiscard]] std::vector<Source> top_sources(std::size_t most) const;  // the busiest first
  [[nodiscard]] std::uint64_t translated() const noexcept { return translated_; }
  [[nodiscard]] std::uint64_t untranslated() const noexcept { return untranslated_; }
  // Some flow found no room to be counted apart.
  [[nodiscard]] bool incomplete() const noexcept { return incomplete_; }

 private:
  using Ports = std::bitset<65536>;
  struct OfAddress {
    std::uint64_t flows = 0;
    Ports tcp, udp, other;
  };
  // Towards a server, by egress address.
  struct ServerKey {
    IpAddress egress, server;
    std::uint16_t port = 0;
    dataplane::IpProtocol protocol = dataplane::IpProtocol::tcp;
    friend auto operator<=>(const ServerKey&, const ServerKey&) noexcept = default;
  };

  void add_source(const dataplane::FlowRecord& flow);

  std::map<IpAddress, std::unique_ptr<OfAddress>> addresses_;
  std::map<ServerKey, std::uint64_t> servers_;
  std::map<IpAddress, Source> sources_;
  std::uint64_t translated_ = 0;
  std::uint64_t untranslated_ = 0;
  bool incomplete_ = false;
};

}  // namespace sallyport
