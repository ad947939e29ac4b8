#include "src/setup/huge_pages.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "dataplane/io/environment_error.h"
#include "src/output_file.h"

namespace sallyport::setup {
namespace {

constexpr std::uint64_t page_bytes = 2U << 20U;
constexpr const char* folder = "kernel/mm/hugepages/";
constexpr const char* pages_of_2m = "kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";

void keep(const std::string& path, std::uint64_t pages) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  OutputFile file;
  const bool opened = file.open(path);
  if (opened) {
    file.append(
        fmt::format("# Huge pages of Sallyport's packet buffers, written by sallyport setup: see tmpfiles.d(5).\n"
                    "w /sys/{} - - - - {}\n",
                    pages_of_2m, pages));
  }
  if (!opened || !file.close()) {
    throw dataplane::EnvironmentError(
        fmt::format("{} cannot be written: {}; run setup as root", path, std::strerror(errno)));
  }
}

}  // namespace

std::vector<HugePages> list_huge_pages(const Sysfs& sysfs) {
  std::vector<HugePages> found;
  for (const std::string& name : sysfs.names(std::string(folder))) {
    const std::size_t digits = name.find_first_of("0123456789");  // "hugepages-2048kB"
    if (digits == std::string::npos) continue;
    const auto count = [&](const char* attribute) {
      return static_cast<std::uint64_t>(sysfs.number(folder + name + "/" + attribute).value_or(0));
    };
    found.push_back({std::stoull(name.substr(digits)) << 10U, count("nr_hugepages"), count("free_hugepages")});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.page_bytes < b.page_bytes; });
  return found;
}

std::string reserve_huge_pages(const Sysfs& sysfs, const std::string& etc, std::uint64_t bytes) {
  const std::uint64_t wanted = (bytes + page_bytes - 1) / page_bytes;
  const auto there = [&] { return static_cast<std::uint64_t>(sysfs.number(pages_of_2m).value_or(0)); };
  if (!sysfs.exists(pages_of_2m)) {
    throw dataplane::EnvironmentError("this kernel has no huge pages of 2 MiB: the gateway runs on ordinary memory");
  }
  const std::uint64_t pages = std::max(wanted, there());
  std::string path = etc + "/tmpfiles.d/sallyport.conf";
  keep(path, pages);
  if (there() < pages) sysfs.write(pages_of_2m, std::to_string(pages));
  if (there() >= wanted) return path;
  throw dataplane::EnvironmentError(
      fmt::format("of {} huge pages the kernel has {} to give: free memory, ask for less by --huge-pages, or start the "
                  "machine anew ({} asks for them at boot)",
                  wanted, there(), path));
}

}  // namespace sallyport::setup
