// The trials of a search, on devices.
#pragma once

#include <optional>

#include "dataplane/io/generator_ports.h"
#include "pktgen/options.h"
#include "pktgen/replay_source.h"
#include "pktgen/search.h"

namespace sallyport::pktgen {

class SearchRun {
 public:
  // `frames`: of a search over `replay`.
  SearchRun(dataplane::GeneratorPorts& ports, const SearchOptions& options, const CapturedFrames* frames,
            std::optional<dataplane::MacAddress> destination)
      : ports_(ports), options_(options), frames_(frames), destination_(destination) {}

  // Until each limit has its rate, or a signal came.
  [[nodiscard]] SearchReport run();

 private:
  [[nodiscard]] Report trial(Rate rate, double seconds);

  dataplane::GeneratorPorts& ports_;
  const SearchOptions& options_;
  const CapturedFrames* const frames_;
  const std::optional<dataplane::MacAddress> destination_;
  std::uint64_t number_ = 0;  // of the next trial
};

// What every mode has, of the traffic searched over.
[[nodiscard]] const CommonOptions& common_of(const SearchOptions& options);

}  // namespace sallyport::pktgen
