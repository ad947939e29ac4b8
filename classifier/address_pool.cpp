#include "classifier/address_pool.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "classifier/address_number.h"
#include "classifier/siphash.h"

namespace sallyport::classifier {

namespace {

// Costs of a choice: weighing one address 1 ns, searching blocks some 50 ns a piece of the pool.
constexpr std::uint64_t weighed_max = 1024;
constexpr std::size_t searched_pieces_max = 64;

struct Span {
  Family family;
  Uint128 first;
  Uint128 last;
};

// Sorted, disjoint, and never touching.
std::vector<Span> join(const std::vector<AddressRange>& ranges) {
  std::vector<Span> spans;
  spans.reserve(ranges.size());
  for (const AddressRange& range : ranges)
    spans.push_back({range.first.family, to_number(range.first), to_number(range.last)});
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) {
    return a.family != b.family ? a.family < b.family : a.first < b.first;
  });
  std::vector<Span> joined;
  for (const Span& span : spans) {
    if (!joined.empty() && joined.back().family == span.family &&
        (span.first <= joined.back().last || span.first - 1 == joined.back().last))
      joined.back().last = std::max(joined.back().last, span.last);
    else
      joined.push_back(span);
  }
  return joined;
}

// What is left of `span` outside the holes (joined), appended to `left`.
void subtract(Span span, const std::vector<Span>& holes, std::vector<Span>& left) {
  for (const Span& hole : holes) {
    if (hole.family != span.family || hole.last < span.first) continue;
    if (hole.first > span.last) break;
    if (hole.first > span.first) left.push_back({span.family, span.first, hole.first - 1});
    if (hole.last >= span.last) return;
    span.first = hole.last + 1;
  }
  left.push_back(span);
}

// The finalizer of SplitMix64 (Steele, Lea & Flood 2014).
constexpr std::uint64_t mix(std::uint64_t value) noexcept {
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31U);
}

// The source went through the keyed hash, so a candidate needs no more than mixing: 1 ns each instead of 20.
std::uint64_t weight(std::uint64_t hashed_source, Uint128 candidate) noexcept {
  return mix(mix(hashed_source ^ static_cast<std::uint64_t>(candidate >> 64U)) ^ static_cast<std::uint64_t>(candidate));
}

// An aligned block of 2^bits addresses and when the first of them arrives.
struct Block {
  Uint128 first = 0;
  unsigned bits = 0;
  double arrival = 0;

  [[nodiscard]] Uint128 last() const noexcept { return bits == 128 ? ~Uint128{0} : first | ((Uint128{1} << bits) - 1); }
};

// Draws the arrivals of one source, block by block: the same block gives the same draw, whatever the pool.
class Arrivals {
 public:
  explicit Arrivals(std::uint64_t hashed_source) noexcept : hashed_source_(hashed_source) {}

  // The half in which the block's first address arrives, and the other one, which comes later.
  struct Halves {
    Block sooner;
    Block later;
  };
  // `arrival` of the later half is left to delay(), which is dear.
  [[nodiscard]] Halves split(const Block& block) const noexcept {
    const unsigned bits = block.bits - 1;
    const Block low{block.first, bits, block.arrival};
    const Block high{block.first | Uint128{1} << bits, bits, block.arrival};
    return (draw(block) & 1U) != 0 ? Halves{high, low} : Halves{low, high};
  }
  // How much later, for the halves of `block`: exponential, its mean the 2^(bits - 1)th part of an address's.
  [[nodiscard]] double delay(const Block& block) const noexcept {
    const double uniform = (static_cast<double>(draw(block) >> 11U) + 1) * 0x1p-53;
    return std::ldexp(-std::log(uniform), 1 - static_cast<int>(block.bits));
  }

 private:
  [[nodiscard]] std::uint64_t draw(const Block& block) const noexcept {
    const auto high = static_cast<std::uint64_t>(block.first >> 64U);
    const auto low = static_cast<std::uint64_t>(block.first);
    return mix(mix(hashed_source_ ^ high) ^ low ^ block.bits * 0x9e3779b97f4a7c15ULL);
  }

  std::uint64_t hashed_source_;
};

// The smallest block that holds both.
Block block_around(Uint128 first, Uint128 last) noexcept {
  Block block{first, 0, 0};
  while (block.bits < 128 && (first >> block.bits) != (last >> block.bits)) ++block.bits;
  block.first = block.bits == 128 ? 0 : first >> block.bits << block.bits;
  return block;
}

}  // namespace

