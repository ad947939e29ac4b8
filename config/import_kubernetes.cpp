#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "config/document/in_quotes.h"
#include "config/import.h"
#include "config/import/importer.h"
#include "config/import/kinds.h"

namespace sallyport::config {
namespace {

// A file's name as a comment can hold it.
std::string in_comment(std::string name) {
  std::replace_if(
      name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return name;
}

// An object with a "sepc" says nothing. Those with "x-" in front hold what anchors stand for.
void report_strange_parts(const YamlNode& root, const ObjectReport& report) {
  constexpr std::array<std::string_view, 5> known{"apiVersion", "kind", "metadata", "spec", "status"};
  for (const YamlEntry& entry : root.entries) {
    if (entry.key.starts_with("x-") || std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    report.lost(entry.at, fmt::format("{}: import does not know this field; left out", in_quotes(entry.key)));
  }
}

// ---- the objects ----------------------------------------------------------------------------------------------------

struct Known {
  const Kind* kind;
  KubernetesObject object;
  ObjectReport report;
};

class Importer {
 public:
  Importer(ImportedPolicy& result, const std::vector<IpAddress>& snat) : result_(result) {
    into_.model.snat.addresses = snat;
  }

  void add(const YamlNode& document) {
    std::vector<KubernetesObject> objects;
    collect_objects(document, objects, result_.reports);
    for (KubernetesObject& object : objects) add(std::move(object));
  }

  // Nothing of the files is of a kind that is read here.
  [[nodiscard]] bool empty() const noexcept { return known_.empty(); }

  PolicyText write() {
    std::stable_sort(known_.begin(), known_.end(),
                     [](const Known& a, const Known& b) { return stands_before(a.object, b.object); });
    refuse_twins();
    read_cluster();
    for (const Reading reading :
         {Reading::sets, Reading::networks, Reading::routes, Reading::policies, Reading::egresses}) {
      for (const Known& known : known_) {
        if (known.kind->reading == reading) known.kind->import({known.object, known.report}, into_);
      }
    }
    import_calico_policies(all(Reading::calico_policies), into_);
    import_istio(all(Reading::istio_gateways), all(Reading::istio_entries), into_);
    add_sources();
    choose_defaults();
    note_what_is_missing();
    return policy_text(into_.model, into_.origins, head());
  }

 private:
  void add(KubernetesObject object) {
    const Kind* kind = find_kind(object);
    ObjectReport report(result_.reports, object.title());
    if (kind == nullptr) {
      report.lost(object.at, fmt::format("no kind that import reads (apiVersion group {}); ignored",
                                         object.group.empty() ? "core" : object.group));
      return;
    }
    report_strange_parts(*object.root, report);
    if (!is_known_version(object))
      report.note(object.at, fmt::format("apiVersion {} is not known here; read as the versions that are",
                                         in_quotes(object.version)));
    if (kind->scope == Scope::cluster) object.namespace_name.clear();
    if (kind->scope == Scope::namespaced && object.namespace_name.empty()) object.namespace_name = "default";
    into_.origins.add(object.at, origin(*kind, object));
    known_.push_back({kind, std::move(object), std::move(report)});
  }

  [[nodiscard]] std::string origin(const Kind& kind, const KubernetesObject& object) const {
    const std::string name = object.namespace_name.empty() ? object.name : object.namespace_name + "/" + object.name;
    return fmt::format("{}{} {} ({}:{})", kind.system, kind.name, name, in_comment(result_.files[object.at.file]),
                       object.at.line);
  }

  // The same object in two files, or twice in one.
  void refuse_twins() {
    std::map<std::tuple<const Kind*, std::string, std::string>, Location> seen;
    std::erase_if(known_, [&](const Known& known) {
      const auto [first, is_new] =
          seen.emplace(std::tuple(known.kind, known.object.namespace_name, known.object.name), known.object.at);
      if (is_new) return false;
      known.report.lost(known.object.at, fmt::format("stands at {}:{} already; this one was left out",
                                                     result_.files[first->second.file], first->second.line));
      return true;
    });
  }

  void read_cluster() {
    into_.cluster.of_calico = std::any_of(known_.begin(), known_.end(), [](const Known& known) {
      return known.kind->reading == Reading::calico_policies;
    });
    for (const Known& known : known_) {
      if (known.kind->reading != Reading::pods) continue;
      const bool is_pod = known.kind->name == "Pod";
      (is_pod ? read_pod : read_namespace)(known.object, known.report, into_.cluster);
    }
  }

  [[nodiscard]] std::vector<Imported> all(Reading reading) const {
    std::vector<Imported> found;
    for (const Known& known : known_) {
      if (known.kind->reading == reading) found.push_back({known.object, known.report});
    }
    return found;
  }

  [[nodiscard]] std::string head() const {
    std::string text = "# Made by sallyport import from";
    for (const std::string& file : result_.files) text += fmt::format("\n#   {}", in_comment(file));
    text += "\n";
    if (into_.model.snat.addresses.empty()) {
      text +=
          "#\n# What no egress selects leaves untranslated, until there are addresses for it:\n#\n"
          "#   [snat]\n#   addresses = [\"203.0.113.1\"]\n";
    }
    return text;
  }

  // ---- who sends

  void add_sources() {
    for (const Known& known : known_) {
      if (known.kind->name == "Namespace") add_namespace(known.object);
    }
    std::map<Prefix, const Pod*> owners;
    for (const Pod& pod : into_.cluster.pods) add_workload(pod, owners);
  }

  void add_namespace(const KubernetesObject& object) {
    Labels labels = object.labels;
    labels.erase("kubernetes.io/metadata.name");  // every namespace has it
    into_.model.namespaces.push_back({object.name, std::move(labels), {}, object.at});
  }

  void add_workload(const Pod& pod, std::map<Prefix, const Pod*>& owners) {
    Workload workload{pod.namespace_name, pod.name, pod.labels, {}, pod.at};
    for (const Prefix& address : pod.addresses) {
      const auto [owner, is_new] = owners.emplace(address, &pod);
      if (is_new) {
        workload.addresses.push_back({address, pod.at});
        continue;
      }
      ObjectReport(result_.reports, "Pod/" + pod.name)
          .lost(pod.at, fmt::format("{} is the address of {}/{} already; left out here", to_string(address.address),
                                    owner->second->namespace_name, owner->second->name));
    }
    if (!workload.addresses.empty()) into_.model.workloads.push_back(std::move(workload));
  }

  // ---- what goes without saying there and not here

  void choose_defaults() {
    const bool has_policy = std::any_of(known_.begin(), known_.end(),
                                        [](const Known& known) { return known.kind->reading != Reading::pods; });
    if (has_policy) into_.model.defaults.uncaptured = TrafficPolicy::allow;
    const auto is_global = [&](const std::string& name) {
      return name.starts_with(into_.model.global_namespace + "/");
    };
    const auto& networks = into_.egress_networks;
    into_.model.defaults.global_scope_exclusive = std::any_of(networks.begin(), networks.end(), is_global) &&
                                                  !std::all_of(networks.begin(), networks.end(), is_global);
  }

  void note_what_is_missing() {
    const PolicyModel& model = into_.model;
    const bool selects_sources = !model.network_policies.empty() || !model.egresses.empty();
    if (selects_sources && !into_.cluster.pods_given) {
      result_.reports.warning({}, "Pod",
                              "there is none in these files, so selectors select nobody: add the output of "
                              "kubectl get pods -A -o yaml, or [[workload]] tables");
    }
    const bool nat =
        std::any_of(model.ip_pools.begin(), model.ip_pools.end(), [](const IpPool& p) { return p.nat_outgoing; });
    if (nat && model.snat.addresses.empty()) {
      result_.reports.error(model.ip_pools.front().at, "IPPool",
                            "natOutgoing translates to addresses that no object names: "
                            "give them with --snat, or in [snat] addresses; until then such flows are dropped");
    }
  }

  ImportedPolicy& result_;
  Import into_;
  std::vector<Known> known_;
};

// A global object that is written for several namespaces says the same of itself each time.
void remove_twins(Diagnostics& reports) {
  Diagnostics once;
  std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::string>> said;
  for (const Diagnostic& each : reports.all()) {
    if (!said.emplace(each.at.file, each.at.line, each.at.column, each.message).second) continue;
    if (each.severity == Severity::error) {
      once.error(each.at, each.key_path, each.message);
    } else {
      once.warning(each.at, each.key_path, each.message);
    }
  }
  reports = std::move(once);
}

}  // namespace

void ImportedPolicy::report(const Diagnostics& of_toml) {
  for (const Diagnostic& found : of_toml.all()) {
    const auto after =
        std::upper_bound(tables.begin(), tables.end(), found.at.line,
                         [](std::uint32_t line, const PolicyText::Table& table) { return line < table.line; });
    const Location at = after == tables.begin() ? Location{} : (after - 1)->made_from;
    const std::string said = fmt::format("line {} of the policy, {}: {}", found.at.line, found.key_path, found.message);
    if (found.severity == Severity::warning) {
      reports.warning(at, "policy", said);
    } else {
      reports.error(at, "policy", said);
    }
  }
}

std::string Import::unique(std::string_view table, const std::string& namespace_name, std::string name) {
  constexpr std::size_t longest = 240;
  if (name.size() > longest) name.resize(longest);
  std::string candidate = name;
  for (std::size_t i = 2; !names_.emplace(table, namespace_name, candidate).second; ++i) {
    candidate = fmt::format("{}-{}", name, i);
  }
  return candidate;
}

namespace {

void report_nothing(ImportedPolicy& result) {
  for (std::uint32_t file = 0; file < result.files.size(); ++file) {
    result.reports.error({file, 0, 0}, "",
                         "holds no object of a kind that import reads: is it what kubectl get -o yaml wrote?");
  }
}

// Absent: what came of it is no valid policy.
std::optional<std::string> written_policy(Importer& importer, ImportedPolicy& result) {
  PolicyText written = importer.write();
  result.tables = std::move(written.tables);
  const auto loaded = load_policy({{"policy.toml", written.text}});
  result.report(loaded.diagnostics);
  return loaded.diagnostics.has_errors() ? std::nullopt : std::optional(std::move(written.text));
}

}  // namespace

ImportedPolicy import_kubernetes(const std::vector<SourceText>& sources, const std::vector<IpAddress>& snat) {
  ImportedPolicy result;
  std::vector<std::vector<YamlNode>> files;
  bool readable = true;
  for (const SourceText& source : sources) {
    result.files.push_back(source.name);
    auto documents = parse_yaml(source.text, static_cast<std::uint32_t>(files.size()), result.reports);
    readable = readable && documents.has_value();
    files.push_back(documents ? std::move(*documents) : std::vector<YamlNode>{});
  }
  if (readable) {
    Importer importer(result, snat);
    for (const auto& documents : files) {
      for (const YamlNode& document : documents) importer.add(document);
    }
    if (importer.empty()) {
      report_nothing(result);
    } else {
      result.toml = written_policy(importer, result);
    }
  }
  result.reports.sort();
  remove_twins(result.reports);
  return result;
}

}  // namespace sallyport::config
