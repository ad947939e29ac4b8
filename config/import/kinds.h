// The kinds of objects that import reads.
#pragma once

#include <cstdint>
#include <string_view>

#include "config/import/importer.h"

namespace sallyport::config {

enum class Scope : std::uint8_t { cluster, namespaced };

// In the order in which they are read: what others ask for comes first.
enum class Reading : std::uint8_t {
  pods,
  sets,
  networks,
  routes,
  policies,
  calico_policies,
  istio_gateways,
  istio_entries,
  egresses
};

struct Kind {
  std::string_view group;
  std::string_view name;
  Scope scope;
  std::string_view system;                   // as comments call it
  void (*import)(const Imported&, Import&);  // null: those that are read all at once
  Reading reading;
};

// Null: of no kind that is read.
[[nodiscard]] const Kind* find_kind(const KubernetesObject& object) noexcept;

// Of the versions that the group had until now. Others are read all the same: a field that is new is reported.
[[nodiscard]] bool is_known_version(const KubernetesObject& object);

}  // namespace sallyport::config
