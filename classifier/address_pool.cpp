#include "classifier/address_pool.h"

#include <algorithm>
#include <utility>

#include "classifier/address_number.h"
#include "classifier/siphash.h"

namespace sallyport::classifier {

namespace {

constexpr std::uint64_t highest_random_weight_limit = 256;

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

IpAddress AddressPool::pick(const IpAddress& source, const PoolKey& key) const noexcept {
  std::array<std::uint8_t, 17> message{static_cast<std::uint8_t>(source.family)};
  std::copy(source.bytes.begin(), source.bytes.end(), message.begin() + 1);
  const std::uint64_t hashed_source = siphash(key, message);
  if (size_ > highest_random_weight_limit)
    return at(static_cast<std::uint64_t>(static_cast<Uint128>(hashed_source) * size_ >> 64U));

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

}  // namespace sallyport::classifier
