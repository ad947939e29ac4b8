#include "pktgen/options.h"

#include <array>
#include <functional>
#include <string_view>

#include <fmt/format.h>

#include "config/document/suggestion.h"
#include "pktgen/address_shift.h"
#include "pktgen/endpoints.h"
#include "pktgen/option_reading.h"
#include "pktgen/option_words.h"
#include "pktgen/udp_frames.h"

namespace sallyport::pktgen {
namespace {

constexpr auto udp_options = std::to_array<KnownOption>({
    {"flows", "N", "how many (default: 1)"},
    {"sources", "N", "over so many addresses from --from on (default: 1 for each 64512 flows)"},
    {"from", "ADDR", "the first sender"},
    {"to", "ADDR", "the receiver"},
    {"port", "N", "the receiver's port (default: 9)"},
    {"size", "BYTES|imix",
     "of a frame with its check sequence (default: 64, IPv6 84); imix: 64 (IPv6 84), 594, 1518 as 7:4:1"},
    {"rate", "PPS|max", "packets a second (default: max)"},
    {"order", "cyclic|random", "of the flows (default: cyclic)"},
    {"seed", "N", "of the random order (default: 1)"},
});
constexpr auto replay_options = std::to_array<KnownOption>({
    {"in", "CAPTURE", "pcap or pcapng; frames of other link layers get an Ethernet header"},
    {"speed", "X", "times the capture's own pace (default: 1)"},
    {"rate", "PPS|max", "instead of its own pace"},
    {"loops", "N", "how often (default: 1; 0: until --seconds are over)"},
    {"copies", "N", "of every frame, each with addresses of its own: many flows out of few (default: 1)"},
    {"shift", "CIDR", "which addresses: in copy k they are k blocks of this size further on"},
});
constexpr auto modes = std::to_array<std::string_view>({"udp", "replay", "connect", "search", "serve"});

constexpr std::uint64_t copies_max = std::uint64_t{1} << 24U;
constexpr std::uint64_t flows_max = std::uint64_t{1} << 32U;

std::string general_help() {
  return "sallyport-pktgen, the other end of the wire: sends packets through a gateway and measures what comes "
         "back.\n\n"
         "Usage: sallyport-pktgen udp|replay|connect|search|serve --device DEVICE [OPTION]...\n\n"
         "Modes:\n"
         "  udp      N flows of UDP packets of one size, or IMIX\n"
         "  replay   a capture, at its own pace or another\n"
         "  connect  new TCP connections with ClientHellos that name hosts\n"
         "  search   the highest rate of udp or replay that loses no more than so much: NDR, PDR\n"
         "  serve    the far side in a process of its own: answers connect, and sends udp's packets back\n\n"
         "Each has its --help. Exit status: 0 done; 1 a file is not what it should be, or a search was interrupted; 2 "
         "usage; "
         "3 the environment will not do.\n";
}

std::string mode_help(std::string_view mode, std::span<const KnownOption> own) {
  return fmt::format("Usage: sallyport-pktgen {} --device DEVICE [OPTION]...\n\n{}\nDevices and time:\n{}", mode,
                     help_lines(own), help_lines(common_options()));
}

std::uint32_t frame_size(const OptionWords& words, Family family, std::uint16_t mtu) {
  if (words.text("size") == "imix") return 0;
  const std::uint32_t least = UdpFrames::size_least(family);
  return static_cast<std::uint32_t>(words.number("size", least, mtu + 18ULL).value_or(least));
}

CommandLine parse_udp(const OptionWords& words) {
  UdpOptions options;
  options.common = read_common(words);
  options.flows = words.number("flows", 1, flows_max).value_or(1);
  const std::uint64_t sources_least = (options.flows + Endpoints::ports_each - 1) / Endpoints::ports_each;
  options.sources = static_cast<std::uint32_t>(
      words.number("sources", sources_least, Endpoints::addresses_max).value_or(sources_least));
  read_ends(words, options.from, options.to);
  options.port = static_cast<std::uint16_t>(words.number("port", 1, 65535).value_or(9));
  options.size = frame_size(words, options.from.family, options.common.mtu);
  if (options.size == 0 && options.common.mtu < 1500) throw Wrong{"--size imix wants an MTU of 1500"};
  options.rate = read_rate(words);
  const std::string order = words.text("order").value_or("cyclic");
  if (order != "cyclic" && order != "random")
    throw Wrong{fmt::format("--order: \"{}\" is neither cyclic nor random", order)};
  options.random_order = order == "random";
  options.seed = words.number("seed", 0, ~std::uint64_t{0}).value_or(1);
  return options;
}

CommandLine parse_replay(const OptionWords& words) {
  ReplayOptions options;
  options.common = read_common(words);
  options.capture = words.required("in");
  if (words.has("speed") && words.has("rate")) throw Wrong{"--speed and --rate: one of the two"};
  options.own_pace = !words.has("rate");
  options.speed = words.positive("speed").value_or(1.0);
  options.rate = read_rate(words);
  options.loops = words.number("loops", 0, ~std::uint64_t{0}).value_or(1);
  options.copies = words.number("copies", 1, copies_max).value_or(1);
  if (const auto text = words.text("shift")) {
    const auto block = parse_prefix(*text);
    if (!block) throw Wrong{fmt::format("--shift: \"{}\" is no CIDR block", *text)};
    options.shift = block->prefix;
  }
  if (options.shift.has_value() != words.has("copies")) throw Wrong{"--copies and --shift go together"};
  if (options.shift && options.copies > copies_that_fit(*options.shift)) {
    throw Wrong{fmt::format("--copies {}: from {} on there is room for {} alone until the addresses end",
                            options.copies, *words.text("shift"), copies_that_fit(*options.shift))};
  }
  if (options.loops == 0 && !options.common.seconds) throw Wrong{"--loops 0 wants --seconds"};
  return options;
}

CommandLine parse_mode(std::string_view mode, std::span<const KnownOption> own, std::span<const char* const> arguments,
                       const std::function<CommandLine(const OptionWords&)>& read) {
  std::vector<KnownOption> known(own.begin(), own.end());
  known.insert(known.end(), common_options().begin(), common_options().end());
  const OptionWords words(arguments, known);
  return words.has("help") ? HelpText{mode_help(mode, own)} : read(words);
}

// The traffic's mode follows: `search udp --flows 1000`.
CommandLine parse_search(std::span<const char* const> arguments) {
  const std::string_view over = arguments.empty() ? "" : arguments.front();
  if (over == "--help" || over == "-h") {
    return HelpText{fmt::format("{}\nAnd what udp or replay has, where --rate is the highest rate to try.\n",
                                mode_help("search udp|replay", search_options()))};
  }
  if (over != "udp" && over != "replay") throw Wrong{"search: over udp or replay? (search udp --device ...)"};
  std::vector<KnownOption> own(search_options().begin(), search_options().end());
  const auto traffic = over == "udp" ? std::span<const KnownOption>(udp_options) : replay_options;
  own.insert(own.end(), traffic.begin(), traffic.end());
  return parse_mode("search " + std::string(over), own, arguments.subspan(1), [&](const OptionWords& words) {
    return read_search(words, over == "udp" ? parse_udp(words) : parse_replay(words));
  });
}

CommandLine parse(std::span<const char* const> arguments) {
  if (arguments.empty()) throw Wrong{"a mode is missing: udp, replay, connect, search or serve"};
  const std::string_view mode = arguments.front();
  const auto rest = arguments.subspan(1);
  if (mode == "--help" || mode == "-h" || mode == "help") return HelpText{general_help()};
  if (mode == "--version" || mode == "version") return HelpText{"sallyport-pktgen " SALLYPORT_VERSION "\n"};
  if (mode == "udp") return parse_mode(mode, udp_options, rest, parse_udp);
  if (mode == "replay") return parse_mode(mode, replay_options, rest, parse_replay);
  if (mode == "connect") return parse_mode(mode, connect_options(), rest, read_connect);
  if (mode == "search") return parse_search(rest);
  if (mode == "serve") return parse_mode(mode, serve_options(), rest, read_serve);
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
