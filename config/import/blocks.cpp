#include <fmt/format.h>

#include "config/import/importer.h"

namespace sallyport::config {

std::optional<CidrBlock> import_block(const YamlNode& node, const ObjectReport& report) {
  Fields fields(&node, report);
  const YamlNode* cidr = fields.find("cidr");
  const std::vector<YamlNode>& excepts = fields.list("except");
  if (!fields.whole()) return std::nullopt;
  if (cidr == nullptr) {
    report.lost(node.at, "a block without a cidr; left out");
    return std::nullopt;
  }
  const auto prefix = read_prefix(*cidr, report);
  if (!prefix) return std::nullopt;
  CidrBlock block{*prefix, {}, node.at};
  for (const YamlNode& each : excepts) {
    const auto except = read_prefix(each, report);
    if (!except) return std::nullopt;
    if (*except == *prefix || !prefix->contains(*except)) {
      report.lost(each.at, fmt::format("the except {} is not inside of {}, which is not valid; the block was left out",
                                       to_string(*except), to_string(*prefix)));
      return std::nullopt;
    }
    block.except.push_back(*except);
  }
  return block;
}

}  // namespace sallyport::config
