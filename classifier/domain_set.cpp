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

// The same of a HostName, behind whose bytes others may be loaded.
class LoadableName {
 public:
  explicit LoadableName(const HostName& name) noexcept : from_(name.view().data()) {}

  [[nodiscard]] std::uint64_t few(std::size_t start, std::ptrdiff_t count) const noexcept {
    return _bzhi_u64(eight(start), std::uint64_t{8} * static_cast<std::uint64_t>(std::max(count, std::ptrdiff_t{0})));
  }
  [[nodiscard]] std::uint64_t eight(std::size_t start) const noexcept { return load<std::uint64_t>(from_ + start); }

 private:
  const char* from_;
};

// The hash of a suffix, with one more label before it: of texts of one length up to 16, no two make the same two words.
template <typename Text>
[[nodiscard, gnu::always_inline]] inline std::uint64_t extend(std::uint64_t hash, const Text& text, std::size_t start,
                                                              std::size_t size) noexcept {
  constexpr std::size_t word = sizeof(std::uint64_t);
  const std::uint64_t seed = last_step + 2 * size;
  for (; size > 2 * word; start += 2 * word, size -= 2 * word)
    hash = folded(hash ^ text.eight(start), step ^ text.eight(start + word));
  const auto left = static_cast<std::ptrdiff_t>(size);
  return folded(hash ^ text.few(start, left), seed ^ text.few(start + word, left - std::ptrdiff_t{word}));
}

[[nodiscard]] ByteMask dots_of(std::string_view name) noexcept {
  ByteMask dots{};
  for_each_sixteen(name, [&](std::size_t at, __m128i bytes) { add_bits(dots, at, bits_of(lanes_with(bytes, '.'))); });
  return dots;
}
// Most names are short: no branch hangs on how short.
[[nodiscard]] ByteMask dots_of(const HostName& name) noexcept {
  static_assert(HostName::readable == sizeof(__m256i));
  if (name.size() > sizeof(__m256i)) return dots_of(name.view());
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(name.view().data()));
  const auto dots = static_cast<unsigned>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('.'))));
  return {_bzhi_u64(dots, static_cast<unsigned>(name.size()))};
}

// Calls take(hash, start) with every suffix that starts at a label, the shortest first.
template <typename Text, typename Take>
void for_each_suffix(const Text& text, std::size_t size, const ByteMask& dots, Take&& take) noexcept {
  std::uint64_t hash = step;
  std::size_t end = size;
  const auto add = [&](std::size_t start) {
    hash = extend(hash, text, start, end - start);
    take(hash, static_cast<std::uint8_t>(start));
    end = start - 1;
  };
  for (std::size_t word = (size + 63) / 64; word-- > 0;) {
    for (std::uint64_t left = dots[word]; left != 0;) {
      const auto bit = 63U - static_cast<unsigned>(std::countl_zero(left));
      left ^= std::uint64_t{1} << bit;
      add(64 * word + bit + 1);
    }
  }
  add(0);
}

// Whether a text that has `readable` bytes from each of its own on stands, behind its length, where as many are
// readable.
[[nodiscard]] bool is_written_at(const char* written, std::string_view text) noexcept {
  static_assert(HostName::readable == sizeof(__m256i));
  if (static_cast<std::uint8_t>(*written++) != text.size()) return false;
  const char* shown = text.data();
  for (std::size_t left = text.size();; left -= sizeof(__m256i)) {
    const __m256i same = _mm256_cmpeq_epi8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(written)),
                                           _mm256_loadu_si256(reinterpret_cast<const __m256i*>(shown)));
    const unsigned different = ~static_cast<unsigned>(_mm256_movemask_epi8(same));
    if (left <= sizeof(__m256i)) return _bzhi_u64(different, static_cast<unsigned>(left)) == 0;
    if (different != 0) return false;
    written += sizeof(__m256i);
    shown += sizeof(__m256i);
  }
}

[[nodiscard]] std::size_t first_of(unsigned hits) noexcept { return static_cast<std::size_t>(std::countr_zero(hits)); }
[[nodiscard]] std::uint16_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint16_t>(hash >> 48U) | 1U; }

}  // namespace

NameSuffixes::NameSuffixes(std::string_view name) noexcept : name_(name) {
  for_each_suffix(Loadable(name), name.size(), dots_of(name), [&](std::uint64_t hash, std::uint8_t start) {
    if (size_ != suffixes_.size()) suffixes_[size_++] = {hash, start};
  });
}

