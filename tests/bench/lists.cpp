#include "tests/bench/lists.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <unordered_set>

namespace sallyport::bench {
namespace {

std::filesystem::path lists_folder() {
  const char* given = std::getenv("SALLYPORT_LISTS");
  return given != nullptr ? std::filesystem::path(given) : std::filesystem::path(SALLYPORT_SOURCE) / "../shared/lists";
}

// Lengths as in a routing table: mostly /24 and /48, some nested in others.
std::vector<Prefix> made_up_prefixes(Family family, std::size_t count) {
  std::mt19937_64 random(1);
  std::discrete_distribution<unsigned> step(family == Family::v4
                                                ? std::initializer_list<double>{1, 1, 2, 3, 5, 5, 10, 12, 61}
                                                : std::initializer_list<double>{15, 5, 5, 5, 10, 5, 10, 5, 40});
  std::vector<Prefix> prefixes;
  for (std::size_t i = 0; i < count; ++i) {
    Prefix prefix;
    prefix.address.family = family;
    prefix.length = static_cast<std::uint8_t>(family == Family::v4 ? 16 + step(random) : 32 + 2 * step(random));
    for (unsigned byte = 0; byte < address_bytes(family); ++byte) {
      prefix.address.bytes[byte] = static_cast<std::uint8_t>(random());
    }
    if (family == Family::v6) {
      prefix.address.bytes[0] = 0x2a;
      prefix.address.bytes[1] &= 0x0f;
    }
    for (unsigned bit = prefix.length; bit < address_bits(family); ++bit) {
      prefix.address.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
    }
    prefixes.push_back(prefix);
  }
  return prefixes;
}

}  // namespace

std::vector<std::string> read_list(const std::string& name) {
  const std::filesystem::path path = lists_folder() / name;
  if (!std::filesystem::exists(path)) return {};
  const std::string command = (path.extension() == ".xz" ? "xz -dc '" : "cat '") + path.string() + "'";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::vector<std::string> lines(1);
  for (int byte = std::fgetc(pipe.get()); byte != EOF; byte = std::fgetc(pipe.get())) {
    if (byte == '\n') {
      lines.emplace_back();
    } else {
      lines.back().push_back(static_cast<char>(byte));
    }
  }
  std::erase_if(lines, [](const std::string& line) { return line.empty() || line.front() == '#'; });
  return lines;
}

PrefixList routing_table(Family family) {
  PrefixList list{"bgp_full.txt.xz", {}};
  for (const std::string& line : read_list(list.origin)) {
    const auto parsed = parse_prefix(line);
    if (parsed && parsed->prefix.address.family == family) list.prefixes.push_back(parsed->prefix);
  }
  if (list.prefixes.empty()) {
    list.origin = "synthetic";
    list.prefixes = made_up_prefixes(family, family == Family::v4 ? 900'000 : 160'000);
  }
  std::sort(list.prefixes.begin(), list.prefixes.end());
  list.prefixes.erase(std::unique(list.prefixes.begin(), list.prefixes.end()), list.prefixes.end());
  return list;
}

NameList domain_names(std::size_t count) {
  NameList list{"block_stevenblack.txt.xz, v2fly_suffix.txt, public_suffixes.txt", {}};
  std::unordered_set<std::string> seen;
  const auto add = [&](const std::string& name) {
    if (list.names.size() < count && name.size() <= 253 && seen.insert(name).second) list.names.push_back(name);
  };
  for (const char* file : {"block_stevenblack.txt.xz", "v2fly_suffix.txt"}) {
    for (const std::string& line : read_list(file)) add(line.starts_with("*.") ? line.substr(2) : line);
  }
  const std::size_t real = list.names.size();
  list.origin = real == 0 ? "synthetic" : std::to_string(real) + " real names, then made-up ones";
  std::mt19937_64 random(2);
  const auto label = [&](std::size_t bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes; ++i) text.push_back("abcdefghijklmnopqrstuvwxyz0123456789"[random() % 36]);
    return text;
  };
  const std::vector<std::string> tops{"com", "net", "org", "de", "co.uk", "ru", "cn", "io", "info", "top", "xyz"};
  while (list.names.size() < count) {
    std::string name = label(5 + random() % 10) + '.' + tops[random() % tops.size()];
    if (random() % 3 == 0) name = label(2 + random() % 6) + '.' + name;
    add(name);
  }
  return list;
}

}  // namespace sallyport::bench
