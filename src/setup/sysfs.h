// The tree in which the kernel shows its devices: /sys, or one that a test has made.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace sallyport::setup {

// Paths are relative to the root: "class/net/eth1/mtu".
class Sysfs {
 public:
  explicit Sysfs(std::string root);

  [[nodiscard]] bool exists(const std::string& path) const;
  // The first line of an attribute; absent: there is none, or it cannot be read (the carrier of an interface that is
  // down).
  [[nodiscard]] std::optional<std::string> line(const std::string& path) const;
  [[nodiscard]] std::optional<long long> number(const std::string& path) const;
  // The name of what a link leads to: "ixgbe". Empty: there is no such link.
  [[nodiscard]] std::string link(const std::string& path) const;
  // The names in a folder, sorted; none where there is no such folder.
  [[nodiscard]] std::vector<std::string> names(const std::string& folder) const;

  // Throws EnvironmentError that says what the kernel said.
  void write(const std::string& path, const std::string& text) const;

 private:
  [[nodiscard]] std::string at(const std::string& path) const { return root_ + "/" + path; }

  std::string root_;
};

}  // namespace sallyport::setup
