#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "pktgen/option_reading.h"

namespace sallyport::pktgen {
namespace {

constexpr auto known_search = std::to_array<KnownOption>({
    {"loss", "PERCENT,..", "how much may be lost (default: 0, the NDR); several: the rate for each"},
    {"trial-seconds", "N", "of each trial (default: 10; RFC 2544 wants 60)"},
    {"warm-up", "SECONDS",
     "before the first trial, at --rate or as fast as it goes; what is lost does not count (default: 1)"},
    {"resolution", "PERCENT", "of the highest rate: how near the bounds come to each other (default: 1)"},
    {"plot", "FILE.svg", "draws loss and latency over rate"},
});

std::vector<double> losses(const OptionWords& words) {
  std::vector<double> all;
  std::string rest = words.text("loss").value_or("0");
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string part = rest.substr(0, comma);
    rest.erase(0, comma + 1);
    double loss = -1;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), loss);
    if (error != std::errc{} || end != part.data() + part.size() || !(loss >= 0 && loss < 100)) {
      throw Wrong{fmt::format("--loss: \"{}\" is no percentage from 0 to below 100", part)};
    }
    all.push_back(loss);
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

std::span<const KnownOption> search_options() { return known_search; }

CommandLine read_search(const OptionWords& words, CommandLine traffic) {
  for (const char* own : {"seconds", "speed", "loops"}) {
    if (words.has(own)) throw Wrong{fmt::format("--{}: a search has --trial-seconds and a rate of its own", own)};
  }
  SearchOptions options;
  if (auto* replay = std::get_if<ReplayOptions>(&traffic)) {
    replay->own_pace = false;
    replay->loops = 0;
    options.traffic = std::move(*replay);
  } else {
    options.traffic = std::get<UdpOptions>(std::move(traffic));
  }
  options.losses = losses(words);
  options.trial_seconds = words.seconds("trial-seconds").value_or(options.trial_seconds);
  options.warm_up_seconds = words.seconds("warm-up").value_or(options.warm_up_seconds);
  options.resolution = words.positive("resolution").value_or(options.resolution);
  if (options.resolution < 0.01 || options.resolution > 50) throw Wrong{"--resolution is from 0.01 to 50"};
  options.plot = words.text("plot").value_or("");
  return options;
}

}  // namespace sallyport::pktgen
