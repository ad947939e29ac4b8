#include "src/health.h"

#include <fmt/format.h>

namespace sallyport {

std::vector<std::string> problems(const Health& health) {
  std::vector<std::string> found;
  if (health.fenced) found.emplace_back("it was stopped, and stands by until `sallyport ha` tells it what to be");
  if (!health.policy_loaded) found.emplace_back("no valid policy was ever loaded");
  for (const unsigned worker : health.standing_workers) found.push_back(fmt::format("worker {} stands still", worker));
  for (const std::string& port : health.dark_ports) found.push_back(fmt::format("port \"{}\" has no link", port));
  return found;
}

}  // namespace sallyport
