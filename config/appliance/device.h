// The `device` of a [[port]] as it is written: is it one, and what does it take for itself? What becomes of it is a
// matter of dataplane/io.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/diagnostics.h"
#include "config/document/table_reader.h"

namespace sallyport::config {

// A PCI address or a DPDK virtual device; reports what is neither.
[[nodiscard]] std::optional<std::string> device_name(const Item& item, Diagnostics& diagnostics);

// What only one port can have, as messages call it: "PCI device 0000:01:00.0", "interface \"eth1\"". Empty for virtual
// devices that stand on nothing: they are made, and the same words may make two.
[[nodiscard]] std::string hardware_of(std::string_view device);

}  // namespace sallyport::config
