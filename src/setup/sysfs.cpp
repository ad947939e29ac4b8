#include "src/setup/sysfs.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "dataplane/io/environment_error.h"
#include "src/descriptor.h"

namespace sallyport::setup {

Sysfs::Sysfs(std::string root) : root_(std::move(root)) {}

bool Sysfs::exists(const std::string& path) const {
  std::error_code none;
  return std::filesystem::exists(at(path), none);
}

std::optional<std::string> Sysfs::line(const std::string& path) const {
  std::ifstream file(at(path));
  std::string text;
  if (!std::getline(file, text)) return std::nullopt;
  return text;
}

std::optional<long long> Sysfs::number(const std::string& path) const {
  const std::optional<std::string> text = line(path);
  long long value = 0;
  if (!text) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return value;
}

std::string Sysfs::link(const std::string& path) const {
  std::error_code none;
  return std::filesystem::read_symlink(at(path), none).filename();
}

std::vector<std::string> Sysfs::names(const std::string& folder) const {
  std::vector<std::string> found;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(at(folder), none)) {
    found.push_back(entry.path().filename());
  }
  std::sort(found.begin(), found.end());
  return found;
}

void Sysfs::write(const std::string& path, const std::string& text) const {
  const Descriptor file(open(at(path).c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  const bool written = file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (written) return;
  const int error = errno;
  throw dataplane::EnvironmentError(fmt::format("\"{}\" cannot be written to {}: {}{}", text, at(path),
                                                std::strerror(error),
                                                error == EACCES || error == EPERM ? "; run setup as root" : ""));
}

}  // namespace sallyport::setup
