#include "tests/unit/dataplane/fake_nic.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>

#include <dlfcn.h>
#include <rte_ethdev.h>
#include <rte_thash.h>

#include "dataplane/steering.h"

namespace sallyport::dataplane::test {
namespace {

struct Nic {
  NicTraits traits;
  std::uint64_t types = 0;
  std::vector<std::uint8_t> key;
  std::vector<std::uint16_t> table;
};

NicTraits next_traits;
std::map<std::uint16_t, Nic> nics;

template <typename Function>
Function library(const char* name, Function) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

void take_key(Nic& nic, const rte_eth_rss_conf& conf) {
  nic.types = conf.rss_hf;
  const std::uint8_t* key = nic.traits.forgets_its_key || conf.rss_key == nullptr ? usual_key.data() : conf.rss_key;
  nic.key.assign(nic.traits.key_bytes, 0);
  std::copy_n(key, std::min<std::size_t>(nic.traits.key_bytes, usual_key.size()), nic.key.begin());
}

[[nodiscard]] bool is_v4(const Seen& seen) { return seen.parsed.key.family == Family::v4; }

// What of a packet goes into the hash; none: it is not hashed.
[[nodiscard]] std::vector<std::uint8_t> input_of(const Nic& nic, const Seen& seen) {
  const bool v4 = is_v4(seen);
  const FlowKey& key = seen.parsed.key;
  const auto add = [](std::vector<std::uint8_t>& to, const void* bytes, std::size_t count, bool left_out) {
    const auto* first = static_cast<const std::uint8_t*>(bytes);
    to.insert(to.end(), first, first + count);
    if (left_out) std::fill(to.end() - static_cast<std::ptrdiff_t>(count), to.end(), std::uint8_t{0});
  };
  const std::uint64_t tcp = v4 ? RTE_ETH_RSS_NONFRAG_IPV4_TCP : RTE_ETH_RSS_NONFRAG_IPV6_TCP;
  const std::uint64_t udp = v4 ? RTE_ETH_RSS_NONFRAG_IPV4_UDP : RTE_ETH_RSS_NONFRAG_IPV6_UDP;
  const bool ports = (seen.parsed.kind == PacketKind::tcp && (nic.types & tcp) != 0) ||
                     (seen.parsed.kind == PacketKind::udp && (nic.types & udp) != 0);
  if (!ports && (nic.types & (v4 ? RTE_ETH_RSS_IPV4 : RTE_ETH_RSS_IPV6)) == 0) return {};
  const bool port_only = (nic.types & RTE_ETH_RSS_L4_DST_ONLY) != 0;
  const bool no_address = port_only && nic.traits.port_alone;
  const bool no_source = (nic.types & RTE_ETH_RSS_L3_DST_ONLY) != 0 && !nic.traits.keeps_source;
  const bool no_destination = (nic.types & RTE_ETH_RSS_L3_SRC_ONLY) != 0;
  std::vector<std::uint8_t> input;
  const std::size_t bytes = address_bytes(key.family);
  add(input, key.source.data(), bytes, no_address || no_source);
  add(input, key.destination.data(), bytes, no_address || no_destination);
  if (ports) add(input, &key.source_port, 2, port_only);
  if (ports) add(input, &key.destination_port, 2, false);
  return input;
}

}  // namespace

NicTraits usual_nic() {
  NicTraits traits;
  traits.types = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6 | RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP |
                 RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP;
  return traits;
}

NicTraits masking_nic() {
  NicTraits traits = usual_nic();
  traits.types |= RTE_ETH_RSS_L3_SRC_ONLY | RTE_ETH_RSS_L3_DST_ONLY | RTE_ETH_RSS_L4_DST_ONLY;
  return traits;
}

void set_next_nic(const NicTraits& traits) {
  nics.clear();  // numbers of closed devices are given again
  next_traits = traits;
}

std::uint16_t queue_of(std::uint16_t device, const Frame& frame) {
  const Nic& nic = nics.at(device);
  const std::vector<std::uint8_t> input = input_of(nic, look_at(frame));
  if (input.empty()) return 0;
  std::array<std::uint32_t, 10> words{};
  for (std::size_t i = 0; i < input.size(); ++i) words[i / 4] = words[i / 4] << 8U | input[i];
  alignas(4) std::array<std::uint8_t, 64> key{};
  const std::uint8_t* from = nic.traits.lies ? usual_key.data() : nic.key.data();
  std::copy_n(from, std::min<std::size_t>(nic.key.size(), usual_key.size()), key.begin());
  const std::uint32_t hash = rte_softrss(words.data(), static_cast<std::uint32_t>(input.size() / 4), key.data());
  return nic.table.at(hash % nic.table.size());
}

}  // namespace sallyport::dataplane::test

using sallyport::dataplane::test::next_traits;
using sallyport::dataplane::test::nics;

// In the library's place.
extern "C" {

int rte_eth_dev_info_get(std::uint16_t port, rte_eth_dev_info* info) {
  static const auto real = sallyport::dataplane::test::library(__func__, &rte_eth_dev_info_get);
  const int result = real(port, info);
  const auto nic = nics.find(port);
  const auto& traits = nic == nics.end() ? next_traits : nic->second.traits;
  info->flow_type_rss_offloads = traits.types;
  info->reta_size = traits.table_entries;
  info->hash_key_size = traits.key_bytes;
  return result;
}

int rte_eth_dev_configure(std::uint16_t port, std::uint16_t receive, std::uint16_t transmit, const rte_eth_conf* conf) {
  static const auto real = sallyport::dataplane::test::library(__func__, &rte_eth_dev_configure);
  auto& nic = nics[port];
  nic.traits = next_traits;
  if (nic.traits.refuses_to_be_configured && conf->rx_adv_conf.rss_conf.rss_key != nullptr) return -EINVAL;
  sallyport::dataplane::test::take_key(nic, conf->rx_adv_conf.rss_conf);
  nic.table.clear();
  for (std::uint16_t i = 0; i < nic.traits.table_entries; ++i) nic.table.push_back(i % receive);
  rte_eth_conf plain = *conf;
  plain.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
  plain.rx_adv_conf.rss_conf = {};
  return real(port, receive, transmit, &plain);
}

int rte_eth_dev_rss_hash_conf_get(std::uint16_t port, rte_eth_rss_conf* conf) {
  const auto& nic = nics.at(port);
  conf->rss_hf = nic.types;
  std::ranges::copy(nic.key, conf->rss_key);
  return 0;
}

int rte_eth_dev_rss_hash_update(std::uint16_t port, rte_eth_rss_conf* conf) {
  sallyport::dataplane::test::take_key(nics.at(port), *conf);
  return 0;
}

int rte_eth_dev_rss_reta_update(std::uint16_t port, rte_eth_rss_reta_entry64* table, std::uint16_t entries) {
  auto& nic = nics.at(port);
  if (nic.traits.refuses_a_table) return -ENOTSUP;
  if (nic.traits.has_its_own_table) return 0;
  for (std::size_t i = 0; i < entries; ++i) nic.table.at(i) = table[i / 64].reta[i % 64];
  return 0;
}

int rte_eth_dev_rss_reta_query(std::uint16_t port, rte_eth_rss_reta_entry64* table, std::uint16_t entries) {
  for (std::size_t i = 0; i < entries; ++i) table[i / 64].reta[i % 64] = nics.at(port).table.at(i);
  return 0;
}

}  // extern "C"
