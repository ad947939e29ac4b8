#include "pktgen/option_reading.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace sallyport::pktgen {
namespace {

constexpr auto known_common = std::to_array<KnownOption>({
    {"device", "DEVICE", "sends, and receives what comes back; as in [[port]]: net_af_packet,iface=eth1"},
    {"receive-device", "DEVICE", "receives, too: the other side of the gateway"},
    {"mtu", "BYTES", "of both (default: 1500)"},
    {"seconds", "N", "how long to send"},
    {"gateway", "ADDR", "whose MAC address to ask for before sending"},
    {"destination-mac", "MAC", "instead of asking (neither: ff:ff:ff:ff:ff:ff, or as captured)"},
    {"answer", "ADDR|CIDR,..", "addresses to answer ARP and neighbour discovery for"},
    {"json", "", "the report as one JSON object"},
    {"help", "", "this text"},
});

dataplane::MacAddress mac(const std::string& text) {
  dataplane::MacAddress address{};
  bool fits = text.size() == 17;
  for (std::size_t i = 0; fits && i < address.size(); ++i) {
    const char* digits = text.data() + 3 * i;
    const auto [end, error] = std::from_chars(digits, digits + 2, address[i], 16);
    fits = error == std::errc{} && end == digits + 2 && (i == 5 || *end == ':');
  }
  if (!fits) throw Wrong{fmt::format("--destination-mac: \"{}\" is no MAC address such as 02:00:00:00:00:01", text)};
  return address;
}

std::vector<Prefix> answered(const OptionWords& words) {
  std::vector<Prefix> prefixes;
  std::string rest = words.text("answer").value_or("");
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string part = rest.substr(0, comma);
    rest.erase(0, comma + 1);
    if (const auto one = parse_address(part)) {
      prefixes.push_back({*one, static_cast<std::uint8_t>(address_bits(one->family))});
    } else if (const auto prefix = parse_prefix(part)) {
      prefixes.push_back(prefix->prefix);
    } else {
      throw Wrong{fmt::format("--answer: \"{}\" is no address and no CIDR block", part)};
    }
  }
  return prefixes;
}

}  // namespace

std::span<const KnownOption> common_options() { return known_common; }

CommonOptions read_common(const OptionWords& words) {
  CommonOptions options;
  options.device = words.required("device");
  options.receive_device = words.text("receive-device").value_or("");
  options.mtu = static_cast<std::uint16_t>(words.number("mtu", 68, 9216).value_or(1500));
  options.seconds = words.seconds("seconds");
  if (words.has("gateway")) options.gateway = read_address(words, "gateway");
  if (const auto text = words.text("destination-mac")) options.destination_mac = mac(*text);
  options.answer = answered(words);
  options.json = words.has("json");
  return options;
}

IpAddress read_address(const OptionWords& words, std::string_view name) {
  const std::string text = words.required(name);
  if (const auto parsed = parse_address(text)) return *parsed;
  throw Wrong{fmt::format("--{}: \"{}\" is no IPv4 or IPv6 address", name, text)};
}

void read_ends(const OptionWords& words, IpAddress& from, IpAddress& to) {
  from = read_address(words, "from");
  to = read_address(words, "to");
  if (from.family != to.family) throw Wrong{"--from and --to are of different families"};
}

Rate read_rate(const OptionWords& words) { return words.text("rate") == "max" ? std::nullopt : words.positive("rate"); }

}  // namespace sallyport::pktgen
