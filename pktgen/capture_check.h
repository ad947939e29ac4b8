// What there is to say about a capture before it is sent.
#pragma once

#include <optional>
#include <string>

#include "pktgen/captured_frames.h"
#include "pktgen/options.h"

namespace sallyport::pktgen {

// What is wrong with the file and what to do about it; empty: nothing.
[[nodiscard]] std::string capture_error(const CapturedFrames& frames, const std::string& path);
// Why copies would be all alike; empty: they are not.
[[nodiscard]] std::string copies_error(const CapturedFrames& frames, const ReplayOptions& options);
// That the capture's own pace takes more than an hour; empty: it does not, or the end is given.
[[nodiscard]] std::string duration_warning(const CapturedFrames& frames, const ReplayOptions& options);

}  // namespace sallyport::pktgen
