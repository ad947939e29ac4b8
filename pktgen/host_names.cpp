#include "pktgen/host_names.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

namespace sallyport::pktgen {
namespace {

constexpr std::size_t name_bytes_max = 255;

// RFC 6066 section 3 wants ASCII without a trailing dot; who wants to see what a wrong name does may send one.
bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= name_bytes_max &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string stripped(std::string line) {
  line.erase(std::min(line.find('#'), line.size()));
  line.erase(line.find_last_not_of(" \t\r") + 1);
  line.erase(0, std::min(line.find_first_not_of(" \t"), line.size()));
  return line;
}

}  // namespace

std::variant<std::vector<std::string>, HostNamesError> read_host_names(const std::string& path) {
  if (path.empty()) return std::vector<std::string>{"www.example.com"};
  std::ifstream file(path);
  const auto unreadable = [&] { return HostNamesError{fmt::format("{}: {}", path, std::strerror(errno)), true}; };
  if (!file) return unreadable();
  std::vector<std::string> names;
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    std::string name = stripped(std::move(line));
    if (name.empty()) continue;
    if (!is_name(name)) return HostNamesError{fmt::format("{}:{}: this is no host name", path, number)};
    names.push_back(std::move(name));
  }
  if (file.bad()) return unreadable();
  if (names.empty()) return HostNamesError{fmt::format("{}: no host name in it", path)};
  return names;
}

}  // namespace sallyport::pktgen
