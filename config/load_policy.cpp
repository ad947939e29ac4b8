// Policy files into one model.
//
// Every file is parsed and read key by key; what spans files (names, prefixes, defaults) is looked at when all are
// read. An error never stops the reading, it only keeps the model from being handed out.
#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "config/bounds.h"
#include "config/load.h"
#include "config/policy/checks.h"
#include "config/policy/key_paths.h"
#include "config/policy/name_book.h"
#include "config/policy/readers.h"
#include "config/root_keys.h"
#include "config/source_file.h"

namespace sallyport::config {
namespace {

constexpr std::array<RouteKind, 6> route_kinds{RouteKind::icmp, RouteKind::udp,  RouteKind::tcp,
                                               RouteKind::tls,  RouteKind::http, RouteKind::grpc};

class PolicyLoader {
 public:
  explicit PolicyLoader(Loaded<PolicyModel>& result) : result_(result), names_(result.files) {}

  void read(const SourceText& source, const Node& root) {
    ListFiles lists(result_.files, source.name);
    TableReader table({&root, ""}, diagnostics());
    table.tell_where(appliance_tables, "the configuration (--config, sallyport.toml), not into the policy");
    read_plain_tables(table);
    read_arrays(table, lists);
  }

  // When every file was read. What one that could not be read would have defined is not known, so nothing is called
  // missing then.
  void finish(std::span<const Node> roots, bool all_read, const FurtherErrors& further) {
    fill_defaults();
    Diagnostics found;
    if (all_read) {
      names_.check(cluster_.global_namespace, diagnostics());
      check_policy(model_, result_.files, found);
    }
    const bool refused = !all_read || diagnostics().has_errors() || found.has_errors();
    if (refused && further) further(model_, found);
    append_with_key_paths(found, roots, diagnostics());
  }

  // The model without what could not be read.
  PolicyModel take() {
    model_.files = result_.files;
    return std::move(model_);
  }

 private:
  Diagnostics& diagnostics() noexcept { return result_.diagnostics; }

  void read_plain_tables(TableReader& table) {
    plain(table, "cluster", [&](const Item& item) { read_cluster(item, cluster_, diagnostics()); });
    plain(table, "defaults", [&](const Item& item) { read_defaults(item, model_.defaults, diagnostics()); });
    plain(table, "snat", [&](const Item& item) { snat_except_given_ = read_snat(item, model_.snat, diagnostics()); });
    plain(table, "dns", [&](const Item& item) { read_dns(item, model_.dns, diagnostics()); });
  }

  void read_arrays(TableReader& table, ListFiles& lists) {
    array(table, "namespace", model_.namespaces, read_namespace);
    array(table, "workload", model_.workloads, read_workload);
    array(table, "network_policy", model_.network_policies, read_network_policy);
    array(table, "egress_network", model_.egress_networks, read_egress_network);
    array(table, "egress_pool", model_.egress_pools, read_egress_pool);
    array(table, "egress", model_.egresses, read_egress);
    array(table, "network_set", model_.network_sets,
          [&](const Item& item, Diagnostics& errors) { return read_network_set(item, lists, errors); });
    array(table, "domain_set", model_.domain_sets,
          [&](const Item& item, Diagnostics& errors) { return read_domain_set(item, lists, errors); });
    for (const RouteKind kind : route_kinds) {
      array(table, table_name(kind), model_.routes,
            [kind](const Item& item, Diagnostics& errors) { return read_route(kind, item, errors); });
    }
    for_each_table(table, "ip_pool", [&](const Item& item) {
      if (auto pool = read_ip_pool(item, diagnostics())) model_.ip_pools.push_back(*pool);
    });
  }

  // A table that stands in one file of the document only.
  template <typename Read>
  void plain(TableReader& table, std::string_view key, Read read_table) {
    const auto item = table.find(key);
    if (!item) return;
    if (std::holds_alternative<Array>(item->node->is)) {
      report(*item, diagnostics(), fmt::format("expected one table, written [{}]", key));
      return;
    }
    const auto [first, added] = plain_tables_.emplace(key, item->at());
    if (added) {
      read_table(*item);
      return;
    }
    report(*item, diagnostics(),
           fmt::format("[{}] stands at {}:{} already; over several files there is one", key,
                       result_.files[first->second.file], first->second.line));
  }

  template <typename Visit>
  void for_each_table(TableReader& table, std::string_view key, Visit visit) {
    const auto item = table.find(key);
    if (!item) return;
    if (!std::holds_alternative<Array>(item->node->is)) {
      report_kind(*item, diagnostics(), fmt::format("an array of tables, written [[{}]]", key));
      return;
    }
    for (const Item& element : elements(*item, diagnostics())) visit(element);
  }

  template <typename T, typename Read>
  void array(TableReader& table, std::string_view key, std::vector<T>& into, Read read_element) {
    for_each_table(table, key, [&](const Item& item) {
      into.push_back(read_element(item, diagnostics()));
      names_.define(key, item, diagnostics());
      names_.refer(key, item);
    });
  }

