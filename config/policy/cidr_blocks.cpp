#include <fmt/format.h>

#include "config/address_union.h"
#include "config/document/values.h"
#include "config/martian.h"
#include "config/policy/readers.h"

namespace sallyport::config {
namespace {

// What is wrong with a hole in a CIDR; empty: nothing.
std::string except_fault(const Prefix& cidr, const Prefix& except) {
  if (except.address.family != cidr.address.family) {
    return fmt::format("{} is not of the family of {}", to_string(except), to_string(cidr));
  }
  if (except.contains(cidr))
    return fmt::format("{} covers {} whole; nothing is left of it", to_string(except), to_string(cidr));
  if (!cidr.contains(except)) return fmt::format("{} is not inside {}", to_string(except), to_string(cidr));
  return {};
}

}  // namespace

std::optional<LocatedPrefix> located_prefix(const Item& item, Diagnostics& diagnostics) {
  const auto value = prefix(item, diagnostics);
  if (!value) return std::nullopt;
  return LocatedPrefix{*value, item.at()};
}

void warn_of_martian(const Item& item, const Prefix& prefix, Diagnostics& diagnostics) {
  const std::string_view martian = martian_around(prefix);
  if (martian.empty()) return;
  const std::string_view hint = martian == "::ffff:0:0/96" ? "; IPv4 is written as IPv4" : "";
  diagnostics.warning(item.at(), item.path,
                      fmt::format("{} lies in {}, whose packets are dropped as martians: nothing is ever of it{}",
                                  to_string(prefix), martian, hint));
}

std::optional<LocatedPrefix> source_prefix(const Item& item, Diagnostics& diagnostics) {
  const auto source = located_prefix(item, diagnostics);
  if (source) warn_of_martian(item, source->prefix, diagnostics);
  return source;
}

std::optional<CidrBlock> read_cidr_block(const Item& item, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  CidrBlock block;
  block.at = item.at();
  const bool usable = table.required("cidr", block.cidr, prefix);
  if (usable) warn_of_martian(*table.find("cidr"), block.cidr, diagnostics);
  const auto read_except = [&](const Item& element, Diagnostics&) -> std::optional<Prefix> {
    const auto except = prefix(element, diagnostics);
    if (!except || !usable) return std::nullopt;
    if (auto fault = except_fault(block.cidr, *except); !fault.empty()) {
      report(element, diagnostics, std::move(fault));
      return std::nullopt;
    }
    return except;
  };
  table.each("except", block.except, read_except);
  if (!usable) return std::nullopt;
  if (!block.except.empty() && AddressUnion(block.except).covers(block.cidr)) {
    diagnostics.warning(item.at(), item.path + ".except",
                        fmt::format("together these cover {} whole; nothing is left of it", to_string(block.cidr)));
  }
  return block;
}

}  // namespace sallyport::config
