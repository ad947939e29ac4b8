// Kubernetes objects out of YAML documents: lists are opened, metadata is read, and each object is what the importers
// of its kind start from.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.h"
#include "config/import/object_report.h"
#include "config/import/yaml_document.h"
#include "config/policy_model.h"

namespace sallyport::config {

struct KubernetesObject {
  std::string group;    // "networking.k8s.io"; empty: the core group
  std::string version;  // "v1"
  std::string kind;
  std::string namespace_name;  // empty: none was written
  std::string name;
  std::string created;  // RFC 3339 in UTC, which sorts as text; empty: not known
  Labels labels;
  Labels annotations;
  Location at;
  const YamlNode* root = nullptr;  // in the document, which outlives this

  [[nodiscard]] std::string title() const { return kind + "/" + name; }
  // "spec", "status"; null: not there.
  [[nodiscard]] const YamlNode* part(std::string_view key) const noexcept {
    const YamlNode* found = root->find(key);
    return found == nullptr || found->kind == YamlNode::Kind::null ? nullptr : found;
  }
};

// Oldest first, those of no known age last, then by namespace and name: how Linkerd and the Gateway API break ties.
[[nodiscard]] bool stands_before(const KubernetesObject& a, const KubernetesObject& b) noexcept;

// Adds the objects of a document. What is no object is reported.
void collect_objects(const YamlNode& document, std::vector<KubernetesObject>& into, Diagnostics& reports);

// Labels as Kubernetes allows them; others are reported and left out.
[[nodiscard]] Labels read_label_map(const YamlNode* node, const ObjectReport& report);

}  // namespace sallyport::config