  void fill_defaults() {
    model_.cluster_networks = cluster_.networks;
    model_.global_namespace = cluster_.global_namespace;
    if (!snat_except_given_) model_.snat.except = cluster_.networks;
    for (EgressNetwork& network : model_.egress_networks) {
      if (!network.networks_given) network.networks = outside_the_cluster(network.at);
    }
    const auto place = [](const Route& route) { return std::tuple(route.at.file, route.at.line, route.at.column); };
    std::stable_sort(model_.routes.begin(), model_.routes.end(),
                     [&](const Route& a, const Route& b) { return place(a) < place(b); });
  }

  [[nodiscard]] std::vector<CidrBlock> outside_the_cluster(const Location& at) const {
    std::vector<CidrBlock> blocks;
    for (const char* everything : {"0.0.0.0/0", "::/0"}) {
      CidrBlock block{parse_prefix(everything)->prefix, {}, at};
      bool left = true;
      for (const Prefix& network : cluster_.networks) {
        if (network == block.cidr) left = false;
        if (block.cidr.contains(network)) block.except.push_back(network);
      }
      if (left) blocks.push_back(std::move(block));
    }
    return blocks;
  }

  Loaded<PolicyModel>& result_;
  PolicyModel model_;
  ClusterTable cluster_ = default_cluster();
  bool snat_except_given_ = false;
  NameBook names_;
  std::map<std::string_view, Location> plain_tables_;
};

void add_unreadable(Loaded<PolicyModel>& result, const std::string& path, const std::string& error) {
  result.files.push_back(path);
  result.diagnostics.error({static_cast<std::uint32_t>(result.files.size() - 1), 0, 0}, "", error);
}

// policy.d/*.toml beside the policy, whatever it is called, by name.
std::vector<std::string> files_beside(const std::string& path, Loaded<PolicyModel>& result) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(path).replace_filename("policy.d");
  std::vector<std::string> files;
  std::error_code error;
  if (!fs::is_directory(folder, error)) return files;
  fs::directory_iterator entries(folder, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    if (name.ends_with(".toml") && !name.starts_with('.')) files.push_back(entries->path().string());
  }
  if (error) add_unreadable(result, folder.string(), "cannot be read: " + error.message());
  if (files.size() >= bounds::document_files) {
    add_unreadable(result, folder.string(), fmt::format("more than {} files", bounds::document_files - 1));
    files.clear();
  }
  std::sort(files.begin(), files.end());
  return files;
}

// "prod.d" beside prod.toml is where some look for its further files.
void warn_of_other_folder(const std::string& path, Diagnostics& diagnostics) {
  std::filesystem::path other(path);
  other.replace_extension(".d");
  std::error_code error;
  if (other.filename() == "policy.d" || !std::filesystem::is_directory(other, error)) return;
  diagnostics.warning(
      {}, "", fmt::format("{} is not read: further files of a policy are in policy.d beside it", other.string()));
}

// The document of these texts; `all_read`: it has no files besides them.
Loaded<PolicyModel> load_document(const std::vector<SourceText>& sources, bool all_read, const FurtherErrors& further) {
  Loaded<PolicyModel> result;
  for (const SourceText& source : sources) result.files.push_back(source.name);
  std::vector<Node> roots;
  PolicyLoader loader(result);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    auto root = parse_toml(sources[i].text, static_cast<std::uint32_t>(i), result.diagnostics);
    if (!root) continue;
    loader.read(sources[i], *root);
    roots.push_back(std::move(*root));
  }
  loader.finish(roots, all_read && roots.size() == sources.size(), further);
  if (all_read && !result.diagnostics.has_errors()) result.model = loader.take();
  return result;
}

}  // namespace

Loaded<PolicyModel> load_policy(const std::vector<SourceText>& sources, const FurtherErrors& further) {
  Loaded<PolicyModel> result = load_document(sources, true, further);
  result.diagnostics.sort();
  return result;
}

Loaded<PolicyModel> load_policy_file(const std::string& path, const FurtherErrors& further, Pipes pipes) {
  Loaded<PolicyModel> folder;
  std::vector<std::string> paths = files_beside(path, folder);
  paths.insert(paths.begin(), path);
  std::vector<SourceText> sources;
  std::vector<std::pair<std::string, std::string>> unreadable;  // file and why
  for (const std::string& file : paths) {
    auto text =
        pipes == Pipes::read ? read_whole_file(file, bounds::toml_bytes) : read_regular_file(file, bounds::toml_bytes);
    if (text) {
      sources.push_back({file, std::move(*text.value)});
    } else {
      unreadable.emplace_back(file, text.error);
    }
  }
  if (folder.diagnostics.has_errors()) return folder;
  Loaded<PolicyModel> result = load_document(sources, unreadable.empty(), further);
  for (const auto& [file, why] : unreadable) add_unreadable(result, file, why);
  warn_of_other_folder(path, result.diagnostics);
  result.diagnostics.sort();
  return result;
}

}  // namespace sallyport::config
