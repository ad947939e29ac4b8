// What is wrong with a file, where, and what to do about it.
//
// Loading collects every error of a document instead of stopping at the first one. A document may be several files
// (policy.d/), so a location names its file by an index into the document's list of files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

struct Location {
  std::uint32_t file = 0;    // index into the document's files
  std::uint32_t line = 0;    // from 1; 0: the whole file
  std::uint32_t column = 0;  // from 1

  friend bool operator==(const Location&, const Location&) noexcept = default;
};

enum class Severity : std::uint8_t { error, warning };

struct Diagnostic {
  Severity severity = Severity::error;
  Location at;
  std::string key_path;  // "egress_network[0].networks[1].cidr"; may be empty
  std::string message;   // what is wrong, what was expected
};

class Diagnostics {
 public:
  void error(Location at, std::string key_path, std::string message);
  void warning(Location at, std::string key_path, std::string message);

  [[nodiscard]] bool has_errors() const noexcept { return errors_ != 0; }
  [[nodiscard]] std::size_t errors() const noexcept { return errors_; }
  [[nodiscard]] const std::vector<Diagnostic>& all() const noexcept { return all_; }
  // By file, line, column; stable.
  void sort();
  void append(const Diagnostics& other);

 private:
  std::vector<Diagnostic> all_;
  std::size_t errors_ = 0;
};

// "file:line:column: key.path: message", warnings with "warning: " before the message; the file alone where the whole
// file is meant.
[[nodiscard]] std::string to_text(const Diagnostic& diagnostic, const std::vector<std::string>& files);

}  // namespace sallyport::config
