#include <algorithm>
#include <array>

#include "pktgen/endpoints.h"
#include "pktgen/option_reading.h"

namespace sallyport::pktgen {
namespace {

constexpr auto known_connect = std::to_array<KnownOption>({
    {"from", "ADDR", "the first client"},
    {"to", "ADDR", "the server"},
    {"port", "N", "the server's port (default: 443)"},
    {"names", "FILE", "hosts that the hellos name in turn, one a line (default: www.example.com)"},
    {"post-quantum", "", "hellos of 1.7 KB with a key of X25519MLKEM768, in two segments, the name in the second"},
    {"rate", "N|max", "new connections a second (default: max)"},
    {"parallel", "N", "with --rate max: handshakes under way at once at most (default: 1024)"},
    {"open", "N", "connections that stay open, the oldest is closed for a new one (default: 0: closed when answered)"},
    {"sources", "N", "over so many addresses from --from on (default: 1 for each 64512 that are open or wait at once)"},
    {"timeout", "SECONDS", "how long to wait for an answer; nothing is sent twice (default: 3)"},
    {"far-side", "here|elsewhere", "whether this process is the server, too (default: here)"},
});
constexpr std::span<const KnownOption> known_serve{};

constexpr std::uint64_t open_max = std::uint64_t{1} << 26U;
constexpr std::uint64_t waiting_most = std::uint64_t{1} << 24U;
constexpr std::uint16_t mtu_least = 1280;  // a ServerHello fits

std::uint64_t sources_for(std::uint64_t connections) { return connections / Endpoints::ports_each + 1; }

// A connection that nobody answers keeps its port until it is given up. No more than fit into 256 MB are foreseen.
std::uint64_t waiting_at_once(const ConnectOptions& options) {
  if (!options.rate) return std::min(options.parallel, waiting_most);
  return static_cast<std::uint64_t>(std::min(*options.rate * options.timeout, static_cast<double>(waiting_most)));
}

}  // namespace

std::span<const KnownOption> connect_options() { return known_connect; }
std::span<const KnownOption> serve_options() { return known_serve; }

CommandLine read_connect(const OptionWords& words) {
  ConnectOptions options;
  options.common = read_common(words);
  if (options.common.mtu < mtu_least) throw Wrong{"--mtu: connect wants 1280 at least"};
  read_ends(words, options.from, options.to);
  options.port = static_cast<std::uint16_t>(words.number("port", 1, 65535).value_or(443));
  options.names = words.text("names").value_or("");
  options.post_quantum = words.has("post-quantum");
  options.rate = read_rate(words);
  if (options.rate && words.has("parallel")) throw Wrong{"--parallel is for --rate max"};
  options.parallel = words.number("parallel", 1, open_max).value_or(options.parallel);
  options.open = words.number("open", 0, open_max).value_or(0);
  options.timeout = words.seconds("timeout").value_or(options.timeout);
  const std::uint64_t least = sources_for(options.open);
  options.sources = static_cast<std::uint32_t>(words.number("sources", least, Endpoints::addresses_max / 16)
                                                   .value_or(sources_for(options.open + waiting_at_once(options))));
  const std::string far_side = words.text("far-side").value_or("here");
  if (far_side != "here" && far_side != "elsewhere") throw Wrong{"--far-side is here or elsewhere"};
  options.far_side_here = far_side == "here";
  return options;
}

CommandLine read_serve(const OptionWords& words) { return ServeOptions{read_common(words)}; }

}  // namespace sallyport::pktgen
