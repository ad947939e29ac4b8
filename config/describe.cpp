// Two policies side by side: objects are matched by name, then compared key by key.
#include "config/describe.h"

#include <algorithm>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "config/describe_text.h"
#include "config/policy/readers.h"

namespace sallyport::config {
namespace {

constexpr std::size_t longest_shown = 60;  // bytes of a value that a line shows before and after

// What differs between two objects of one name.
class Differences {
 public:
  template <typename T>
  void value(std::string_view key, const T& before, const T& after) {
    if constexpr (std::is_same_v<T, Labels>) {  // there may be a million, and text is slow
      if (before == after) return;
    }
    const std::string was = describe(before);
    const std::string is = describe(after);
    if (was == is) return;
    const bool is_short = was.size() <= longest_shown && is.size() <= longest_shown;
    lines_.push_back(is_short ? fmt::format("{} {} -> {}", key, was, is) : std::string(key));
  }

  // Lists that may be long and whose order means nothing.
  template <typename T>
  void set(std::string_view key, const std::vector<T>& before, const std::vector<T>& after) {
    const auto same = [](const T& a, const T& b) { return compared(a) == compared(b); };
    if (std::equal(before.begin(), before.end(), after.begin(), after.end(), same)) return;
    const auto was = sorted(before);
    const auto is = sorted(after);
    const std::size_t removed = only_in(was, is);
    const std::size_t added = only_in(is, was);
    if (added + removed != 0) lines_.push_back(fmt::format("{} {} added, {} removed", key, added, removed));
  }

  [[nodiscard]] const std::vector<std::string>& lines() const noexcept { return lines_; }

 private:
  // What of an element counts.
  static const Prefix& compared(const Prefix& prefix) { return prefix; }
  static const Prefix& compared(const LocatedPrefix& net) { return net.prefix; }
  static std::string_view compared(const std::string& name) { return name; }
  static std::string compared(const HostPattern& pattern) { return describe(pattern); }

  template <typename T>
  static auto sorted(const std::vector<T>& elements) {
    std::vector<std::decay_t<decltype(compared(elements.front()))>> values;
    values.reserve(elements.size());
    for (const T& element : elements) values.push_back(compared(element));
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
  }

  template <typename T>
  static std::size_t only_in(const std::vector<T>& some, const std::vector<T>& others) {
    return static_cast<std::size_t>(std::count_if(some.begin(), some.end(), [&](const T& value) {
      return !std::binary_search(others.begin(), others.end(), value);
    }));
  }

  std::vector<std::string> lines_;
};

// ---- what counts of each object -------------------------------------------------------------------------------------

void compare(const Namespace& a, const Namespace& b, Differences& found) {
  found.value("labels", a.labels, b.labels);
  found.set("addresses", a.addresses, b.addresses);
}

void compare(const Workload& a, const Workload& b, Differences& found) {
  found.value("labels", a.labels, b.labels);
  found.set("addresses", a.addresses, b.addresses);
}

void compare(const NetworkPolicy& a, const NetworkPolicy& b, Differences& found) {
  found.value("pod_selector", a.pod_selector, b.pod_selector);
  found.value("egress", a.egress, b.egress);
}

void compare(const NetworkSet& a, const NetworkSet& b, Differences& found) {
  found.value("labels", a.labels, b.labels);
  found.set("nets", a.nets, b.nets);
}

void compare(const EgressNetwork& a, const EgressNetwork& b, Differences& found) {
  found.value("traffic_policy", a.traffic_policy, b.traffic_policy);
  found.value("networks", a.networks, b.networks);
}

void compare(const Route& a, const Route& b, Differences& found) {
  found.value("parent_refs", a.parent_refs, b.parent_refs);
  found.value("action", a.action, b.action);
  found.set("hostnames", a.hostnames, b.hostnames);
  found.value("hostname_sets", a.hostname_sets, b.hostname_sets);
  found.value("rules", a.matches, b.matches);
}

void compare(const DomainSet& a, const DomainSet& b, Differences& found) {
  found.value("match", a.match, b.match);
  found.set("names", a.names, b.names);
}

void compare(const EgressPool& a, const EgressPool& b, Differences& found) {
  found.value("ranges", a.ranges, b.ranges);
  found.value("exclude", a.exclude, b.exclude);
}

void compare(const Egress& a, const Egress& b, Differences& found) {
  found.value("applied_to", a.applied_to, b.applied_to);
  found.set("sources", a.sources, b.sources);
  found.value("egress_ips", a.egress_ips, b.egress_ips);
  found.value("egress_ip", a.egress_prefix, b.egress_prefix);
  found.value("egress_pool", a.egress_pool, b.egress_pool);
  found.set("destinations", a.destinations, b.destinations);
  found.set("except", a.except, b.except);
  found.value("priority", a.priority, b.priority);
  found.value("bandwidth", a.bandwidth, b.bandwidth);
  found.value("dscp", a.dscp, b.dscp);
}

void compare(const IpPool& a, const IpPool& b, Differences& found) {
  found.value("nat_outgoing", a.nat_outgoing, b.nat_outgoing);
}

// ---- what each object is called -------------------------------------------------------------------------------------

std::string title(const Namespace& object) { return "namespace " + object.name; }
std::string title(const Workload& object) { return fmt::format("workload {}/{}", object.namespace_name, object.name); }
std::string title(const NetworkPolicy& object) {
  return fmt::format("network_policy {}/{}", object.namespace_name, object.name);
}
std::string title(const NetworkSet& object) {
  return object.namespace_name.empty() ? "network_set " + object.name
                                       : fmt::format("network_set {}/{}", object.namespace_name, object.name);
}
std::string title(const EgressNetwork& object) {
  return fmt::format("egress_network {}/{}", object.namespace_name, object.name);
}
std::string title(const Route& object) {
  return fmt::format("{} {}/{}", table_name(object.kind), object.namespace_name, object.name);
}
std::string title(const DomainSet& object) { return "domain_set " + object.name; }
std::string title(const EgressPool& object) { return "egress_pool " + object.name; }
std::string title(const Egress& object) { return "egress " + object.name; }
std::string title(const IpPool& object) { return "ip_pool " + to_string(object.cidr); }

class Description {
 public:
  template <typename T>
  void objects(const std::vector<T>& before, const std::vector<T>& after) {
    std::unordered_map<std::string, const T*> old;
    for (const T& object : before) old.emplace(title(object), &object);
    for (const T& object : after) {
      const auto found = old.find(title(object));
      if (found == old.end()) {
        lines_.push_back(title(object) + " added");
        continue;
      }
      Differences differences;
      compare(*found->second, object, differences);
      if (!differences.lines().empty()) {
        lines_.push_back(fmt::format("{} changed: {}", found->first, join(differences.lines())));
      }
      old.erase(found);
    }
    for (const T& object : before) {
      if (old.contains(title(object))) lines_.push_back(title(object) + " removed");
    }
  }

