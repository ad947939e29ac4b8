// How much memory there is to be had: of the machine, and of the control group that the gateway may be confined to.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <optional>

#include "config/appliance_model.h"

namespace sallyport::dataplane {

[[nodiscard]] std::size_t available_memory_bytes();
// Tables are mapped and not touched yet: what does not fit is refused now, not when the traffic comes. Throws
// EnvironmentError.
void check_fits(std::size_t wanted_bytes, const config::Limits& limits);

// The parts of it, from what the kernel's files say. None: the file says nothing (or "max").
[[nodiscard]] std::optional<std::size_t> parse_memory_available(std::istream& meminfo);
[[nodiscard]] std::optional<std::size_t> parse_control_group(std::istream& max, std::istream& current);

}  // namespace sallyport::dataplane
