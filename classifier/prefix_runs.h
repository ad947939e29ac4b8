// Prefixes or intervals -> runs: where the value of the address line changes, from the lowest address up.
//
// Both builders of the trie end here, in one pass over sorted input. Runs cover the whole line: the first starts at
// address 0, each reaches to the start of the next, neighbours differ in value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

namespace sallyport::classifier {

__extension__ using Uint128 = unsigned __int128;

// Address is std::uint32_t (IPv4) or Uint128 (IPv6), in host byte order.
template <typename Address>
struct AddressLine {
  static constexpr unsigned bits = sizeof(Address) * 8U;
  static constexpr Address top = static_cast<Address>(~Address{0});

  // The last address of the prefix that starts at `first`.
  [[nodiscard]] static constexpr Address last_of(Address first, unsigned length) noexcept {
    return length == bits ? first : static_cast<Address>(first | static_cast<Address>(top >> length));
  }
};

template <typename Address>
class Runs {
 public:
  explicit Runs(std::uint32_t outside) : starts_{0}, values_{outside} {}

  [[nodiscard]] std::size_t size() const noexcept { return starts_.size(); }
  [[nodiscard]] Address start(std::size_t run) const noexcept { return starts_[run]; }
  [[nodiscard]] std::uint32_t value(std::size_t run) const noexcept { return values_[run]; }

  void reserve(std::size_t runs) {
    starts_.reserve(runs);
    values_.reserve(runs);
  }
  // `value` from `start` on. Starts rise; the same start again takes the place of what was said before.
  void append(Address start, std::uint32_t value) {
    if (start == starts_.back()) {
      values_.back() = value;
      if (size() > 1 && values_[size() - 2] == value) {
        starts_.pop_back();
        values_.pop_back();
      }
    } else if (value != values_.back()) {
      starts_.push_back(start);
      values_.push_back(value);
    }
  }

 private:
  std::vector<Address> starts_;
  std::vector<std::uint32_t> values_;
};

template <typename Address>
struct LinePrefix {
  Address first = 0;
  std::uint8_t length = 0;
  std::uint32_t value = 0;

  friend bool operator<(const LinePrefix& left, const LinePrefix& right) noexcept {
    return left.first != right.first ? left.first < right.first : left.length < right.length;
  }
};

// Sorted prefixes, of equal ones the later counts. Those around the present address are kept on a stack, so each prefix
// is pushed once and popped once.
template <typename Address>
[[nodiscard]] Runs<Address> runs_of_prefixes(const std::vector<LinePrefix<Address>>& sorted, std::uint32_t outside) {
  using Line = AddressLine<Address>;
  struct Open {
    Address last;
    std::uint32_t value;
  };
  // Nested and distinct lengths are at most bits + 1; equal prefixes replace each other.
  std::array<Open, Line::bits + 2> open{};
  open[0] = {Line::top, outside};
  std::size_t depth = 0;

  Runs<Address> runs(outside);
  runs.reserve(2 * sorted.size() + 1);
  const auto close_before = [&](Address first) {
    while (depth > 0 && open[depth].last < first) {
      const Address last = open[depth].last;
      --depth;
      runs.append(static_cast<Address>(last + 1), open[depth].value);
    }
  };
  const LinePrefix<Address>* previous = nullptr;
  for (const LinePrefix<Address>& prefix : sorted) {
    close_before(prefix.first);
    const bool repeated = previous != nullptr && previous->first == prefix.first && previous->length == prefix.length;
    if (!repeated) ++depth;
    open[depth] = {Line::last_of(prefix.first, prefix.length), prefix.value};
    runs.append(prefix.first, prefix.value);
    previous = &prefix;
  }
  while (depth > 0 && open[depth].last != Line::top) {
    const Address last = open[depth].last;
    --depth;
    runs.append(static_cast<Address>(last + 1), open[depth].value);
  }
  return runs;
}

template <typename Address>
struct LineInterval {
  Address first = 0;
  Address last = 0;
  std::uint32_t value = 0;
};

// Intervals one after the other; what does not rise is the caller's bug.
template <typename Address>
class IntervalSweep {
 public:
  explicit IntervalSweep(std::uint32_t outside) : runs_(outside), outside_(outside) {}

  void add(const LineInterval<Address>& interval) {
    if (full_ || interval.first < next_ || interval.last < interval.first) std::abort();
    runs_.append(interval.first, interval.value);
    full_ = interval.last == AddressLine<Address>::top;
    if (full_) return;
    next_ = static_cast<Address>(interval.last + 1);
    runs_.append(next_, outside_);
  }
  [[nodiscard]] Runs<Address> take() { return std::move(runs_); }

 private:
  Runs<Address> runs_;
  std::uint32_t outside_;
  Address next_ = 0;
  bool full_ = false;
};

}  // namespace sallyport::classifier
