// The one header through which this folder sees DPDK (its BPF apart: bpf_filter.cpp): what differs between the
// long-term releases 22.11 and 24.11 is settled here and nowhere else.
#pragma once

// Rings with C11 atomics instead of compiler barriers: the same instructions on x86, and ThreadSanitizer understands.
#ifndef RTE_USE_C11_MEM_MODEL
#define RTE_USE_C11_MEM_MODEL 1
#endif

#include <cstdint>
#include <string>

#include <rte_bus_vdev.h>
#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_rcu_qsbr.h>
#include <rte_ring.h>
#include <rte_telemetry.h>
#include <rte_version.h>

namespace sallyport::dataplane {

inline void put_telemetry_number(rte_tel_data* to, const char* name, std::uint64_t value) {
#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
  (void)rte_tel_data_add_dict_uint(to, name, value);
#else
  (void)rte_tel_data_add_dict_u64(to, name, value);
#endif
}

// The text of an error number as DPDK's functions return it: negative, or -1 and rte_errno.
inline std::string dpdk_error(int result) { return rte_strerror(result == -1 ? rte_errno : -result); }

}  // namespace sallyport::dataplane
