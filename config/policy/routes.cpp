#include <array>

#include <fmt/format.h>

#include "config/document/in_quotes.h"
#include "config/document/values.h"
#include "config/host_name.h"
#include "config/policy/readers.h"

namespace sallyport::config {
namespace {

constexpr std::array<Choice<RouteAction>, 3> actions{
    {{"allow", RouteAction::allow}, {"deny", RouteAction::deny}, {"audit", RouteAction::audit}}};

std::optional<ParentRef> read_parent_ref(RouteKind kind, const Item& item, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  if (!table.is_table()) return std::nullopt;
  ParentRef ref;
  ref.at = item.at();
  table.required("name", ref.name, object_name);
  table.optional("namespace", ref.namespace_name, object_name);
  const auto port = table.find("port");
  const auto end_port = table.find("end_port");
  if (kind == RouteKind::icmp) {
    if (port) report(*port, diagnostics, "ICMP has no ports; an icmp_route names its parent without one");
    if (end_port) report(*end_port, diagnostics, "ICMP has no ports; an icmp_route names its parent without one");
    return ref;
  }
  if (!port) table.report_missing("port");
  const auto number = integer<std::uint16_t>(1, 65535);
  if (port) ref.port = number(*port, diagnostics);
  if (end_port) ref.end_port = number(*end_port, diagnostics);
  if (ref.port && ref.end_port && *ref.end_port < *ref.port) {
    report(*end_port, diagnostics, fmt::format("{} is below port, which is {}", *ref.end_port, *ref.port));
  }
  return ref;
}

std::optional<HostPattern> read_regex(const Item& item, Diagnostics& diagnostics) {
  HostPattern pattern;
  pattern.kind = HostPattern::Kind::regex;
  pattern.at = item.at();
  TableReader table(item, diagnostics);
  if (!table.required("regex", pattern.text, filled_text)) return std::nullopt;
  if (pattern.text.ends_with("\\.") || pattern.text.find(' ') != std::string::npos) {
    diagnostics.warning(item.at(), item.path,
                        "no host name holds a blank, and none ends in a dot: that one is dropped before");
  }
  return pattern;
}

std::optional<HostPattern> read_host_pattern(const Item& item, Diagnostics& diagnostics) {
  if (std::holds_alternative<Table>(item.node->is)) return read_regex(item, diagnostics);
  if (!std::holds_alternative<std::string>(item.node->is)) {
    report_kind(item, diagnostics, "a host name or { regex = \"..\" }");
    return std::nullopt;
  }
  const auto written = filled_text(item, diagnostics);
  if (!written) return std::nullopt;
  auto pattern = parse_host_pattern(*written);
  if (!pattern) {
    report(item, diagnostics, pattern.error);
    return std::nullopt;
  }
  pattern.value->at = item.at();
  return std::move(pattern.value);
}

void read_names(TableReader& table, RouteKind kind, Route& into) {
  table.each("hostnames", into.hostnames, read_host_pattern);
  if (kind != RouteKind::grpc) table.each("hostname_sets", into.hostname_sets, object_name);
  if (!into.hostnames.empty() || !into.hostname_sets.empty()) return;
  for (const char* key : {"hostnames", "hostname_sets"}) {
    const auto names = table.find(key);
    if (!names || !is_empty_array(*names)) continue;
    table.diagnostics().warning(names->at(), names->path,
                                "empty: matches every flow of its protocol, as without this key");
  }
}

}  // namespace

std::string_view table_name(RouteKind kind) noexcept {
  switch (kind) {
    case RouteKind::icmp:
      return "icmp_route";
    case RouteKind::udp:
      return "udp_route";
    case RouteKind::tcp:
      return "tcp_route";
    case RouteKind::tls:
      return "tls_route";
    case RouteKind::http:
      return "http_route";
    case RouteKind::grpc:
      return "grpc_route";
  }
  return "";
}

Route read_route(RouteKind kind, const Item& item, Diagnostics& diagnostics) {
  Route route;
  route.kind = kind;
  route.at = item.at();
  TableReader table(item, diagnostics);
  table.required("namespace", route.namespace_name, object_name);
  table.required("name", route.name, object_name);
  table.optional("action", route.action, one_of(actions));
  const auto parents = table.require("parent_refs");
  if (parents) {
    table.each("parent_refs", route.parent_refs,
               [kind](const Item& element, Diagnostics& errors) { return read_parent_ref(kind, element, errors); });
    if (is_empty_array(*parents)) report(*parents, diagnostics, "empty; a route belongs to an egress network");
  }
  // Gateway API: a parent is looked for in the route's own namespace.
  for (ParentRef& ref : route.parent_refs) {
    if (ref.namespace_name.empty()) ref.namespace_name = route.namespace_name;
  }
  const bool by_name = kind == RouteKind::tls || kind == RouteKind::http || kind == RouteKind::grpc;
  if (by_name) read_names(table, kind, route);
  if (kind == RouteKind::http || kind == RouteKind::grpc) {
    if (const auto rules = table.find("rules")) read_http_matches(*rules, kind, route.matches, diagnostics);
  }
  return route;
}

}  // namespace sallyport::config
