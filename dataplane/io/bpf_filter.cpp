#include "dataplane/io/bpf_filter.h"

#include <memory>
#include <new>
#include <stdexcept>

#include <pcap/pcap.h>

namespace sallyport::dataplane {
namespace {

struct ClosePcap {
  void operator()(pcap_t* handle) const noexcept { pcap_close(handle); }
};

}  // namespace

// Of libpcap, with what belongs to it.
struct BpfProgram {
  explicit BpfProgram(const std::string& expression) {
    constexpr int longest_packet = 65535;
    const std::unique_ptr<pcap_t, ClosePcap> handle(pcap_open_dead(DLT_RAW, longest_packet));
    if (!handle) throw std::bad_alloc();
    constexpr int optimized = 1;
    if (pcap_compile(handle.get(), &program, expression.c_str(), optimized, PCAP_NETMASK_UNKNOWN) != 0) {
      throw std::invalid_argument(pcap_geterr(handle.get()));
    }
  }
  ~BpfProgram() { pcap_freecode(&program); }
  BpfProgram(const BpfProgram&) = delete;
  BpfProgram& operator=(const BpfProgram&) = delete;

  bpf_program program{};
};

BpfFilter::BpfFilter(const std::string& expression) : program_(std::make_unique<BpfProgram>(expression)) {}
BpfFilter::~BpfFilter() = default;

// Interpreted: what DPDK 22.11 makes of such a program (rte_bpf_convert) reads other bytes for tcp[..], and its machine
// code crashes on short packets.
bool BpfFilter::accepts(std::span<const std::uint8_t> ip) const noexcept {
  const auto length = static_cast<unsigned>(ip.size());
  return bpf_filter(program_->program.bf_insns, ip.data(), length, length) != 0;
}

}  // namespace sallyport::dataplane
