#include "classifier/identities.h"

namespace sallyport::classifier {

Identities::Identities() { names_.emplace_back(); }

Id Identities::intern(std::string_view name) {
  if (name.empty()) return 0;
  if (const auto known = ids_.find(name); known != ids_.end()) return known->second;
  const auto id = static_cast<Id>(names_.size());
  names_.emplace_back(name);
  ids_.emplace(names_.back(), id);
  return id;
}

const std::string& Identities::name(Id id) const noexcept { return names_[id < names_.size() ? id : 0]; }

}  // namespace sallyport::classifier
