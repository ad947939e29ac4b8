#include "src/setup/kernel_network.h"

#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>

#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/route.h>
#include <netinet/in.h>

#include "config/address.h"
#include "dataplane/io/interface_claim.h"

namespace sallyport::setup {
namespace {

IpAddress address_of(const sockaddr& socket_address) {
  if (socket_address.sa_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(socket_address);
    return IpAddress::from_bytes(Family::v4, reinterpret_cast<const std::uint8_t*>(&in.sin_addr));
  }
  const auto& in = reinterpret_cast<const sockaddr_in6&>(socket_address);
  return IpAddress::from_bytes(Family::v6, in.sin6_addr.s6_addr);
}

unsigned length_of(const IpAddress& mask) {
  unsigned bits = 0;
  for (const std::uint8_t byte : mask.bytes) bits += static_cast<unsigned>(std::popcount(byte));
  return bits;
}

bool is_link_local(const IpAddress& address) {
  return address.family == Family::v6 && address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0U) == 0x80;
}

void add_addresses(KernelNetwork& network) {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> list(first, freeifaddrs);
  for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_netmask == nullptr) continue;
    if (one->ifa_addr->sa_family != AF_INET && one->ifa_addr->sa_family != AF_INET6) continue;
    const IpAddress address = address_of(*one->ifa_addr);
    if (is_link_local(address)) continue;
    network[one->ifa_name].addresses.push_back(
        fmt::format("{}/{}", to_string(address), length_of(address_of(*one->ifa_netmask))));
  }
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream words(line);
  return {std::istream_iterator<std::string>(words), {}};
}

std::uint32_t hexadecimal(std::string_view text) {
  std::uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

void add_route(KernelNetwork& network, const std::string& interface, const IpAddress& gateway) {
  InterfaceNetwork& there = network[interface];
  there.default_route = true;
  if (gateway != IpAddress{gateway.family, {}}) there.gateways.push_back(to_string(gateway));
}

std::string whole(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

// "eth0 00000000 010200C0 0003 0 0 0 00000000 0 0 0": interface, destination, gateway (both as they lie in memory),
// flags, .., mask.
void add_routes_v4(std::string_view text, KernelNetwork& network) {
  std::istringstream lines{std::string(text)};
  std::string line;
  std::getline(lines, line);  // headings
  while (std::getline(lines, line)) {
    const std::vector<std::string> words = words_of(line);
    if (words.size() < 8 || hexadecimal(words[1]) != 0 || hexadecimal(words[7]) != 0) continue;
    const std::uint32_t flags = hexadecimal(words[3]);
    if ((flags & RTF_UP) == 0 || (flags & RTF_REJECT) != 0) continue;
    const std::uint32_t gateway = hexadecimal(words[2]);
    add_route(network, words[0], IpAddress::from_bytes(Family::v4, reinterpret_cast<const std::uint8_t*>(&gateway)));
  }
}

// Destination, its length, source, its length, next hop (32 digits each), metric, .., flags, interface.
void add_routes_v6(std::string_view text, KernelNetwork& network) {
  std::istringstream lines{std::string(text)};
  std::string line;
  while (std::getline(lines, line)) {
    const std::vector<std::string> words = words_of(line);
    if (words.size() < 10 || words[0] != std::string(32, '0') || words[1] != "00" || words[4].size() != 32) continue;
    const std::uint32_t flags = hexadecimal(words[8]);
    if ((flags & RTF_UP) == 0 || (flags & RTF_REJECT) != 0 || words[9] == "lo") continue;
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::uint8_t>(hexadecimal(std::string_view(words[4]).substr(2 * i, 2)));
    }
    add_route(network, words[9], IpAddress::from_bytes(Family::v6, bytes.data()));
  }
}

// "0000000000000000: 00000002 00000000 00000000 0002 01 4711 @sallyport/interface/eth1": the name last, if it has one;
// "@" stands for the zero of an abstract one.
void add_claims(std::string_view text, KernelNetwork& network) {
  const std::string before = fmt::format("@{}", dataplane::interface_claim_prefix);
  std::istringstream lines{std::string(text)};
  std::string line;
  while (std::getline(lines, line)) {
    const std::vector<std::string> words = words_of(line);
    if (!words.empty() && words.back().starts_with(before)) network[words.back().substr(before.size())].in_use = true;
  }
}

KernelNetwork read_kernel_network() {
  KernelNetwork network;
  add_addresses(network);
  add_routes_v4(whole("/proc/net/route"), network);
  add_routes_v6(whole("/proc/net/ipv6_route"), network);
  add_claims(whole("/proc/net/unix"), network);
  return network;
}

}  // namespace sallyport::setup
