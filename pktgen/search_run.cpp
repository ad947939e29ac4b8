#include "pktgen/search_run.h"

#include <memory>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "pktgen/traffic.h"
#include "pktgen/udp_source.h"

namespace sallyport::pktgen {
namespace {

constexpr dataplane::MacAddress everybody = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

Rate highest_of(const SearchOptions& options) {
  return std::visit([](const auto& traffic) { return traffic.rate; }, options.traffic);
}

}  // namespace

const CommonOptions& common_of(const SearchOptions& options) {
  return std::visit([](const auto& traffic) -> const CommonOptions& { return traffic.common; }, options.traffic);
}

// Without a highest rate it is what the device took when the gateway was warmed up.
SearchReport SearchRun::run() {
  SearchReport report;
  const auto* udp = std::get_if<UdpOptions>(&options_.traffic);
  report.traffic = udp != nullptr ? "udp" : "replay";
  if (udp != nullptr) report.order = udp->random_order ? "random" : "cyclic";
  report.losses = options_.losses;
  report.trial_seconds = options_.trial_seconds;

  const Rate highest = highest_of(options_);
  const Trial warm_up{0, trial(highest, options_.warm_up_seconds)};
  const SearchBounds bounds{highest.value_or(warm_up.rate()), options_.resolution, highest.has_value()};
  report.bounds = bounds;
  for (const double loss : options_.losses) {
    while (!Traffic::interrupted()) {
      const std::optional<double> rate = next_rate(report.trials, loss, bounds);
      if (!rate) break;
      Trial made{*rate, trial(*rate, options_.trial_seconds)};
      if (Traffic::interrupted()) break;  // it was cut short
      report.trials.push_back(std::move(made));
    }
  }
  report.interrupted = Traffic::interrupted();
  return report;
}

// What comes late from one trial is not taken for the next one's: each is a run of its own.
Report SearchRun::trial(Rate rate, double seconds) {
  CommonOptions common = common_of(options_);
  common.seconds = seconds;
  Traffic traffic(ports_, common);
  traffic.set_title(number_ == 0 ? "warm-up: "
                                 : fmt::format("trial {}, {:.6f} Mpps: ", number_, rate.value_or(0) / 1e6));
  std::unique_ptr<Source> source;
  if (const auto* udp = std::get_if<UdpOptions>(&options_.traffic)) {
    UdpOptions options = *udp;
    options.rate = rate;
    options.run += number_;
    source = std::make_unique<UdpSource>(options, ports_.mac(0), destination_.value_or(everybody));
  } else {
    ReplayOptions options = std::get<ReplayOptions>(options_.traffic);
    options.rate = rate;
    source = std::make_unique<ReplaySource>(options, *frames_, ports_.mac(0), destination_);
  }
  ++number_;
  traffic.run(*source);
  return traffic.take_report();
}

}  // namespace sallyport::pktgen
