// The answer of a reader of text: a value, or why there is none.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace sallyport::config {

template <typename T>
struct Parsed {
  std::optional<T> value;
  std::string error;  // what was wrong and what was expected; empty with a value

  Parsed(T right) : value(std::move(right)) {}  // NOLINT(google-explicit-constructor): reads as a return value
  static Parsed failure(std::string why) { return Parsed(std::move(why), Failure{}); }

  explicit operator bool() const noexcept { return value.has_value(); }
  [[nodiscard]] const T& operator*() const noexcept { return *value; }

 private:
  struct Failure {};
  Parsed(std::string why, Failure) : error(std::move(why)) {}
};

}  // namespace sallyport::config
