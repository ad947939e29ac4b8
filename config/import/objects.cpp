#include "config/import/objects.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "config/bounds.h"
#include "config/document/in_quotes.h"
#include "config/import/fields.h"

namespace sallyport::config {
namespace {

// A text that stands under `key`, whatever else may be wrong with it; empty: none.
std::string plain_text(const YamlNode* mapping, std::string_view key) {
  const YamlNode* value = mapping == nullptr ? nullptr : mapping->find(key);
  return value != nullptr && value->kind == YamlNode::Kind::scalar ? value->text : std::string{};
}

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= bounds::name_bytes && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == ':';
  });
}

bool is_label_key(std::string_view text) noexcept {
  return !text.empty() && text.size() <= bounds::label_key_bytes &&
         std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20; });
}

// "2026-01-02T03:04:05Z"
bool is_time(std::string_view text) noexcept {
  return text.size() >= 20 && text.size() <= 30 && text.back() == 'Z' &&
         text.find_first_not_of("0123456789-:.TZ") == std::string_view::npos;
}

// "networking.k8s.io/v1", or "v1" of the core group.
void split(std::string_view api_version, KubernetesObject& into) {
  const std::size_t slash = api_version.find('/');
  const bool core = slash == std::string_view::npos;
  into.group = core ? std::string_view{} : api_version.substr(0, slash);
  into.version = core ? api_version : api_version.substr(slash + 1);
}

// What the items of a typed list are; those of kind List say it themselves.
struct Inherited {
  std::string api_version;
  std::string kind;
};

void read_metadata(const YamlNode& root, KubernetesObject& object, const ObjectReport& report) {
  const YamlNode* metadata = root.find("metadata");
  object.namespace_name = plain_text(metadata, "namespace");
  object.created = plain_text(metadata, "creationTimestamp");
  if (!is_time(object.created)) object.created.clear();
  if (metadata == nullptr) return;
  object.labels = read_label_map(metadata->find("labels"), report);
  const YamlNode* annotations = metadata->find("annotations");
  if (annotations == nullptr) return;
  for (const YamlEntry& entry : annotations->entries) object.annotations[entry.key] = entry.value.text;
}

void add_object(const YamlNode& root, const Inherited& inherited, std::vector<KubernetesObject>& into,
                Diagnostics& reports) {
  if (root.kind == YamlNode::Kind::null) return;
  KubernetesObject object;
  object.at = root.at;
  object.root = &root;
  std::string api_version = plain_text(&root, "apiVersion");
  if (api_version.empty()) api_version = inherited.api_version;
  split(api_version, object);
  object.kind = plain_text(&root, "kind");
  if (object.kind.empty()) object.kind = inherited.kind;
  if (!is_name(object.kind)) {
    reports.error(root.at, "?", "not a Kubernetes object: it has no kind; ignored");
    return;
  }
  object.name = plain_text(root.find("metadata"), "name");
  const std::string shown = is_name(object.name) ? object.name : "?";
  const ObjectReport report(reports, object.kind + "/" + shown);
  read_metadata(root, object, report);
  if (!is_name(object.name) || !(object.namespace_name.empty() || is_name(object.namespace_name))) {
    report.lost(root.at, fmt::format("{} is no name of an object; ignored",
                                     in_quotes(is_name(object.name) ? object.namespace_name : object.name)));
    return;
  }
  into.push_back(std::move(object));
}

}  // namespace

bool stands_before(const KubernetesObject& a, const KubernetesObject& b) noexcept {
  const auto rank = [](const KubernetesObject& object) {
    return std::tuple(object.created.empty(), std::string_view(object.created), std::string_view(object.namespace_name),
                      std::string_view(object.name));
  };
  return rank(a) < rank(b);
}

void collect_objects(const YamlNode& document, std::vector<KubernetesObject>& into, Diagnostics& reports) {
  const std::string kind = plain_text(&document, "kind");
  const YamlNode* items = document.find("items");
  if (!kind.ends_with("List") || items == nullptr) {
    add_object(document, {}, into, reports);
    return;
  }
  Inherited inherited;
  if (kind != "List") inherited = {plain_text(&document, "apiVersion"), kind.substr(0, kind.size() - 4)};
  for (const YamlNode& item : items->items) add_object(item, inherited, into, reports);
  if (items->kind == YamlNode::Kind::scalar || items->kind == YamlNode::Kind::mapping) {
    reports.error(items->at, kind, fmt::format("items: expected a list, this is {}; ignored", kind_of(*items)));
  }
}

Labels read_label_map(const YamlNode* node, const ObjectReport& report) {
  Labels labels;
  if (node == nullptr || node->kind == YamlNode::Kind::null) return labels;
  if (node->kind != YamlNode::Kind::mapping || node->entries.size() > bounds::labels) {
    report.lost(node->at, fmt::format("expected a mapping of at most {} labels; left out", bounds::labels));
    return labels;
  }
  for (const YamlEntry& entry : node->entries) {
    const auto value = read_text(entry.value, report);
    if (!value) continue;
    if (!is_label_key(entry.key) || value->size() > bounds::label_value_bytes) {
      report.lost(entry.at, fmt::format("{} is no label that Kubernetes takes; left out", in_quotes(entry.key)));
      continue;
    }
    labels.emplace(entry.key, *value);
  }
  return labels;
}

}  // namespace sallyport::config
