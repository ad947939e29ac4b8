// What a pipeline is made of, for pipeline.cpp and pipeline_tables.cpp.
#pragma once

#include <array>

#include "dataplane/core.h"
#include "dataplane/pipeline.h"
#include "dataplane/stages/look_ahead.h"

namespace sallyport::dataplane {

using InFlights = std::array<InFlight, burst_max>;

struct Pipeline::Parts : Core {
  using Core::Core;

  InFlights in_flight;  // kept: making it anew costs a burst of one packet 90 ns
};

}  // namespace sallyport::dataplane
