// Routes of the Gateway API (and Linkerd's HTTPRoute, which was there before it) whose parents are Linkerd
// EgressNetworks.
//
// A route may only let pass or not. A rule whose traffic stays with the network lets pass; one that sends it elsewhere,
// or answers in its place, becomes a rule that denies: nothing of it reaches the destination that the client asked for.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "config/document/in_quotes.h"
#include "config/import/host_dialect.h"
#include "config/import/importer.h"
#include "config/import/request_matches.h"

namespace sallyport::config {
namespace {

constexpr std::string_view linkerd_group = "policy.linkerd.io";
constexpr std::string_view gateway_group = "gateway.networking.k8s.io";

bool is_request_kind(RouteKind kind) noexcept { return kind == RouteKind::http || kind == RouteKind::grpc; }

// What a rule does with the requests it matches.
struct Outcome {
  bool allows = true;
  std::vector<HttpMatch> matches;
};

class RouteImporter {
 public:
  RouteImporter(RouteKind kind, const Imported& imported, Import& into)
      : kind_(kind), object_(imported.object), report_(imported.report), into_(into), spec_(imported.spec(), report_) {}

  void import() {
    note_annotations();
    spec_.without_meaning({"useDefaultGateways"});
    for (const YamlNode& item : spec_.list("parentRefs")) read_parent(item);
    const bool usable = read_hostnames();
    std::vector<Outcome> outcomes = read_rules();
    if (parents_.empty()) {
      report_.lost(object_.at, "has no parent among the egress networks of these files; the route was left out");
      return;
    }
    if (!usable || outcomes.empty() || !spec_.whole()) {
      const std::string_view part = !spec_.whole() ? "spec" : usable ? "rule" : "hostname";
      report_.lost(object_.at, fmt::format("has no {} that can be kept; the route was left out", part));
      return;
    }
    add(std::move(outcomes));
  }

 private:
  // Linkerd takes these from annotations of the route.
  void note_annotations() {
    for (const auto& [key, value] : object_.annotations) {
      if (!key.starts_with("retry.linkerd.io/") && !key.starts_with("timeout.linkerd.io/")) continue;
      report_.lost(object_.at, fmt::format("annotation {}: the gateway neither repeats nor ends requests; left out",
                                           in_quotes(key)));
    }
  }

  // ---- parents

  void read_parent(const YamlNode& node) {
    Fields fields(&node, report_);
    const std::string group = fields.text("group").value_or(std::string(gateway_group));
    const std::string kind = fields.text("kind").value_or("Gateway");
    const auto name = fields.text("name");
    const std::string parent_namespace = fields.text("namespace").value_or(object_.namespace_name);
    const auto port = fields.number("port", 1, 65535);
    fields.lost("sectionName", "an egress network has no sections; left out");
    const std::string full = parent_namespace + "/" + name.value_or("");
    if (!fields.whole()) return;
    if (group != linkerd_group || kind != "EgressNetwork") {
      refuse(node, fmt::format("{} {} is no EgressNetwork", kind, full));
    } else if (!into_.egress_networks.contains(full)) {
      refuse(node, fmt::format("the EgressNetwork {} is not in these files", full));
    } else if (!port) {
      refuse(node, fmt::format("the EgressNetwork {} is named without a port, which Linkerd refuses", full));
    } else if (parent_namespace != object_.namespace_name && object_.namespace_name != into_.model.global_namespace) {
      refuse(node, fmt::format("the EgressNetwork {} is of another namespace, so that the route would hold for this "
                               "namespace's clients only",
                               full));
    } else if (is_taken(full, *port)) {
      refuse(node, fmt::format("an older {} holds for port {} of {} already; Linkerd uses the oldest only",
                               object_.kind, *port, full));
    } else {
      parents_.push_back({*name, parent_namespace, static_cast<std::uint16_t>(*port), std::nullopt, node.at});
    }
  }

  void refuse(const YamlNode& node, const std::string& why) {
    report_.lost(node.at, fmt::format("parent: {}; this parent was left out", why));
  }

