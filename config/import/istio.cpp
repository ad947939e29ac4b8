// Istio's egress Gateways and ServiceEntries, networking.istio.io, as they hold where the mesh lets out only what it
// knows.
//
// All of them open doors in one wall, so they become one network that denies, and a route for each door. Two things
// make more networks of it. An entry that is exported to some namespaces only opens its door for these: each gets a
// wall of its own, in which the doors for everybody are, too. And TCP shows no name, so an entry for TCP is known by
// addresses: each prefix of them gets a smaller wall, which captures in place of the large one and has its doors as
// well.
//
//   walls = (everybody, each namespace exported to) x (everything, each prefix)
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "config/document/in_quotes.h"
#include "config/import/host_dialect.h"
#include "config/import/importer.h"

namespace sallyport::config {
namespace {

constexpr std::size_t most_walls = 1000;

struct Door {
  RouteKind kind = RouteKind::tls;
  std::uint16_t port = 0;
  std::string name;                   // of the route
  std::vector<HostPattern> hosts;     // none: any
  std::vector<Prefix> addresses;      // of TCP; none: any
  std::set<std::string> exported_to;  // namespaces; none: all
  Location at;
};

// What a server or a port of Istio speaks; absent: nothing that leaves a cluster.
std::optional<RouteKind> kind_of_protocol(std::string_view protocol) {
  constexpr std::array<std::pair<std::string_view, RouteKind>, 12> known{{{"HTTPS", RouteKind::tls},
                                                                          {"TLS", RouteKind::tls},
                                                                          {"HTTP", RouteKind::http},
                                                                          {"HTTP2", RouteKind::http},
                                                                          {"GRPC", RouteKind::grpc},
                                                                          {"GRPC-WEB", RouteKind::http},
                                                                          {"TCP", RouteKind::tcp},
                                                                          {"MONGO", RouteKind::tcp},
                                                                          {"MYSQL", RouteKind::tcp},
                                                                          {"REDIS", RouteKind::tcp},
                                                                          {"UDP", RouteKind::udp},
                                                                          {"HTTP_PROXY", RouteKind::http}}};
  std::string upper(protocol);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c; });
  for (const auto& [name, kind] : known) {
    if (name == upper) return kind;
  }
  return std::nullopt;
}

bool shows_a_name(RouteKind kind) noexcept { return kind != RouteKind::tcp && kind != RouteKind::udp; }

// What stands in both a server of a Gateway and a ServiceEntry: a port and host names.
class DoorReader {
 public:
  DoorReader(const Imported& imported) : object_(imported.object), report_(imported.report) {}

  std::optional<Door> read_port(const YamlNode* node) {
    if (node == nullptr) return std::nullopt;
    Fields fields(node, report_);
    const auto number = fields.number("number", 1, 65535);
    const std::string protocol = fields.text("protocol").value_or("TCP");
    const std::string name = fields.text("name").value_or("");
    const auto target = fields.number("targetPort", 1, 65535);
    if (number && target && *target != *number) {
      report_.lost(
          node->at,
          fmt::format("targetPort {}: the gateway changes no ports; clients have to use it themselves", *target));
    }
    const auto kind = kind_of_protocol(protocol);
    if (!number || !kind) {
      if (number) report_.lost(node->at, fmt::format("protocol {} is not known here; left out", in_quotes(protocol)));
      return std::nullopt;
    }
    Door door;
    door.kind = *kind;
    door.port = static_cast<std::uint16_t>(*number);
    door.name = fmt::format("{}-{}", object_.name, is_plain(name) ? name : fmt::format("{}", *number));
    door.at = object_.at;
    return door;
  }

  // False: no host can be kept, and the door would be open for every name.
  bool read_hosts(const std::vector<YamlNode>& nodes, Door& into) {
    if (!shows_a_name(into.kind)) return true;
    bool everything = false;
    for (const YamlNode& node : nodes) {
      const auto text = read_text(node, report_);
      if (!text) continue;
      auto host = rewrite_host(HostDialect::istio, *text);
      if (!host) {
        report_.lost(node.at, fmt::format("host {}; left out", host.error));
      } else if (host.value->everything) {
        everything = true;
      } else {
        host.value->pattern.at = node.at;
        into.hosts.push_back(std::move(host.value->pattern));
      }
    }
    if (everything) into.hosts.clear();
    return everything || !into.hosts.empty();
  }

 private:
  static bool is_plain(std::string_view name) noexcept {
    return !name.empty() && name.size() <= 63 &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
  }

  const KubernetesObject& object_;
  const ObjectReport& report_;
};

// ---- Gateway --------------------------------------------------------------------------------------------------------

bool is_ingress(Fields& spec, const ObjectReport& report) {
  const Labels selector = read_label_map(spec.find("selector"), report);
  return std::any_of(selector.begin(), selector.end(),
                     [](const auto& label) { return label.second.find("ingress") != std::string::npos; });
}

