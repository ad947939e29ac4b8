#include "dataplane/io/device_steering.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "dataplane/io/dpdk.h"
#include "dataplane/io/eal.h"
#include "dataplane/steering.h"

namespace sallyport::dataplane {
namespace {

using config::PortRole;

constexpr std::uint64_t packets_to_judge = 1024;
constexpr std::uint64_t elsewhere_at_most = 16;  // one in so many: what else a device sees otherwise, such as tunnels

constexpr std::uint64_t tcp_udp_v4 = RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP;
constexpr std::uint64_t tcp_udp_v6 = RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP;
constexpr std::uint64_t with_ports =
    tcp_udp_v4 | tcp_udp_v6 | RTE_ETH_RSS_NONFRAG_IPV4_SCTP | RTE_ETH_RSS_NONFRAG_IPV6_SCTP;
// The extension headers' types hash another address than the sender's.
constexpr std::uint64_t with_addresses = with_ports | RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 |
                                         RTE_ETH_RSS_NONFRAG_IPV4_OTHER | RTE_ETH_RSS_IPV6 | RTE_ETH_RSS_FRAG_IPV6 |
                                         RTE_ETH_RSS_NONFRAG_IPV6_OTHER;

[[nodiscard]] bool has(std::uint64_t all, std::uint64_t wanted) noexcept { return (all & wanted) == wanted; }

using TableGroups = std::vector<rte_eth_rss_reta_entry64>;

[[nodiscard]] TableGroups table_groups(std::uint16_t entries) {
  TableGroups groups(entries / RTE_ETH_RETA_GROUP_SIZE);
  for (rte_eth_rss_reta_entry64& group : groups) group.mask = ~std::uint64_t{0};
  return groups;
}

[[nodiscard]] std::vector<std::uint8_t> padded(const HashKey& key, std::size_t bytes) {
  std::vector<std::uint8_t> whole(key.begin(), key.end());
  whole.resize(bytes);
  return whole;
}

[[nodiscard]] DeviceSteering::Verdict verdict_of(const SteeringSums::OfFamily& seen, const std::string& family) {
  const std::uint64_t all = seen.as_told + seen.elsewhere;
  if (seen.elsewhere * elsewhere_at_most <= all) {
    return {Severity::info, "the device brings " + family + " to its workers, as it was told"};
  }
  return {Severity::warning, "the device was told where to bring packets, and " + std::to_string(seen.elsewhere) +
                                 " of the first " + std::to_string(all) + " of " + family + " came to another worker"};
}

}  // namespace

DeviceSteering DeviceSteering::of(const rte_eth_dev_info& device, const SteeringWish& wish) {
  DeviceSteering steering;
  steering.wish_ = wish;
  steering.usual_types_ = device.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
  if (wish.workers == 1) return steering;
  steering.why_not_ = steering.why_not(device);
  if (steering.why_not_.empty()) steering.choose(device);
  return steering;
}

std::string DeviceSteering::why_not(const rte_eth_dev_info& device) const {
  if (wish_.role == PortRole::both) return "it is inside and outside at once";
  if (wish_.by_kernel) return "the kernel spreads its frames";
  if (wish_.queues != wish_.workers) {
    return "it has " + std::to_string(wish_.queues) + (wish_.queues == 1 ? " queue" : " queues") + " for " +
           std::to_string(wish_.workers) + " workers";
  }
  if (wish_.role == PortRole::outside && !can_be_steered(wish_.piece_ports)) {
    return "nat.port_block = " + std::to_string(wish_.piece_ports) + " is no power of two, or over " +
           std::to_string(65536 / buckets);
  }
  const std::uint64_t types = device.flow_type_rss_offloads;
  if (!has(types, tcp_udp_v4) && (wish_.role == PortRole::outside || !has(types, RTE_ETH_RSS_IPV4))) {
    return "the device does not spread TCP and UDP by a hash";
  }
  if (device.hash_key_size < HashKey{}.size()) return "the device takes no hash key";
  if (device.reta_size < buckets || !std::has_single_bit(std::uint32_t{device.reta_size})) {
    return "the device's redirection table has " + std::to_string(device.reta_size) + " entries; " +
           std::to_string(buckets) + " are needed, or twice, four times as many ..";
  }
  return {};
}

void DeviceSteering::choose(const rte_eth_dev_info& device) {
  const bool inside = wish_.role == PortRole::inside;
  const std::uint64_t offered = device.flow_type_rss_offloads;
  const std::uint64_t masks = inside ? RTE_ETH_RSS_L3_SRC_ONLY : RTE_ETH_RSS_L3_DST_ONLY | RTE_ETH_RSS_L4_DST_ONLY;
  const std::uint64_t only = has(offered, masks) ? masks : 0;
  types_ = (offered & (inside ? with_addresses : with_ports)) | only;
  key_ = padded(inside ? sender_key(only != 0) : port_key(only != 0, wish_.piece_ports), device.hash_key_size);
  table_entries_ = device.reta_size;
  ipv4_ = true;
  ipv6_ = only != 0 && (has(offered, tcp_udp_v6) || (inside && has(offered, RTE_ETH_RSS_IPV6)));
}

void DeviceSteering::put_into(rte_eth_conf& conf) {
  conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
  conf.rx_adv_conf.rss_conf.rss_hf = types_;
  conf.rx_adv_conf.rss_conf.rss_key = key_.data();
  conf.rx_adv_conf.rss_conf.rss_key_len = static_cast<std::uint8_t>(key_.size());
}

void DeviceSteering::refuse(std::string why) {
  ipv4_ = ipv6_ = false;
  why_not_ = std::move(why);
}

void DeviceSteering::start(std::uint16_t id) {
  if (!by_device()) return;
  std::string wrong = compare_hash(id);
  if (wrong.empty()) wrong = set_table(id);
  if (wrong.empty()) return;
  (void)Eal::take_complaint();
  spread_as_usual(id);
  refuse(std::move(wrong));
}

std::string DeviceSteering::compare_hash(std::uint16_t id) const {
  std::vector<std::uint8_t> key(key_.size());
  rte_eth_rss_conf now{};
  now.rss_key = key.data();
  now.rss_key_len = static_cast<std::uint8_t>(key.size());
  if (const int result = rte_eth_dev_rss_hash_conf_get(id, &now); result != 0) {
    return "what the device hashes cannot be read back: " + dpdk_error(result);
  }
  if (key != key_) return "the device has another hash key than it was given";
  // Some drivers keep silent about rarer ones.
  constexpr std::uint64_t told_by_all = tcp_udp_v4 | tcp_udp_v6 | RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6 |
                                        RTE_ETH_RSS_L3_SRC_ONLY | RTE_ETH_RSS_L3_DST_ONLY | RTE_ETH_RSS_L4_DST_ONLY;
  if (!has(now.rss_hf, types_ & told_by_all)) return "the device hashes other packets or fields than it was told";
  return {};
}

std::string DeviceSteering::set_table(std::uint16_t id) const {
  TableGroups table = table_groups(table_entries_);
  for (std::uint32_t entry = 0; entry < table_entries_; ++entry) {
    table[entry / RTE_ETH_RETA_GROUP_SIZE].reta[entry % RTE_ETH_RETA_GROUP_SIZE] =
        static_cast<std::uint16_t>(bucket_owner(bucket_of_entry(entry), wish_.workers));
  }
  if (const int result = rte_eth_dev_rss_reta_update(id, table.data(), table_entries_); result != 0) {
    return "the device takes no redirection table: " + dpdk_error(result);
  }
  TableGroups now = table_groups(table_entries_);
  if (const int result = rte_eth_dev_rss_reta_query(id, now.data(), table_entries_); result != 0) {
    return "the device's redirection table cannot be read back: " + dpdk_error(result);
  }
  const auto equal = [](const auto& a, const auto& b) { return std::ranges::equal(a.reta, b.reta); };
  return std::ranges::equal(table, now, equal) ? "" : "the device has another redirection table than it was given";
}

// A device that takes this neither goes on hashing as it was told, and spreads by that.
void DeviceSteering::spread_as_usual(std::uint16_t id) {
  std::vector<std::uint8_t> key = padded(usual_key, key_.size());
  rte_eth_rss_conf usual{};
  usual.rss_key = key.data();
  usual.rss_key_len = static_cast<std::uint8_t>(key.size());
  usual.rss_hf = usual_types_;
  if (rte_eth_dev_rss_hash_update(id, &usual) != 0) (void)Eal::take_complaint();
}

std::optional<DeviceSteering::Verdict> DeviceSteering::judge(const SteeringSums& sums, std::uint16_t id) {
  const auto enough = [](const SteeringSums::OfFamily& of) { return of.as_told + of.elsewhere >= packets_to_judge; };
  if (ipv4_ && !judged_ipv4_ && enough(sums.v4)) {
    judged_ipv4_ = true;
    const Verdict verdict = verdict_of(sums.v4, "IPv4");
    if (verdict.severity == Severity::info) return verdict;
    spread_as_usual(id);
    refuse(verdict.text);
    return verdict;
  }
  if (ipv6_ && !judged_ipv6_ && enough(sums.v6)) {
    judged_ipv6_ = true;
    const Verdict verdict = verdict_of(sums.v6, "IPv6");
    ipv6_ = verdict.severity == Severity::info;
    return verdict;
  }
  return std::nullopt;
}

DeviceSteering::Status DeviceSteering::status() const {
  if (wish_.workers == 1) return {};
  if (!ipv4_) return {Steering::rings, why_not_};
  return {ipv6_ ? Steering::device : Steering::device_ipv4, {}};
}

}  // namespace sallyport::dataplane
