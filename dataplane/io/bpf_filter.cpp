#include "dataplane/io/bpf_filter.h"

#include <algorithm>
#include <memory>
#include <stdexcept>

#include <pcap/pcap.h>

// rte_bpf_convert() was announced as experimental up to 23.11.
#define ALLOW_EXPERIMENTAL_API
#include "dataplane/io/dpdk.h"

// Behind it: it says how DPDK's headers are to be read.
#include <rte_bpf.h>
#include <rte_malloc.h>

namespace sallyport::dataplane {
namespace {

struct ClosePcap {
  void operator()(pcap_t* handle) const noexcept { pcap_close(handle); }
};
struct FreeRte {
  void operator()(void* memory) const noexcept { rte_free(memory); }
};
struct DestroyBpf {
  void operator()(rte_bpf* bpf) const noexcept { rte_bpf_destroy(bpf); }
};

// Of libpcap, with what belongs to it.
struct Classic {
  explicit Classic(const std::string& expression) {
    constexpr int longest_packet = 65535;
    const std::unique_ptr<pcap_t, ClosePcap> handle(pcap_open_dead(DLT_RAW, longest_packet));
    if (!handle) throw std::bad_alloc();
    constexpr int optimized = 1;
    if (pcap_compile(handle.get(), &program, expression.c_str(), optimized, PCAP_NETMASK_UNKNOWN) != 0) {
      throw std::invalid_argument(pcap_geterr(handle.get()));
    }
  }
  ~Classic() { pcap_freecode(&program); }
  Classic(const Classic&) = delete;
  Classic& operator=(const Classic&) = delete;

  bpf_program program{};
};

}  // namespace

struct BpfProgram {
  std::unique_ptr<rte_bpf, DestroyBpf> bpf;
  std::uint64_t (*machine_code)(void*) = nullptr;  // null: interpreted
};

BpfFilter::BpfFilter(const std::string& expression) : program_(std::make_unique<BpfProgram>()) {
  const Classic classic(expression);
  const std::unique_ptr<rte_bpf_prm, FreeRte> converted(rte_bpf_convert(&classic.program));
  if (converted) program_->bpf.reset(rte_bpf_load(converted.get()));
  if (!program_->bpf) throw std::invalid_argument("the gateway cannot run this filter: " + dpdk_error(-1));
  rte_bpf_jit jit{};
  if (rte_bpf_get_jit(program_->bpf.get(), &jit) == 0) program_->machine_code = jit.func;
}

BpfFilter::~BpfFilter() = default;

// The program takes an mbuf: one that lies around the bytes.
bool BpfFilter::accepts(std::span<const std::uint8_t> ip) const noexcept {
  const auto length = static_cast<std::uint16_t>(std::min<std::size_t>(ip.size(), UINT16_MAX));
  rte_mbuf around{};
  around.buf_addr = const_cast<std::uint8_t*>(ip.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast): only read
  around.buf_len = length;
  around.data_len = length;
  around.pkt_len = length;
  around.nb_segs = 1;
  return (program_->machine_code != nullptr ? program_->machine_code(&around)
                                            : rte_bpf_exec(program_->bpf.get(), &around)) != 0;
}

}  // namespace sallyport::dataplane
