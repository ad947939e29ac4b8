// What is dropped as a martian whichever way it goes (RFC 1812 section 5.3.7), and so can be nobody's address.
#pragma once

#include <string_view>

#include "config/address.h"

namespace sallyport::config {

// The martian network that shares an address with the range, "127.0.0.0/8"; empty: none.
[[nodiscard]] std::string_view martian_in(const AddressRange& range);

// The martian network that holds all of the prefix; empty: none.
[[nodiscard]] std::string_view martian_around(const Prefix& prefix);

}  // namespace sallyport::config
