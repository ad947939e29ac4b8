#include "classifier/domain_set.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace sallyport::classifier {
namespace {

constexpr std::uint64_t step = 0x9e3779b97f4a7c15U;

[[nodiscard]] std::uint64_t mixed(std::uint64_t hash) noexcept {
  hash ^= hash >> 32U;
  hash *= 0xd6e8feb86659fd93U;
  return hash ^ hash >> 32U;
}

// Over one label, its dot included in the state; bytes from right to left.
[[nodiscard]] std::uint64_t extend(std::uint64_t hash, std::string_view label) noexcept {
  hash = (hash ^ 0x2e) * step;
  for (auto byte = label.rbegin(); byte != label.rend(); ++byte) {
    hash = (hash ^ static_cast<std::uint8_t>(*byte)) * step;
    hash ^= hash >> 29U;
  }
  return hash;
}

[[nodiscard]] std::size_t label_count(std::string_view name) noexcept {
  return static_cast<std::size_t>(std::count(name.begin(), name.end(), '.')) + 1;
}

[[nodiscard]] std::uint16_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint16_t>(hash >> 48U) | 1U; }

}  // namespace

NameSuffixes::NameSuffixes(std::string_view name) noexcept : name_(name) {
  std::uint64_t hash = step;
  std::size_t end = name.size();
  while (true) {
    const std::size_t dot = end == 0 ? std::string_view::npos : name.rfind('.', end - 1);
    const std::size_t start = dot == std::string_view::npos ? 0 : dot + 1;
    hash = extend(hash, name.substr(start, end - start));
    if (size_ == suffixes_.size()) return;
    suffixes_[size_++] = {mixed(hash), static_cast<std::uint8_t>(start)};
    if (dot == std::string_view::npos) return;
    end = dot;
  }
}

DomainSet::DomainSet(Match match, std::span<const std::string> names) : match_(match) {
  // Lines are filled to some two thirds.
  lines_.resize(std::bit_ceil(names.size() * 3 / (2 * slots) + 1));
  std::size_t bytes = 0;
  for (const std::string& name : names) bytes += name.size() + 1;
  bytes_.reserve(bytes);
  for (const std::string& name : names) insert(name);
}

std::size_t DomainSet::line_of(std::uint64_t hash) const noexcept { return hash & (lines_.size() - 1); }

void DomainSet::insert(std::string_view name) {
  if (name.empty() || name.size() > HostName::bytes_max) return;
  const NameSuffixes suffixes(name);
  const std::uint64_t hash = suffixes.all().back().hash;
  if (contains(hash, name)) return;
  const auto place = static_cast<std::uint32_t>(bytes_.size());
  bytes_.push_back(static_cast<char>(name.size()));
  bytes_.insert(bytes_.end(), name.begin(), name.end());
  std::size_t at = line_of(hash);
  while (lines_[at].used == slots) {
    lines_[at].overflows = true;
    at = (at + 1) & (lines_.size() - 1);
  }
  Line& line = lines_[at];
  line.tags[line.used] = tag_of(hash);
  line.places[line.used++] = place;
  label_counts_.set(std::min(label_count(name), label_counts_.size() - 1));
  ++names_;
}

bool DomainSet::contains(std::uint64_t hash, std::string_view name) const noexcept {
  for (std::size_t at = line_of(hash);; at = (at + 1) & (lines_.size() - 1)) {
    const Line& line = lines_[at];
    for (std::size_t slot = 0; slot < line.used; ++slot) {
      if (line.tags[slot] != tag_of(hash)) continue;
      const char* written = bytes_.data() + line.places[slot];
      const auto length = static_cast<std::uint8_t>(*written);
      if (length == name.size() && std::memcmp(written + 1, name.data(), length) == 0) return true;
    }
    if (!line.overflows) return false;
  }
}

std::optional<std::size_t> DomainSet::find(const NameSuffixes& suffixes) const noexcept {
  const auto all = suffixes.all();
  const std::size_t fewest = match_ == Match::exact ? all.size() : 1;
  const auto counts = [&](std::size_t labels) {
    return label_counts_.test(std::min(labels, label_counts_.size() - 1));
  };
  for (std::size_t labels = fewest; labels <= all.size(); ++labels) {
    if (counts(labels)) __builtin_prefetch(&lines_[line_of(all[labels - 1].hash)]);
  }
  for (std::size_t labels = all.size(); labels >= fewest; --labels) {
    if (!counts(labels)) continue;
    const auto& suffix = all[labels - 1];
    const std::string_view candidate = suffixes.name().substr(suffix.start);
    if (contains(suffix.hash, candidate)) return candidate.size();
  }
  return std::nullopt;
}

std::size_t DomainSet::memory_bytes() const noexcept { return lines_.size() * sizeof(Line) + bytes_.capacity(); }

}  // namespace sallyport::classifier
