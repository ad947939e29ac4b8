// A list of host names from a file: one a line, "#" begins a comment.
#pragma once

#include <string>
#include <variant>
#include <vector>

namespace sallyport::pktgen {

struct HostNamesError {
  std::string message;
  bool unreadable = false;  // else: a line is no name, or there is none
};

// An empty path: www.example.com.
[[nodiscard]] std::variant<std::vector<std::string>, HostNamesError> read_host_names(const std::string& path);

}  // namespace sallyport::pktgen
