#include "classifier/domain_set.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "classifier/name_bytes.h"

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

// Text of which eight bytes may be loaded wherever one of its own lies.
class Loadable {
 public:
  explicit Loadable(std::string_view text) noexcept : from_(text.data()), size_(std::max(text.size(), padded_.size())) {
    if (text.size() >= padded_.size()) return;
    std::memcpy(padded_.data(), text.data(), text.size());
    from_ = padded_.data();
  }
  Loadable(const Loadable&) = delete;
  Loadable& operator=(const Loadable&) = delete;

  // The `count` bytes at `start`, at most eight, as a number, and 0 where it is none or less. One of them at least is
  // the text's.
  [[nodiscard]] std::uint64_t few(std::size_t start, std::ptrdiff_t count) const noexcept {
    const std::size_t at = std::min(start, size_ - padded_.size());
    const std::uint64_t word = load<std::uint64_t>(from_ + at) >> (8 * (start - at) & 63U);
    if (count <= 0) return 0;
    return count >= 8 ? word : word & ~(~std::uint64_t{0} << (8 * static_cast<std::size_t>(count) & 63U));
  }
  [[nodiscard]] std::uint64_t eight(std::size_t start) const noexcept { return load<std::uint64_t>(from_ + start); }

 private:
  std::array<char, sizeof(std::uint64_t)> padded_{};
  const char* from_;
  std::size_t size_;
};

// The hash of a suffix, with one more label before it: of texts of one length up to 16, no two make the same two words.
[[nodiscard]] std::uint64_t extend(std::uint64_t hash, const Loadable& text, std::size_t start,
                                   std::size_t size) noexcept {
  constexpr std::size_t word = sizeof(std::uint64_t);
  const std::uint64_t seed = last_step + 2 * size;
  for (; size > 2 * word; start += 2 * word, size -= 2 * word)
    hash = folded(hash ^ text.eight(start), step ^ text.eight(start + word));
  const auto left = static_cast<std::ptrdiff_t>(size);
  return folded(hash ^ text.few(start, left), seed ^ text.few(start + word, left - std::ptrdiff_t{word}));
}

[[nodiscard]] std::size_t first_of(unsigned hits) noexcept { return static_cast<std::size_t>(std::countr_zero(hits)); }
[[nodiscard]] std::uint16_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint16_t>(hash >> 48U) | 1U; }

}  // namespace

void NameSuffixes::assign(std::string_view name) noexcept {
  name_ = name;
  size_ = 0;
  ByteMask dots{};
  for_each_sixteen(name, [&](std::size_t at, __m128i bytes) { add_bits(dots, at, bits_of(lanes_with(bytes, '.'))); });
  const Loadable text(name);
  std::uint64_t hash = step;
  std::size_t end = name.size();
  const auto add = [&](std::size_t start) {
    if (size_ == suffixes_.size()) return;
    hash = extend(hash, text, start, end - start);
    suffixes_[size_++] = {hash, static_cast<std::uint8_t>(start)};
    end = start - 1;
  };
  for (std::size_t word = (name.size() + 63) / 64; word-- > 0;) {
    for (std::uint64_t left = dots[word]; left != 0;) {
      const auto bit = 63U - static_cast<unsigned>(std::countl_zero(left));
      left ^= std::uint64_t{1} << bit;
      add(64 * word + bit + 1);
    }
  }
  add(0);
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
    if (i >= ahead && slot.labels != 0) insert(names[i - ahead], slot);
    slot = {};
    if (i >= names.size() || names[i].empty() || names[i].size() > HostName::bytes_max) continue;
    const NameSuffixes suffixes(names[i]);
    slot = {suffixes.all().back().hash, suffixes.all().size()};
    __builtin_prefetch(&lines_[line_of(slot.hash)], 1);
  }
}

std::size_t DomainSet::line_of(std::uint64_t hash) const noexcept { return hash & (lines_.size() - 1); }

