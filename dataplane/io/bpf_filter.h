// A filter expression as tcpdump(1) takes it (pcap-filter(7)), for the workers: libpcap compiles it to BPF and runs
// that.
//
// It is of IP packets (DLT_RAW): what asks for link headers (ether, vlan, arp) is refused by the compiler.
#pragma once

#include <memory>
#include <string>

#include "dataplane/tap/packet_filter.h"

namespace sallyport::dataplane {

struct BpfProgram;

class BpfFilter final : public PacketFilter {
 public:
  // Throws std::invalid_argument with what is wrong with the expression.
  explicit BpfFilter(const std::string& expression);
  ~BpfFilter() override;

  [[nodiscard]] bool accepts(std::span<const std::uint8_t> ip) const noexcept override;

 private:
  std::unique_ptr<BpfProgram> program_;
};

}  // namespace sallyport::dataplane