  // Of routes without names and requests there is one for a port.
  bool is_taken(const std::string& network, std::int64_t port) {
    if (kind_ != RouteKind::tcp && kind_ != RouteKind::udp) return false;
    return !into_.whole_ports.insert(fmt::format("{} {} {}", object_.kind, network, port)).second;
  }

  // ---- names

  // False: there were names, but none of them can be kept.
  bool read_hostnames() {
    if (kind_ == RouteKind::tcp || kind_ == RouteKind::udp) return true;
    const std::vector<YamlNode>& written = spec_.list("hostnames");
    for (const YamlNode& node : written) {
      const auto text = read_text(node, report_);
      if (!text) continue;
      auto host = rewrite_host(HostDialect::gateway_api, *text);
      if (!host) {
        report_.lost(node.at, fmt::format("hostname {}; left out", host.error));
        continue;
      }
      host.value->pattern.at = node.at;
      hostnames_.push_back(std::move(host.value->pattern));
    }
    return written.empty() || !hostnames_.empty();
  }

  // ---- rules

  std::vector<Outcome> read_rules() {
    const std::vector<YamlNode>& rules = spec_.list("rules");
    if (!is_request_kind(kind_) && rules.size() != 1) {
      report_.lost(object_.at,
                   fmt::format("has {} rules; Linkerd takes a {} with one rule only", rules.size(), object_.kind));
      return {};
    }
    std::vector<Outcome> outcomes;
    for (const YamlNode& rule : rules) {
      if (auto outcome = read_rule(rule)) outcomes.push_back(std::move(*outcome));
    }
    // The Gateway API's default: one rule that matches everything.
    if (is_request_kind(kind_) && rules.empty()) outcomes.push_back({true, {HttpMatch{}}});
    return outcomes;
  }

  std::optional<Outcome> read_rule(const YamlNode& node) {
    Fields rule(&node, report_);
    rule.without_meaning({"name"});
    Outcome outcome;
    outcome.allows = stays(rule);
    if (!is_request_kind(kind_)) return rule.whole() ? std::optional(std::move(outcome)) : std::nullopt;
    outcome.allows = passes_filters(rule) && outcome.allows;
    rule.lost("timeouts", "the gateway ends no requests; left out");
    rule.lost("retry", "the gateway repeats no requests; left out");
    rule.lost("sessionPersistence", "the client chooses the server; left out");
    const std::vector<YamlNode>& matches = rule.list("matches");
    if (!rule.whole()) {
      report_.lost(node.at, "the rule was left out");
      return std::nullopt;
    }
    if (matches.empty()) add_match({}, node.at, outcome);
    bool kept = matches.empty();
    for (const YamlNode& match : matches) {
      auto read = read_request_match(kind_, match, report_);
      kept = kept || read;
      if (read) add_match(std::move(*read), match.at, outcome);
    }
    if (!kept) {
      report_.lost(node.at, "no match of this rule can be kept; the rule was left out");
      return std::nullopt;
    }
    return outcome;
  }

  // Of rules with the same match the first one decides there; here one that denies would.
  void add_match(HttpMatch match, Location at, Outcome& into) {
    const auto same = [&](const HttpMatch& other) { return other == match; };
    if (std::any_of(matches_.begin(), matches_.end(), same)) {
      report_.note(at, "an earlier rule has this match already and decides; left out");
      return;
    }
    matches_.push_back(match);
    into.matches.push_back(std::move(match));
  }

  // Whether the traffic goes on to where the client sends it.
  bool stays(Fields& rule) {
    const std::vector<YamlNode>& backends = rule.list("backendRefs");
    if (backends.empty()) return true;
    bool stays = false;
    for (const YamlNode& backend : backends) stays = read_backend(backend) || stays;
    if (!stays) {
      report_.lost(backends.front().at,
                   "nothing of this rule's traffic goes to its own destination; it is denied here");
    }
    return stays;
  }