  // Where the first of several equals wins, the order of those that stand in both policies counts, too.
  template <typename T>
  void order(std::string_view what, const std::vector<T>& before, const std::vector<T>& after) {
    const auto places = [](const std::vector<T>& objects) {
      std::unordered_map<std::string, std::size_t> numbers;
      for (const T& object : objects) numbers.emplace(title(object), numbers.size());
      return numbers;
    };
    const auto old = places(before);
    std::size_t behind = 0;
    for (const T& object : after) {
      const auto found = old.find(title(object));
      if (found == old.end()) continue;
      if (found->second < behind) {
        lines_.push_back(fmt::format("{} order changed", what));
        return;
      }
      behind = found->second;
    }
  }

  void settings(const PolicyModel& a, const PolicyModel& b) {
    Differences found;
    found.set("cluster.networks", a.cluster_networks, b.cluster_networks);
    found.value("cluster.global_namespace", a.global_namespace, b.global_namespace);
    found.value("defaults.uncaptured", a.defaults.uncaptured, b.defaults.uncaptured);
    found.value("defaults.global_scope exclusive", a.defaults.global_scope_exclusive,
                b.defaults.global_scope_exclusive);
    found.value("defaults.deny_action reset", a.defaults.deny_resets, b.defaults.deny_resets);
    found.value("defaults.http_deny respond", a.defaults.http_deny_responds, b.defaults.http_deny_responds);
    found.value("defaults.on_reload reevaluate", a.defaults.reload_reevaluates, b.defaults.reload_reevaluates);
    found.value("defaults.ech deny", a.defaults.ech_denied, b.defaults.ech_denied);
    found.value("defaults.ech_public_names", a.defaults.ech_public_names, b.defaults.ech_public_names);
    found.value("defaults.server_name_binding", a.defaults.server_name_binding, b.defaults.server_name_binding);
    found.value("defaults.hello_timeout", a.defaults.hello_timeout, b.defaults.hello_timeout);
    found.value("snat.addresses", a.snat.addresses, b.snat.addresses);
    found.set("snat.except", a.snat.except, b.snat.except);
    found.value("dns.trusted_servers", a.dns.trusted_servers, b.dns.trusted_servers);
    found.value("dns.extra_ttl", a.dns.extra_ttl, b.dns.extra_ttl);
    found.value("dns.names_max", a.dns.names_max, b.dns.names_max);
    for (const std::string& line : found.lines()) lines_.push_back(line);
  }

  std::vector<std::string> take() { return std::move(lines_); }

 private:
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> describe_change(const PolicyModel& before, const PolicyModel& after) {
  Description description;
  description.settings(before, after);
  description.objects(before.namespaces, after.namespaces);
  description.objects(before.workloads, after.workloads);
  description.objects(before.network_policies, after.network_policies);
  description.objects(before.network_sets, after.network_sets);
  description.objects(before.egress_networks, after.egress_networks);
  description.order("egress_network", before.egress_networks, after.egress_networks);
  description.objects(before.routes, after.routes);
  description.order("route", before.routes, after.routes);
  description.objects(before.domain_sets, after.domain_sets);
  description.objects(before.egress_pools, after.egress_pools);
  description.objects(before.egresses, after.egresses);
  description.order("egress", before.egresses, after.egresses);
  description.objects(before.ip_pools, after.ip_pools);
  return description.take();
}

}  // namespace sallyport::config
