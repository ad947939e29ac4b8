#include "pktgen/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "config/document/suggestion.h"
#include "pktgen/option_words.h"

namespace sallyport::pktgen {
namespace {

constexpr auto common_options = std::to_array<KnownOption>({
    {"device", "DEVICE", "sends, and receives what comes back; as in [[port]]: net_af_packet,iface=eth1"},
    {"receive-device", "DEVICE", "receives, too: the other side of the gateway"},
    {"mtu", "BYTES", "of both (default: 1500)"},
    {"seconds", "N", "how long to send"},
    {"gateway", "ADDR", "whose MAC address to ask for before sending"},
    {"destination-mac", "MAC", "instead of asking"},
    {"answer", "ADDR|CIDR,..", "addresses to answer ARP and neighbour discovery for"},
    {"json", "", "the report as one JSON object"},
    {"help", "", "this text"},
});
constexpr auto udp_options = std::to_array<KnownOption>({
    {"flows", "N", "how many (default: 1)"},
    {"sources", "N", "over so many addresses from --from on (default: 1 for each 64512 flows)"},
    {"from", "ADDR", "the first sender"},
    {"to", "ADDR", "the receiver"},
    {"port", "N", "the receiver's port (default: 9)"},
    {"size", "BYTES|imix", "of a frame with its check sequence (default: 64); imix: 64, 594, 1518 as 7:4:1"},
    {"rate", "PPS|max", "packets a second (default: max)"},
    {"order", "cyclic|random", "of the flows (default: cyclic)"},
    {"seed", "N", "of the random order (default: 1)"},
});
constexpr auto replay_options = std::to_array<KnownOption>({
    {"in", "CAPTURE", "pcap or pcapng of Ethernet frames"},
    {"speed", "X", "times the capture's own pace (default: 1)"},
    {"rate", "PPS|max", "instead of its own pace"},
    {"loops", "N", "how often (default: 1; 0: until --seconds are over)"},
});
constexpr auto modes = std::to_array<std::string_view>({"udp", "replay"});
constexpr auto later_modes = std::to_array<std::string_view>({"connect", "search"});

constexpr std::uint64_t ports_a_source = 64512;  // 1024..65535
constexpr std::uint64_t flows_max = std::uint64_t{1} << 32U;

std::string general_help() {
  return "sallyport-pktgen, the other end of the wire: sends packets through a gateway and measures what comes "
         "back.\n\n"
         "Usage: sallyport-pktgen udp|replay --device DEVICE [OPTION]...\n\n"
         "Modes of this version:\n"
         "  udp      N flows of UDP packets of one size, or IMIX\n"
         "  replay   a capture, at its own pace or another\n"
         "Not in this version: connect, search.\n\n"
         "Exit status: 0 done; 2 usage; 3 the environment will not do.\n";
}

std::string mode_help(std::string_view mode, std::span<const KnownOption> own) {
  return fmt::format("Usage: sallyport-pktgen {} --device DEVICE [OPTION]...\n\n{}\nDevices and time:\n{}", mode,
                     help_lines(own), help_lines(common_options));
}

IpAddress address(const OptionWords& words, std::string_view name) {
  const std::string text = words.required(name);
  if (const auto parsed = parse_address(text)) return *parsed;
  throw Wrong{fmt::format("--{}: \"{}\" is no IPv4 or IPv6 address", name, text)};
}

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

CommonOptions common(const OptionWords& words) {
  CommonOptions options;
  options.device = words.required("device");
  options.receive_device = words.text("receive-device").value_or("");
  options.mtu = static_cast<std::uint16_t>(words.number("mtu", 68, 9216).value_or(1500));
  options.seconds = words.positive("seconds");
  if (words.has("gateway")) options.gateway = address(words, "gateway");
  if (const auto text = words.text("destination-mac")) options.destination_mac = mac(*text);
  options.answer = answered(words);
  options.json = words.has("json");
  return options;
}

// "max" is the absence of a rate.
Rate rate(const OptionWords& words) { return words.text("rate") == "max" ? std::nullopt : words.positive("rate"); }

std::uint32_t frame_size(const OptionWords& words, std::uint16_t mtu) {
  if (words.text("size") == "imix") return 0;
  return static_cast<std::uint32_t>(words.number("size", 64, mtu + 18ULL).value_or(64));
}

CommandLine parse_udp(const OptionWords& words) {
  UdpOptions options;
  options.common = common(words);
  options.flows = words.number("flows", 1, flows_max).value_or(1);
  const std::uint64_t sources_least = (options.flows + ports_a_source - 1) / ports_a_source;
  options.sources =
      static_cast<std::uint32_t>(words.number("sources", sources_least, 1U << 24U).value_or(sources_least));
  options.from = address(words, "from");
  options.to = address(words, "to");
  if (options.from.family != options.to.family) throw Wrong{"--from and --to are of different families"};
  options.port = static_cast<std::uint16_t>(words.number("port", 1, 65535).value_or(9));
  options.size = frame_size(words, options.common.mtu);
  if (options.size == 0 && options.common.mtu < 1500) throw Wrong{"--size imix wants an MTU of 1500"};
  if (options.from.family == Family::v6 && options.size != 0 && options.size < 84) {
    throw Wrong{"--size: an IPv6 packet with a stamp takes 84 bytes at least"};
  }
  options.rate = rate(words);
  const std::string order = words.text("order").value_or("cyclic");
  if (order != "cyclic" && order != "random")
    throw Wrong{fmt::format("--order: \"{}\" is neither cyclic nor random", order)};
  options.random_order = order == "random";
  options.seed = words.number("seed", 0, ~std::uint64_t{0}).value_or(1);
  return options;
}

CommandLine parse_replay(const OptionWords& words) {
  ReplayOptions options;
  options.common = common(words);
  options.capture = words.required("in");
  if (words.has("speed") && words.has("rate")) throw Wrong{"--speed and --rate: one of the two"};
  options.own_pace = !words.has("rate");
  options.speed = words.positive("speed").value_or(1.0);
  options.rate = rate(words);
  options.loops = words.number("loops", 0, ~std::uint64_t{0}).value_or(1);
  if (options.loops == 0 && !options.common.seconds) throw Wrong{"--loops 0 wants --seconds"};
  return options;
}

CommandLine parse_mode(std::string_view mode, std::span<const KnownOption> own, std::span<const char* const> arguments,
                       CommandLine (*read)(const OptionWords&)) {
  std::vector<KnownOption> known(own.begin(), own.end());
  known.insert(known.end(), common_options.begin(), common_options.end());
  const OptionWords words(arguments, known);
  return words.has("help") ? HelpText{mode_help(mode, own)} : read(words);
}

CommandLine parse(std::span<const char* const> arguments) {
  if (arguments.empty()) throw Wrong{"a mode is missing: udp or replay"};
  const std::string_view mode = arguments.front();
  const auto rest = arguments.subspan(1);
  if (mode == "--help" || mode == "-h" || mode == "help") return HelpText{general_help()};
  if (mode == "udp") return parse_mode(mode, udp_options, rest, parse_udp);
  if (mode == "replay") return parse_mode(mode, replay_options, rest, parse_replay);
  if (std::find(later_modes.begin(), later_modes.end(), mode) != later_modes.end()) {
    throw Wrong{fmt::format("{}: not in this version, which has udp and replay", mode)};
  }
  throw Wrong{fmt::format("unknown mode \"{}\"{}", mode, config::suggestion(mode, modes))};
}

}  // namespace

CommandLine parse_command_line(std::span<const char* const> arguments) {
  try {
    return parse(arguments);
  } catch (const Wrong& wrong) {
    return UsageError{fmt::format("{} (see sallyport-pktgen --help)", wrong.message)};
  }
}

}  // namespace sallyport::pktgen