  bool read_backend(const YamlNode& node) {
    Fields backend(&node, report_);
    backend.without_meaning({"port"});
    const std::string group = backend.text("group").value_or("");
    const std::string kind = backend.text("kind").value_or("Service");
    const std::string name = backend.text("name").value_or("");
    const std::string backend_namespace = backend.text("namespace").value_or(object_.namespace_name);
    const bool weighs = backend.number("weight", 0, 1'000'000).value_or(1) != 0;
    backend.lost("filters", "the gateway changes no requests; left out");
    const bool is_network = group == linkerd_group && kind == "EgressNetwork";
    const bool is_parent = is_network && std::any_of(parents_.begin(), parents_.end(), [&](const ParentRef& parent) {
                             return parent.name == name && parent.namespace_name == backend_namespace;
                           });
    if (!is_parent && weighs) {
      report_.lost(node.at,
                   fmt::format("backendRef: sends traffic elsewhere, to {} {}/{}; the gateway redirects nothing", kind,
                               backend_namespace, name));
    }
    return is_parent && weighs && backend.whole();
  }

  // Whether a request goes on behind the filters.
  bool passes_filters(Fields& rule) {
    bool passes = true;
    for (const YamlNode& node : rule.list("filters")) {
      const YamlNode* type = node.find("type");
      const std::string name = type == nullptr ? "" : type->text;
      const bool changes = name == "RequestHeaderModifier" || name == "ResponseHeaderModifier" ||
                           name == "URLRewrite" || name == "RequestMirror" || name == "CORS";
      report_.lost(node.at, fmt::format("filter {}: {}", in_quotes(name),
                                        changes ? "the gateway changes and copies no requests; they pass as they are"
                                                : "would answer or judge requests itself; they are denied here"));
      passes = passes && changes;
    }
    return passes;
  }

  // ---- the answer

  void add(std::vector<Outcome> outcomes) {
    Route allowing = route(RouteAction::allow);
    Route denying = route(RouteAction::deny);
    bool allows = false;
    bool denies = false;
    for (Outcome& outcome : outcomes) {
      if (is_request_kind(kind_) && outcome.matches.empty()) continue;  // earlier rules have them all
      (outcome.allows ? allows : denies) = true;
      auto& matches = (outcome.allows ? allowing : denying).matches;
      std::move(outcome.matches.begin(), outcome.matches.end(), std::back_inserter(matches));
    }
    if (allows) add(std::move(allowing), object_.name);
    if (denies) add(std::move(denying), allows ? object_.name + "-denied" : object_.name);
  }

  [[nodiscard]] Route route(RouteAction action) const {
    Route made;
    made.kind = kind_;
    made.namespace_name = object_.namespace_name;
    made.parent_refs = parents_;
    made.action = action;
    made.hostnames = hostnames_;
    made.at = object_.at;
    return made;
  }

  void add(Route made, std::string name) {
    // One rule that matches everything is said by saying nothing.
    const auto matches_all = [](const HttpMatch& match) {
      return !match.path && !match.method && match.headers.empty() && match.query_params.empty() &&
             !match.grpc_service && !match.grpc_method;
    };
    if (made.matches.size() == 1 && matches_all(made.matches.front())) made.matches.clear();
    made.name = into_.unique(object_.kind, object_.namespace_name, std::move(name));
    into_.model.routes.push_back(std::move(made));
  }

  RouteKind kind_;
  const KubernetesObject& object_;
  const ObjectReport& report_;
  Import& into_;
  Fields spec_;
  std::vector<ParentRef> parents_;
  std::vector<HostPattern> hostnames_;
  std::vector<HttpMatch> matches_;  // of its rules so far
};

}  // namespace

void import_tls_route(const Imported& imported, Import& into) {
  RouteImporter(RouteKind::tls, imported, into).import();
}
void import_http_route(const Imported& imported, Import& into) {
  RouteImporter(RouteKind::http, imported, into).import();
}
void import_grpc_route(const Imported& imported, Import& into) {
  RouteImporter(RouteKind::grpc, imported, into).import();
}
void import_tcp_route(const Imported& imported, Import& into) {
  RouteImporter(RouteKind::tcp, imported, into).import();
}
void import_udp_route(const Imported& imported, Import& into) {
  RouteImporter(RouteKind::udp, imported, into).import();
}

}  // namespace sallyport::config
