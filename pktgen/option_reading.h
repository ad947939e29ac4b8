// What several modes' options are read with.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pktgen/option_words.h"
#include "pktgen/options.h"

namespace sallyport::pktgen {

// --device and what goes with it; of every mode.
[[nodiscard]] std::span<const KnownOption> common_options();
[[nodiscard]] CommonOptions read_common(const OptionWords& words);
[[nodiscard]] IpAddress read_address(const OptionWords& words, std::string_view name);
// --from and --to, of one family.
void read_ends(const OptionWords& words, IpAddress& from, IpAddress& to);
// "max" is the absence of a rate.
[[nodiscard]] Rate read_rate(const OptionWords& words);

// The modes, each with its options in the order of its help.
[[nodiscard]] std::span<const KnownOption> connect_options();
[[nodiscard]] CommandLine read_connect(const OptionWords& words);
[[nodiscard]] std::span<const KnownOption> serve_options();
[[nodiscard]] CommandLine read_serve(const OptionWords& words);

// Of the search alone; `traffic` is what it searches over, read already.
[[nodiscard]] std::span<const KnownOption> search_options();
[[nodiscard]] CommandLine read_search(const OptionWords& words, CommandLine traffic);

}  // namespace sallyport::pktgen