void read_tls(const YamlNode* node, const ObjectReport& report) {
  if (node == nullptr) return;
  const YamlNode* mode = node->find("mode");
  const std::string text = mode == nullptr ? "SIMPLE" : mode->text;
  if (text == "PASSTHROUGH" || text == "AUTO_PASSTHROUGH") return;
  report.lost(node->at,
              fmt::format("tls mode {}: the gateway ends no TLS; the client's own hello is judged by its name",
                          in_quotes(text)));
}

void read_gateway(const Imported& imported, std::vector<Door>& doors) {
  Fields spec(imported.spec(), imported.report);
  const std::vector<YamlNode>& servers = spec.list("servers");
  if (is_ingress(spec, imported.report)) {
    imported.report.lost(imported.object.at,
                         "selects ingress gateways, what comes in is not the gateway's matter; left out");
    return;
  }
  for (const YamlNode& node : servers) {
    Fields server(&node, imported.report);
    server.without_meaning({"bind", "name"});
    server.lost("defaultEndpoint", "the gateway redirects nothing; left out");
    read_tls(server.find("tls"), imported.report);
    const std::vector<YamlNode>& hosts = server.list("hosts");
    DoorReader reader(imported);
    auto door = reader.read_port(server.find("port"));
    if (door && reader.read_hosts(hosts, *door)) {
      doors.push_back(std::move(*door));
    } else {
      imported.report.lost(node.at, "no port or no host of this server can be kept; the server was left out");
    }
  }
}

// ---- ServiceEntry ---------------------------------------------------------------------------------------------------

class EntryReader {
 public:
  EntryReader(const Imported& imported, std::vector<Door>& doors)
      : imported_(imported), report_(imported.report), doors_(doors), spec_(imported.spec(), report_) {}

  void read() {
    spec_.without_meaning({"resolution"});
    spec_.lost("workloadSelector", "servers chosen by label are inside of the mesh; left out");
    spec_.lost("subjectAltNames", "the gateway does not read certificates; left out");
    const std::string location = spec_.text("location").value_or("MESH_EXTERNAL");
    const std::vector<YamlNode>& hosts = spec_.list("hosts");
    const std::vector<YamlNode>& ports = spec_.list("ports");
    read_addresses();
    const bool exported = read_export();
    if (location == "MESH_INTERNAL") {
      report_.lost(imported_.object.at, "is inside of the mesh (MESH_INTERNAL); left out");
      return;
    }
    if (!exported) return;
    for (const YamlNode& port : ports) read_port(port, hosts);
  }

 private:
  void read_addresses() {
    addresses_ = spec_.prefixes("addresses");
    for (const YamlNode& node : spec_.list("endpoints")) {
      const YamlNode* address = node.find("address");
      const auto parsed = address == nullptr ? std::nullopt : parse_address(address->text);
      if (parsed) {
        addresses_.push_back({*parsed, static_cast<std::uint8_t>(address_bits(parsed->family))});
      } else {
        report_.lost(node.at, "endpoint: no address; the gateway asks no DNS for servers; left out");
      }
    }
  }

  // False: it is exported to nobody.
  bool read_export() {
    const std::vector<std::string> written = spec_.texts("exportTo");
    if (written.empty() || std::find(written.begin(), written.end(), "*") != written.end()) return true;
    for (const std::string& text : written) {
      if (text == ".") exported_to_.insert(imported_.object.namespace_name);
      const bool is_name = text.size() <= 63 && text.find_first_of("~./") == std::string::npos && !text.empty();
      if (is_name) exported_to_.insert(text);
    }
    if (!exported_to_.empty()) return true;
    report_.lost(imported_.object.at, "is exported to no namespace; left out");
    return false;
  }

  void read_port(const YamlNode& node, const std::vector<YamlNode>& hosts) {
    DoorReader reader(imported_);
    auto door = reader.read_port(&node);
    if (!door || !reader.read_hosts(hosts, *door)) {
      report_.lost(node.at, "this port, or every host of it, cannot be kept; the port was left out");
      return;
    }
    door->exported_to = exported_to_;
    if (!shows_a_name(door->kind)) {
      door->addresses = addresses_;
      if (addresses_.empty()) {
        report_.lost(node.at, "shows no name and the entry has no addresses: open towards every address, as in Istio");
      }
    } else if (!addresses_.empty()) {
      report_.lost(node.at, "the name alone decides; the entry's addresses were left out here");
    }
    doors_.push_back(std::move(*door));
  }

  const Imported& imported_;
  const ObjectReport& report_;
  std::vector<Door>& doors_;
  Fields spec_;
  std::vector<Prefix> addresses_;
  std::set<std::string> exported_to_;
};

// ---- the walls ------------------------------------------------------------------------------------------------------

struct Wall {
  std::string namespace_name;
  std::string name;
  std::optional<Prefix> prefix;  // absent: everything outside of the cluster

  // The global namespace's wall is everybody's, so what is exported to that namespace alone is no door of it.
  [[nodiscard]] bool has(const Door& door, const std::string& global) const {
    const bool for_them =
        door.exported_to.empty() || (namespace_name != global && door.exported_to.contains(namespace_name));
    if (!for_them || door.addresses.empty()) return for_them;
    return prefix && std::any_of(door.addresses.begin(), door.addresses.end(),
                                 [&](const Prefix& address) { return address.contains(*prefix); });
  }
};

