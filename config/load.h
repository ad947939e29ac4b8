// Files into models. A file is either taken whole or refused whole, and all of its errors are reported.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/appliance_model.h"
#include "config/diagnostics.h"
#include "config/policy_model.h"

namespace sallyport::config {

// One file of a document, read already (so that what was checked is what is used).
struct SourceText {
  std::string name;  // as shown in messages; also the base of relative `file = ".."` keys
  std::string text;
};

template <typename Model>
struct Loaded {
  std::optional<Model> model;  // absent when there are errors
  std::vector<std::string> files;
  Diagnostics diagnostics;
};

// What others know to be wrong with a policy that is refused already, so that all of its errors are told at once. Gets
// what could be read; reports by location, the key paths are filled in.
using FurtherErrors = std::function<void(const PolicyModel&, Diagnostics&)>;

// The policy of one or several texts, as one document in their order.
[[nodiscard]] Loaded<PolicyModel> load_policy(const std::vector<SourceText>& sources,
                                              const FurtherErrors& further = nullptr);
// May a document be a pipe? Commands that are asked once read it to its end; who serves packets waits for no writer.
enum class Pipes : std::uint8_t { read, refused };
// `path` and, beside it, `policy.d/*.toml` in file-name order (policy.toml -> policy.d). Errors of reading are
// diagnostics, too.
[[nodiscard]] Loaded<PolicyModel> load_policy_file(const std::string& path, const FurtherErrors& further = nullptr,
                                                   Pipes pipes = Pipes::read);

[[nodiscard]] Loaded<ApplianceModel> load_appliance(const SourceText& source);
[[nodiscard]] Loaded<ApplianceModel> load_appliance_file(const std::string& path, Pipes pipes = Pipes::read);

}  // namespace sallyport::config