NameBatch::NameBatch(std::span<const HostName> names) noexcept : names_(names), size_(names.size()) {
  if (size_ > names_max) std::abort();
  for (const HostName& name : names) {
    __builtin_prefetch(&name);
    __builtin_prefetch(name.view().data() + HostName::readable - 1);
  }
  std::size_t end = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    std::uint8_t labels = 0;
    for_each_suffix(LoadableName(names[i]), names[i].size(), dots_of(names[i]),
                    [&](std::uint64_t hash, std::uint8_t start) {
                      suffixes_[end++] = {hash, start, ++labels, static_cast<std::uint8_t>(i)};
                    });
    ends_[i] = static_cast<std::uint16_t>(end);
  }
  suffixes_end_ = end;
}

DomainSet::DomainSet(Match match, std::span<const std::string> names) : match_(match) {
  // Lines are filled to some two thirds.
  lines_.resize(std::bit_ceil(names.size() * 3 / (2 * slots) + 1));
  std::size_t bytes = 0;
  for (const std::string& name : names) bytes += name.size() + 1;
  bytes_.reserve(bytes + HostName::readable);
  insert_all(names);
  bytes_.resize(bytes_.size() + HostName::readable);
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
  labels_most_ = std::max(labels_most_, hashed.labels);
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
std::size_t DomainSet::first_possible(const NameSuffixes& suffixes, Visit&& visit) const noexcept {
  const auto all = suffixes.all();
  const std::size_t fewest = match_ == Match::exact ? all.size() : 1;
  for (std::size_t labels = all.size(); labels >= fewest && labels != 0; --labels) {
    if (label_counts_[std::min(labels, label_counts_.size() - 1)] && visit(all[labels - 1])) return labels;
  }
  return 0;
}

std::size_t DomainSet::find(const NameSuffixes& suffixes) const noexcept {
  first_possible(suffixes, [&](const NameSuffixes::Suffix& suffix) {
    __builtin_prefetch(&lines_[line_of(suffix.hash)]);
    return false;
  });
  const std::size_t found = first_possible(suffixes, [&](const NameSuffixes::Suffix& suffix) {
    return contains(suffix.hash, suffixes.name().substr(suffix.start));
  });
  return found == 0 ? 0 : suffixes.name().size() - suffixes.all()[found - 1].start;
}

template <typename Visit>
void DomainSet::for_each_askable(const NameBatch& names, Visit&& visit) const noexcept {
  if (match_ == Match::exact) {
    for (std::size_t i = 0; i < names.size(); ++i) visit(names.whole(i));
    return;
  }
  for (const NameBatch::Suffix& suffix : names.all()) {
    if (suffix.labels <= labels_most_) visit(suffix);
  }
}

void DomainSet::find(const NameBatch& names, std::span<std::size_t> lengths) const noexcept {
  if (names.size() != lengths.size()) std::abort();
  for_each_askable(names, [&](const NameBatch::Suffix& suffix) { __builtin_prefetch(&lines_[line_of(suffix.hash)]); });

  struct Possible {
    const NameBatch::Suffix* suffix;
    const char* written;  // the name that it probably is
  };
  std::array<Possible, NameBatch::suffixes_max> possible;
  std::size_t count = 0;
  for_each_askable(names, [&](const NameBatch::Suffix& suffix) {
    const Line& line = lines_[line_of(suffix.hash)];
    const unsigned hits = hits_in(line, tag_of(suffix.hash));
    const char* written = bytes_.data() + line.places[first_of(hits | 1U << (slots - 1))];
    __builtin_prefetch(written);
    possible[count] = {&suffix, written};
    count += static_cast<std::size_t>(hits != 0) | static_cast<std::size_t>(line.overflows);
  });

  std::ranges::fill(lengths, std::size_t{0});
  for (const Possible& one : std::span(possible).first(count)) {
    const std::string_view text = names.text(*one.suffix);
    // Of one name the longest comes last.
    if (is_written_at(one.written, text) || contains(one.suffix->hash, text)) lengths[one.suffix->name] = text.size();
  }
}

std::size_t DomainSet::memory_bytes() const noexcept { return lines_.size() * sizeof(Line) + bytes_.capacity(); }

}  // namespace sallyport::classifier
