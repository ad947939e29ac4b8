#include <array>

#include <fmt/format.h>

#include "config/bounds.h"
#include "config/document/in_quotes.h"
#include "config/document/values.h"
#include "config/list_file.h"
#include "config/policy/readers.h"
#include "config/source_file.h"

namespace sallyport::config {
namespace {

constexpr std::array<Choice<DomainSet::Match>, 2> matches{
    {{"exact", DomainSet::Match::exact}, {"subdomains", DomainSet::Match::subdomains}}};

}  // namespace

std::optional<ListFiles::Opened> ListFiles::open(const Item& item, Diagnostics& diagnostics) {
  const auto name = filled_text(item, diagnostics);
  if (!name) return std::nullopt;
  const std::string path = beside(base_, *name);
  auto content = read_regular_file(path, bounds::list_file_bytes);
  if (!content) {
    report(item, diagnostics, fmt::format("{} {}", in_quotes(path), content.error));
    return std::nullopt;
  }
  files_.push_back(path);
  return Opened{std::move(*content.value), static_cast<std::uint32_t>(files_.size() - 1)};
}

NetworkSet read_network_set(const Item& item, ListFiles& files, Diagnostics& diagnostics) {
  NetworkSet set;
  set.at = item.at();
  TableReader table(item, diagnostics);
  table.required("name", set.name, object_name);
  table.optional("namespace", set.namespace_name, object_name);
  table.optional("labels", set.labels, read_labels);
  table.each("nets", set.nets, located_prefix);
  if (const auto file = table.find("file")) {
    if (const auto opened = files.open(*file, diagnostics)) {
      read_prefix_list(opened->text, opened->number, set.nets, diagnostics);
    }
  }
  return set;
}

DomainSet read_domain_set(const Item& item, ListFiles& files, Diagnostics& diagnostics) {
  DomainSet set;
  set.at = item.at();
  TableReader table(item, diagnostics);
  table.required("name", set.name, object_name);
  table.optional("match", set.match, one_of(matches));
  const auto read_name = [&](const Item& element, Diagnostics&) -> std::optional<std::string> {
    const auto written = filled_text(element, diagnostics);
    if (!written) return std::nullopt;
    auto name = parse_set_name(*written, set.match);
    if (!name) report(element, diagnostics, name.error);
    return std::move(name.value);
  };
  table.each("names", set.names, read_name);
  if (const auto file = table.find("file")) {
    if (const auto opened = files.open(*file, diagnostics)) {
      read_name_list(opened->text, opened->number, set.match, set.names, diagnostics);
    }
  }
  return set;
}

}  // namespace sallyport::config