AddressPool::AddressPool(const std::vector<AddressRange>& ranges, const std::vector<AddressRange>& exclude) {
  const std::vector<Span> holes = join(exclude);
  std::vector<Span> left;
  for (const Span& span : join(ranges)) subtract(span, holes, left);
  Uint128 size = 0;
  for (const Span& span : left) {
    ranges_.push_back({to_address(span.family, span.first), to_address(span.family, span.last)});
    const Uint128 more = span.last - span.first;
    size = more >= UINT64_MAX ? UINT64_MAX : std::min<Uint128>(size + more + 1, UINT64_MAX);
  }
  size_ = static_cast<std::uint64_t>(size);
}

bool AddressPool::contains(const IpAddress& address) const noexcept {
  // Nearly all that are asked for are somewhere else.
  if (ranges_.empty() || address < ranges_.front().first || ranges_.back().last < address) return false;
  if (ranges_.size() == 1) return true;
  const auto behind = std::upper_bound(ranges_.begin(), ranges_.end(), address,
                                       [](const IpAddress& a, const AddressRange& range) { return a < range.first; });
  return behind != ranges_.begin() && std::prev(behind)->contains(address);
}

IpAddress AddressPool::at(std::uint64_t index) const noexcept {
  Uint128 left = index;
  for (const AddressRange& range : ranges_) {
    const Uint128 more = to_number(range.last) - to_number(range.first);
    if (left <= more) return to_address(range.first.family, to_number(range.first) + left);
    left -= more + 1;
  }
  return ranges_.back().last;
}

AddressPool::Share AddressPool::share_of(const IpAddress& first, const IpAddress& last) const noexcept {
  const auto behind = std::upper_bound(ranges_.begin(), ranges_.end(), last,
                                       [](const IpAddress& a, const AddressRange& range) { return a < range.first; });
  if (behind == ranges_.begin() || std::prev(behind)->last < first) return Share::none;
  return std::prev(behind)->contains(first) && std::prev(behind)->contains(last) ? Share::all : Share::some;
}

IpAddress AddressPool::heaviest(std::uint64_t hashed_source) const noexcept {
  Family family = Family::v4;
  Uint128 best = 0;
  std::uint64_t best_weight = 0;
  bool first = true;
  for (const AddressRange& range : ranges_) {
    const Uint128 low = to_number(range.first);
    const Uint128 count = to_number(range.last) - low + 1;
    for (Uint128 i = 0; i < count; ++i) {
      const std::uint64_t candidate_weight = weight(hashed_source, low + i);
      if (!first && candidate_weight <= best_weight) continue;
      first = false;
      family = range.first.family;
      best = low + i;
      best_weight = candidate_weight;
    }
  }
  return to_address(family, best);
}

IpAddress AddressPool::soonest(std::uint64_t hashed_source) const noexcept {
  const Arrivals arrivals(hashed_source);
  const Family family = ranges_.front().first.family;
  const auto share = [&](const Block& block) {
    return share_of(to_address(family, block.first), to_address(family, block.last()));
  };

  // Depth first, the sooner half first; what cannot come before the best found is left out. A block pushes one other,
  // so the stack is no deeper than an address has bits.
  std::array<Block, 130> stack;
  std::size_t depth = 0;
  stack[depth++] = block_around(to_number(ranges_.front().first), to_number(ranges_.back().last));
  Block best{0, 0, std::numeric_limits<double>::infinity()};
  while (depth > 0) {
    Block block = stack[--depth];
    bool whole = false;
    while (block.arrival < best.arrival) {
      whole = whole || share(block) == Share::all;
      if (block.bits == 0) {
        best = block;
        break;
      }
      const auto [sooner, later] = arrivals.split(block);
      const bool is_sooner = whole || share(sooner) != Share::none;
      if (!whole && share(later) != Share::none) {
        stack[depth] = later;
        stack[depth++].arrival += arrivals.delay(block);
      }
      if (!is_sooner) break;
      block = sooner;
    }
  }
  return to_address(family, best.first);
}

IpAddress AddressPool::pick(const IpAddress& source, const PoolKey& key) const noexcept {
  std::array<std::uint8_t, 17> message{static_cast<std::uint8_t>(source.family)};
  std::copy(source.bytes.begin(), source.bytes.end(), message.begin() + 1);
  const std::uint64_t hashed_source = siphash(key, message);
  if (size_ <= weighed_max) return heaviest(hashed_source);
  if (ranges_.size() <= searched_pieces_max) return soonest(hashed_source);
  return at(static_cast<std::uint64_t>(static_cast<Uint128>(hashed_source) * size_ >> 64U));
}

}  // namespace sallyport::classifier
