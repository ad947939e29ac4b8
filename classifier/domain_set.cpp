#include "classifier/domain_set.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace sallyport::classifier {
namespace {

constexpr std::uint64_t step = 0x9e3779b97f4a7c15U;
constexpr std::uint64_t last_step = 0xd6e8feb86659fd93U;

__extension__ using Product = unsigned __int128;

// Each bit of the answer hangs on all bits of both, as in wyhash.
[[nodiscard]] std::uint64_t folded(std::uint64_t left, std::uint64_t right) noexcept {
  const Product product = Product{left} * right;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

template <typename Word>
[[nodiscard]] Word load(const char* from) noexcept {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// Up to eight bytes as a number: of texts of one length, no two alike.
[[nodiscard]] std::uint64_t few_bytes(const char* from, std::size_t count) noexcept {
  if (count >= 4) return std::uint64_t{load<std::uint32_t>(from)} << 32U | load<std::uint32_t>(from + count - 4);
  if (count == 0) return 0;
  const auto byte = [&](std::size_t at) { return std::uint64_t{static_cast<std::uint8_t>(from[at])}; };
  return byte(0) << 16U | byte(count / 2) << 8U | byte(count - 1);
}

// The hash of a suffix, with one more label before it.
[[nodiscard]] std::uint64_t extend(std::uint64_t hash, std::string_view label) noexcept {
  const char* from = label.data();
  std::size_t left = label.size();
  for (; left > sizeof(std::uint64_t); from += sizeof(std::uint64_t), left -= sizeof(std::uint64_t))
    hash = folded(hash ^ load<std::uint64_t>(from), step);
  return folded(hash ^ few_bytes(from, left), last_step + 2 * label.size());
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
    suffixes_[size_++] = {hash, static_cast<std::uint8_t>(start)};
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
  insert_all(names);
}

// The line of a name is anywhere in memory: it is on its way while those before it are put in.
void DomainSet::insert_all(std::span<const std::string> names) {
  constexpr std::size_t ahead = 16;
  std::array<Hashed, ahead> hashed;
  for (std::size_t i = 0; i < names.size() + ahead; ++i) {
    Hashed& slot = hashed[i % ahead];
    if (i >= ahead) insert(names[i - ahead], slot);
    if (i >= names.size()) continue;
    const NameSuffixes suffixes(names[i]);
    slot = {suffixes.all().back().hash, suffixes.all().size()};
    __builtin_prefetch(&lines_[line_of(slot.hash)], 1);
  }
}

std::size_t DomainSet::line_of(std::uint64_t hash) const noexcept { return hash & (lines_.size() - 1); }

void DomainSet::insert(std::string_view name, const Hashed& hashed) {
  if (name.empty() || name.size() > HostName::bytes_max || contains(hashed.hash, name)) return;
  const auto place = static_cast<std::uint32_t>(bytes_.size());
  bytes_.push_back(static_cast<char>(name.size()));
  bytes_.insert(bytes_.end(), name.begin(), name.end());
  std::size_t at = line_of(hashed.hash);
  while (lines_[at].used == slots) {
    lines_[at].overflows = true;
    at = (at + 1) & (lines_.size() - 1);
  }
  Line& line = lines_[at];
  line.tags[line.used] = tag_of(hashed.hash);
  line.places[line.used++] = place;
  label_counts_.set(std::min(hashed.labels, label_counts_.size() - 1));
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

template <typename Visit>
void DomainSet::for_each_possible(const NameSuffixes& suffixes, Visit&& visit) const noexcept {
  const auto all = suffixes.all();
  const std::size_t fewest = match_ == Match::exact ? all.size() : 1;
  for (std::size_t labels = all.size(); labels >= fewest; --labels) {
    if (!label_counts_.test(std::min(labels, label_counts_.size() - 1))) continue;
    if (visit(all[labels - 1])) return;
  }
}

void DomainSet::fetch_lines(const NameSuffixes& suffixes) const noexcept {
  for_each_possible(suffixes, [&](const NameSuffixes::Suffix& suffix) {
    __builtin_prefetch(&lines_[line_of(suffix.hash)]);
    return false;
  });
}

void DomainSet::fetch_name(const NameSuffixes& suffixes) const noexcept {
  for_each_possible(suffixes, [&](const NameSuffixes::Suffix& suffix) {
    const Line& line = lines_[line_of(suffix.hash)];
    const auto* used = line.tags.begin() + line.used;
    const auto* found = std::find(line.tags.begin(), used, tag_of(suffix.hash));
    if (found == used) return false;
    __builtin_prefetch(bytes_.data() + line.places[static_cast<std::size_t>(found - line.tags.begin())]);
    return true;
  });
}

std::optional<std::size_t> DomainSet::find(const NameSuffixes& suffixes) const noexcept {
  fetch_lines(suffixes);
  return look(suffixes);
}

std::optional<std::size_t> DomainSet::look(const NameSuffixes& suffixes) const noexcept {
  std::optional<std::size_t> found;
  for_each_possible(suffixes, [&](const NameSuffixes::Suffix& suffix) {
    const std::string_view candidate = suffixes.name().substr(suffix.start);
    if (!contains(suffix.hash, candidate)) return false;
    found = candidate.size();
    return true;
  });
  return found;
}

std::size_t DomainSet::memory_bytes() const noexcept { return lines_.size() * sizeof(Line) + bytes_.capacity(); }

}  // namespace sallyport::classifier