class WallBuilder {
 public:
  WallBuilder(const KubernetesObject& first, const std::vector<Door>& doors, Import& into)
      : first_(first), doors_(doors), into_(into) {}

  // False: there are too many.
  bool build() {
    std::set<std::string> namespaces;
    std::set<Prefix> prefixes;
    for (const Door& door : doors_) {
      namespaces.insert(door.exported_to.begin(), door.exported_to.end());
      prefixes.insert(door.addresses.begin(), door.addresses.end());
    }
    namespaces.insert(into_.model.global_namespace);
    if (namespaces.size() * (prefixes.size() + 1) > most_walls) return false;
    for (const std::string& each : namespaces) {
      add_wall(each, std::nullopt);
      for (const Prefix& prefix : prefixes) add_wall(each, prefix);
    }
    for (const Door& door : doors_) add_door(door);
    return true;
  }

 private:
  void add_wall(const std::string& namespace_name, const std::optional<Prefix>& prefix) {
    const std::string name = prefix ? fmt::format("{}-{}", first_.name, as_name(to_string(*prefix))) : first_.name;
    walls_.push_back({namespace_name, into_.unique("egress_network", namespace_name, name), prefix});
    EgressNetwork network;
    network.namespace_name = namespace_name;
    network.name = walls_.back().name;
    network.at = first_.at;
    network.networks_given = prefix.has_value();
    if (prefix) network.networks.push_back({*prefix, {}, first_.at});
    into_.model.egress_networks.push_back(std::move(network));
  }

  static std::string as_name(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '.' || c == ':' || c == '/'; }, '-');
    return text;
  }

  void add_door(const Door& door) {
    Route route;
    route.kind = door.kind;
    route.namespace_name = into_.model.global_namespace;
    route.hostnames = door.hosts;
    route.at = door.at;
    for (const Wall& wall : walls_) {
      const bool there =
          wall.has(door, into_.model.global_namespace) && !(shows_a_name(door.kind) && is_open(wall, door.port));
      if (there) route.parent_refs.push_back({wall.name, wall.namespace_name, door.port, std::nullopt, door.at});
    }
    if (route.parent_refs.empty()) return;  // a port that is open for all needs no door for names
    if (stands_already(route)) return;
    route.name = into_.unique(door.kind == RouteKind::udp ? "UDPRoute" : "Route", route.namespace_name, door.name);
    into_.model.routes.push_back(std::move(route));
  }

  // A Gateway and a ServiceEntry of one host, as Istio's own sample has them, are one door.
  [[nodiscard]] bool stands_already(const Route& route) const {
    const auto same_host = [](const HostPattern& a, const HostPattern& b) {
      return a.kind == b.kind && a.text == b.text;
    };
    const auto same_parent = [](const ParentRef& a, const ParentRef& b) {
      return a.name == b.name && a.namespace_name == b.namespace_name && a.port == b.port;
    };
    return std::any_of(into_.model.routes.begin(), into_.model.routes.end(), [&](const Route& other) {
      return other.kind == route.kind && other.namespace_name == route.namespace_name &&
             std::equal(other.hostnames.begin(), other.hostnames.end(), route.hostnames.begin(), route.hostnames.end(),
                        same_host) &&
             std::equal(other.parent_refs.begin(), other.parent_refs.end(), route.parent_refs.begin(),
                        route.parent_refs.end(), same_parent);
    });
  }

  // Whether any TCP may pass there: a route that wants names would come before it.
  [[nodiscard]] bool is_open(const Wall& wall, std::uint16_t port) const {
    return std::any_of(doors_.begin(), doors_.end(), [&](const Door& door) {
      return door.kind == RouteKind::tcp && door.port == port && wall.has(door, into_.model.global_namespace);
    });
  }

  const KubernetesObject& first_;
  const std::vector<Door>& doors_;
  Import& into_;
  std::vector<Wall> walls_;
};

}  // namespace

void import_istio(const std::vector<Imported>& gateways, const std::vector<Imported>& entries, Import& into) {
  std::vector<Door> doors;
  const Imported* first = nullptr;
  const auto remember = [&](const Imported& imported, std::size_t before) {
    if (first == nullptr && doors.size() != before) first = &imported;
  };
  for (const Imported& gateway : gateways) {
    const std::size_t before = doors.size();
    read_gateway(gateway, doors);
    remember(gateway, before);
  }
  for (const Imported& entry : entries) {
    const std::size_t before = doors.size();
    EntryReader(entry, doors).read();
    remember(entry, before);
  }
  if (first == nullptr) return;
  // Its walls hold for everybody, so they stand in the global namespace; without Linkerd that is Istio's own.
  if (into.model.egress_networks.empty()) into.model.global_namespace = first->object.namespace_name;
  if (WallBuilder(first->object, doors, into).build()) return;
  first->report.lost(first->object.at,
                     fmt::format("the entries are exported to so many namespaces, with so many addresses, "
                                 "that more than {} networks would be needed; none of Istio's objects was "
                                 "kept",
                                 most_walls));
}

}  // namespace sallyport::config
