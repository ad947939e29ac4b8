// The lists that benchmarks run over: real ones from a folder, or made-up ones where it is absent.
#pragma once

#include <string>
#include <vector>

#include "config/address.h"

namespace sallyport::bench {

// Lines of a file in $SALLYPORT_LISTS (else ../shared/lists beside the sources), unpacked where its name ends in .xz.
// Empty when there is no such file.
[[nodiscard]] std::vector<std::string> read_list(const std::string& name);

struct PrefixList {
  std::string origin;  // for the record: a file or "synthetic"
  std::vector<Prefix> prefixes;
};
// A full Internet routing table of one family, sorted.
[[nodiscard]] PrefixList routing_table(Family family);

struct NameList {
  std::string origin;
  std::vector<std::string> names;  // distinct, normal form
};
// Blocked names, `count` of them: real ones first, made longer by made-up labels when they do not reach.
[[nodiscard]] NameList domain_names(std::size_t count);

}  // namespace sallyport::bench
