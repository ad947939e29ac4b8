// What an import has to say of one object, "kind/name: what, and what was done about it" behind the place.
#pragma once

#include <string>
#include <utility>

#include "config/diagnostics.h"

namespace sallyport::config {

class ObjectReport {
 public:
  ObjectReport(Diagnostics& into, std::string object) : into_(&into), object_(std::move(object)) {}

  // Something of the object is not kept, or not exactly: an error under --strict.
  void lost(Location at, std::string message) const { into_->error(at, object_, std::move(message)); }
  // Nothing is lost, but a reader may wonder.
  void note(Location at, std::string message) const { into_->warning(at, object_, std::move(message)); }

 private:
  Diagnostics* into_;
  std::string object_;
};

}  // namespace sallyport::config