void DomainSet::insert(std::string_view name, const Hashed& hashed) {
  if (contains(hashed.hash, name)) return;
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

// A bit for each slot with this tag, which is not 0 as in free ones.
unsigned DomainSet::hits_in(const Line& line, std::uint16_t tag) noexcept {
  const __m128i wanted = _mm_set1_epi16(static_cast<short>(tag));
  const auto* from = reinterpret_cast<const __m128i*>(&line);
  static_assert(offsetof(Line, tags) == 0 && slots < 16);
  const __m128i all =
      _mm_packs_epi16(_mm_cmpeq_epi16(_mm_load_si128(from), wanted), _mm_cmpeq_epi16(_mm_load_si128(from + 1), wanted));
  return bits_of(all) & ((1U << slots) - 1);
}

bool DomainSet::contains(std::uint64_t hash, std::string_view name) const noexcept {
  for (std::size_t at = line_of(hash);; at = (at + 1) & (lines_.size() - 1)) {
    const Line& line = lines_[at];
    for (unsigned hits = hits_in(line, tag_of(hash)); hits != 0; hits &= hits - 1) {
      const char* written = bytes_.data() + line.places[first_of(hits)];
      const auto length = static_cast<std::uint8_t>(*written);
      if (length == name.size() && std::memcmp(written + 1, name.data(), length) == 0) return true;
    }
    if (!line.overflows) return false;
  }
}

template <typename Visit>
std::size_t DomainSet::first_possible(const NameSuffixes& suffixes, std::size_t labels, Visit&& visit) const noexcept {
  const auto all = suffixes.all();
  const std::size_t fewest = match_ == Match::exact ? all.size() : 1;
  for (; labels >= fewest && labels != 0; --labels) {
    if (label_counts_[std::min(labels, label_counts_.size() - 1)] && visit(all[labels - 1])) return labels;
  }
  return 0;
}

void DomainSet::fetch_lines(const NameSuffixes& suffixes) const noexcept {
  first_possible(suffixes, suffixes.all().size(), [&](const NameSuffixes::Suffix& suffix) {
    __builtin_prefetch(&lines_[line_of(suffix.hash)]);
    return false;
  });
}

std::size_t DomainSet::fetch_name(const NameSuffixes& suffixes) const noexcept {
  return first_possible(suffixes, suffixes.all().size(), [&](const NameSuffixes::Suffix& suffix) {
    const Line& line = lines_[line_of(suffix.hash)];
    const unsigned hits = hits_in(line, tag_of(suffix.hash));
    if (hits != 0) __builtin_prefetch(bytes_.data() + line.places[first_of(hits)]);
    return hits != 0 || line.overflows;
  });
}

std::size_t DomainSet::look(const NameSuffixes& suffixes, std::size_t labels) const noexcept {
  const std::size_t found = first_possible(suffixes, labels, [&](const NameSuffixes::Suffix& suffix) {
    return contains(suffix.hash, suffixes.name().substr(suffix.start));
  });
  return found == 0 ? 0 : suffixes.name().size() - suffixes.all()[found - 1].start;
}

std::size_t DomainSet::find(const NameSuffixes& suffixes) const noexcept {
  fetch_lines(suffixes);
  return look(suffixes, suffixes.all().size());
}

void DomainSet::find(std::span<const NameSuffixes> names, std::span<std::size_t> lengths) const noexcept {
  if (names.size() != lengths.size() || names.size() > batch_max) std::abort();
  std::array<std::size_t, batch_max> labels;
  for (const NameSuffixes& name : names) fetch_lines(name);
  for (std::size_t i = 0; i < names.size(); ++i) labels[i] = fetch_name(names[i]);
  for (std::size_t i = 0; i < names.size(); ++i) lengths[i] = look(names[i], labels[i]);
}

std::size_t DomainSet::memory_bytes() const noexcept { return lines_.size() * sizeof(Line) + bytes_.capacity(); }

}  // namespace sallyport::classifier
