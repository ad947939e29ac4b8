// Can this gateway forward, were it its turn? What keepalived and routing daemons ask before they let it.
#pragma once

#include <string>
#include <vector>

namespace sallyport {

struct Health {
  bool policy_loaded = true;
  bool fenced = false;
  std::vector<unsigned> standing_workers;  // their numbers
  std::vector<std::string> dark_ports;     // without a link
};

// One short clause each; none: it can.
[[nodiscard]] std::vector<std::string> problems(const Health& health);

}  // namespace sallyport
