// What is known of a cluster before its policies are read: Pods with their addresses, labels and ports, and Namespaces.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/import/objects.h"
#include "config/policy_model.h"

namespace sallyport::config {

struct NamedPort {
  std::string name;
  Protocol protocol = Protocol::tcp;
  std::uint16_t number = 0;
};

struct Pod {
  std::string namespace_name;
  std::string name;
  Labels labels;
  Labels annotations;
  std::vector<Prefix> addresses;  // of full length
  std::vector<NamedPort> ports;
  Location at;
};

struct Cluster {
  std::vector<Pod> pods;                     // that run and have addresses of their own
  std::map<std::string, Labels> namespaces;  // of Namespaces, Pods and sets; with kubernetes.io/metadata.name
  bool pods_given = false;
  bool namespaces_given = false;
  bool of_calico = false;  // Pods get the label that Calico gives for their service account

  void name(const std::string& namespace_name);
  [[nodiscard]] const Labels& labels_of(const std::string& namespace_name) const;
};

// Kubernetes' rules: all terms hold; NotIn and DoesNotExist hold where the key is absent.
[[nodiscard]] bool selects(const Selector& selector, const Labels& labels);

// Pods without an address of their own (of the host's network, finished, not started) are noted and left out.
void read_pod(const KubernetesObject& object, const ObjectReport& report, Cluster& cluster);
void read_namespace(const KubernetesObject& object, const ObjectReport& report, Cluster& cluster);

}  // namespace sallyport::config
