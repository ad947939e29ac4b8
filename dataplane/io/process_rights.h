// What this process may do, asked where a device does not open: the kernel says EAGAIN or EINVAL for what is a missing
// right.
#pragma once

#include <string>

#include "dataplane/io/device_text.h"

namespace sallyport::dataplane {

// The right that a device of this kind wants and that is not there, with what gives it; empty: none that is known.
[[nodiscard]] std::string missing_right(DeviceText::Kind kind);

}  // namespace sallyport::dataplane
