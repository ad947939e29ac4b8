// How the control plane tells the operator something while it runs. Workers never do.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace sallyport::dataplane {

enum class Severity : std::uint8_t { info, warning, error };

// Called by several threads of the control plane, one line a call, without newline.
using Log = std::function<void(Severity, const std::string&)>;

}  // namespace sallyport::dataplane
