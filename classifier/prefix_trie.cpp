#include "classifier/prefix_trie.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#include <sys/mman.h>

#include "classifier/prefix_front.h"
#include "classifier/prefix_runs.h"
#include "classifier/prefix_trie_builder.h"
#include "classifier/prefix_trie_nodes.h"

namespace sallyport::classifier {
namespace {

using trie::Word;

static_assert(PrefixTrie::none == trie::values_end - 1);

const trie::FrontWay front_way = trie::best_front();

// Words at a fixed place: on cache lines, or, where there are many, on huge pages, so that a random lookup costs no
// walk through page tables.
class FixedWords {
 public:
  // A word more than there are may be read, see trie::Front.
  explicit FixedWords(const std::vector<Word>& words) : bytes_(words.size() * sizeof(Word)) {
    alignment_ = bytes_ >= huge_page_bytes / 4 ? huge_page_bytes : cache_line_bytes;
    allocated_ = (bytes_ + sizeof(Word) + alignment_ - 1) / alignment_ * alignment_;
    words_ = static_cast<Word*>(::operator new (allocated_, std::align_val_t{alignment_}));
    // Only advice: a kernel without huge pages is slower, not wrong.
    if (alignment_ == huge_page_bytes) static_cast<void>(::madvise(words_, allocated_, MADV_HUGEPAGE));
    if (bytes_ != 0) std::memcpy(words_, words.data(), bytes_);
  }
  ~FixedWords() { ::operator delete (words_, std::align_val_t{alignment_}); }
  FixedWords(const FixedWords&) = delete;
  FixedWords& operator=(const FixedWords&) = delete;

  [[nodiscard]] const Word* data() const noexcept { return words_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  static constexpr std::size_t cache_line_bytes = 64;
  static constexpr std::size_t huge_page_bytes = std::size_t{2} << 20U;
  std::size_t bytes_;
  std::size_t alignment_ = cache_line_bytes;
  std::size_t allocated_ = 0;
  Word* words_ = nullptr;
};

// What of an address is not used up yet, from its highest bit down.
class V4Key {
 public:
  V4Key() noexcept = default;
  explicit V4Key(std::uint32_t address) noexcept : rest_(address) {}
  [[nodiscard]] std::uint16_t top16() const noexcept { return static_cast<std::uint16_t>(rest_ >> 16U); }
  [[nodiscard]] std::uint8_t top8() const noexcept { return static_cast<std::uint8_t>(rest_ >> 24U); }
  [[nodiscard]] std::uint32_t top32() const noexcept { return rest_; }
  void drop(unsigned bits) noexcept { rest_ <<= bits; }  // 0, 8 or 16

 private:
  std::uint32_t rest_ = 0;
};

class V6Key {
 public:
  V6Key() noexcept = default;
  explicit V6Key(const std::uint8_t* bytes) noexcept : high_(load(bytes)), low_(load(bytes + 8)) {}
  explicit V6Key(const PrefixTrie::V6Bytes& bytes) noexcept : V6Key(bytes.data()) {}
  [[nodiscard]] std::uint16_t top16() const noexcept { return static_cast<std::uint16_t>(high_ >> 48U); }
  [[nodiscard]] std::uint8_t top8() const noexcept { return static_cast<std::uint8_t>(high_ >> 56U); }
  [[nodiscard]] std::uint32_t top32() const noexcept { return static_cast<std::uint32_t>(high_ >> 32U); }
  void drop(unsigned bits) noexcept {
    high_ = high_ << bits | low_ >> 1U >> (63U - bits);  // bits may be 0
    low_ <<= bits;
  }
  [[nodiscard]] Uint128 number() const noexcept { return Uint128{high_} << 64U | low_; }

 private:
  static std::uint64_t load(const std::uint8_t* bytes) noexcept {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes, sizeof value);
    return __builtin_bswap64(value);
  }
  std::uint64_t high_ = 0;
  std::uint64_t low_ = 0;
};

// The trie of one family.
class FamilyTrie {
 public:
  explicit FamilyTrie(const trie::Layout& layout)
      : root_(layout.root),
        nodes_(layout.nodes),
        dictionary_(layout.dictionary),
        root_shift_(16U - layout.root_bits),
        root_bits_(layout.root_bits) {}

  [[nodiscard]] std::size_t memory_bytes() const noexcept {
    return root_.bytes() + nodes_.bytes() + dictionary_.bytes();
  }

  template <typename Key>
  [[nodiscard]] std::uint32_t lookup(Key key) const noexcept {
    Word word = root_word(key);
    key.drop(root_bits_);
    while (!trie::is_value(word)) {
      if (trie::is_dense(word)) {
        word = trie::read_dense(nodes_.data(), dictionary_.data(), word, key.top8());
        key.drop(trie::dense_stride);
      } else {
        word = trie::read_sparse(nodes_.data(), word, key.top16());
        key.drop(trie::sparse_stride);
      }
    }
    return word;
  }

  template <typename Key, typename Address>
  void lookup(const Address* addresses, std::uint32_t* values, std::size_t count) const noexcept {
    for (std::size_t done = 0; done < count; done += batch_max) {
      lookup_batch<Key>(addresses + done, values + done, std::min(batch_max, count - done));
    }
  }

 private:
  static constexpr std::size_t batch_max = trie::batch_max;

  template <typename Key>
  [[nodiscard]] Word root_word(const Key& key) const noexcept {
    return root_.data()[static_cast<unsigned>(key.top16()) >> root_shift_];
  }

  // Keys under way, by the node that they read next. Their words stand in `values`.
  struct Frontier {
    std::array<std::uint8_t, batch_max> sparse;
    std::array<std::uint8_t, batch_max> dense;
    std::size_t sparse_count = 0;
    std::size_t dense_count = 0;

    // Writes always and counts only what belongs: the outcome is as good as random, so a branch would be mispredicted.
    void add(std::size_t lane, Word word) noexcept {
      sparse[sparse_count] = static_cast<std::uint8_t>(lane);
      sparse_count += static_cast<std::size_t>(trie::is_sparse(word));
      dense[dense_count] = static_cast<std::uint8_t>(lane);
      dense_count += static_cast<std::size_t>(trie::is_dense(word));
    }
  };

  template <typename Key, typename Address>
  void lookup_batch(const Address* addresses, std::uint32_t* values, std::size_t count) const noexcept {
    std::array<Key, batch_max> keys;
    Frontier frontier;
    if (root_bits_ == 0) {
      for (std::size_t lane = 0; lane < count; ++lane) {
        keys[lane] = Key(addresses[lane]);
        values[lane] = root_.data()[0];
        frontier.add(lane, values[lane]);
      }
    } else {
      const trie::Lanes own = read_front<Key>(addresses, values, count);
      if (own == 0) return;
      finish_front<Key>(addresses, values, own, keys, frontier);
    }
    descend(keys, frontier, values);
  }

  // The first 24 bits; gives those that found a word of their node's own.
  template <typename Key, typename Address>
  [[nodiscard]] trie::Lanes read_front(const Address* addresses, std::uint32_t* values,
                                       std::size_t count) const noexcept {
    const trie::Front front{root_.data(), nodes_.data(), dictionary_.data()};
    if constexpr (std::is_same_v<Address, std::uint32_t>) {
      return front_way.read(front, addresses, values, count);
    } else {
      std::array<std::uint32_t, batch_max> tops{};
      front_way.tops_of_v6(addresses->data(), tops.data(), count);
      return front_way.read(front, tops.data(), values, count);
    }
  }

  // Own words, where read_front() found out no more than that; some of them are nodes.
  template <typename Key, typename Address>
  void finish_front(const Address* addresses, std::uint32_t* values, trie::Lanes own, std::array<Key, batch_max>& keys,
                    Frontier& frontier) const noexcept {
    std::array<const Word*, batch_max> places;
    for (trie::Lanes left = own; left != 0; left &= left - 1) {
      const auto lane = static_cast<std::size_t>(std::countr_zero(left));
      const Key key(addresses[lane]);
      const Word word = root_word(key);
      const std::uint32_t slot = key.top32() >> 8U;
      const std::uint8_t code = trie::read_code(word, trie::find_quarter(nodes_.data(), word, slot), slot);
      places[lane] = trie::find_own(nodes_.data(), word, code, slot);
      __builtin_prefetch(places[lane]);
      keys[lane] = key;
      keys[lane].drop(trie::sparse_stride);
      keys[lane].drop(trie::dense_stride);
    }
    for (trie::Lanes left = own; left != 0; left &= left - 1) {
      const auto lane = static_cast<std::size_t>(std::countr_zero(left));
      values[lane] = *places[lane];
      frontier.add(lane, values[lane]);
    }
  }

  template <typename Key>
  void descend(std::array<Key, batch_max>& keys, Frontier now, std::uint32_t* values) const noexcept {
    const Word* nodes = nodes_.data();
    const Word* dictionary = dictionary_.data();
    while (now.sparse_count + now.dense_count != 0) {
      for (std::size_t i = 0; i < now.sparse_count; ++i)
        __builtin_prefetch(trie::sparse_node(nodes, values[now.sparse[i]]));
      std::array<const Word*, batch_max> places;
      for (std::size_t i = 0; i < now.dense_count; ++i) {
        const std::size_t lane = now.dense[i];
        __builtin_prefetch(trie::find_quarter(nodes, values[lane], keys[lane].top8()));
      }
      for (std::size_t i = 0; i < now.dense_count; ++i) {
        const std::size_t lane = now.dense[i];
        const Word word = values[lane];
        const std::uint8_t slot = keys[lane].top8();
        const std::uint8_t code = trie::read_code(word, trie::find_quarter(nodes, word, slot), slot);
        places[i] = code < trie::dictionary_values ? dictionary + code : trie::find_own(nodes, word, code, slot);
        __builtin_prefetch(places[i]);
        keys[lane].drop(trie::dense_stride);
      }
      Frontier next;
      for (std::size_t i = 0; i < now.sparse_count; ++i) {
        const std::size_t lane = now.sparse[i];
        values[lane] = trie::read_sparse(nodes, values[lane], keys[lane].top16());
        keys[lane].drop(trie::sparse_stride);
        next.add(lane, values[lane]);
      }
      for (std::size_t i = 0; i < now.dense_count; ++i) {
        const std::size_t lane = now.dense[i];
        values[lane] = *places[i];
        next.add(lane, values[lane]);
      }
      now = next;
    }
  }

  FixedWords root_;
  FixedWords nodes_;
  FixedWords dictionary_;
  unsigned root_shift_;  // what of the first 16 bits is no index
  unsigned root_bits_;
};

template <typename Address>
Address number_of(const IpAddress& address) noexcept {
  if constexpr (sizeof(Address) == 4) {
    return address.to_v4();
  } else {
    return V6Key(address.bytes.data()).number();
  }
}

template <typename Address>
Runs<Address> runs_of(const std::vector<PrefixTrie::Entry>& entries, Family family) {
  std::vector<LinePrefix<Address>> line;
  line.reserve(entries.size());  // what is not used is not touched
  for (const PrefixTrie::Entry& entry : entries) {
    if (entry.prefix.address.family != family) continue;
    line.push_back({number_of<Address>(entry.prefix.address), entry.prefix.length, entry.value});
  }
  if (!std::is_sorted(line.begin(), line.end())) std::stable_sort(line.begin(), line.end());
  return runs_of_prefixes(line, PrefixTrie::none);
}

}  // namespace

struct PrefixTrie::Tables {
  FamilyTrie v4;
  FamilyTrie v6;
};

PrefixTrie::PrefixTrie() : PrefixTrie(from_intervals({})) {}
PrefixTrie::PrefixTrie(std::unique_ptr<const Tables> tables) noexcept : tables_(std::move(tables)) {}
PrefixTrie::PrefixTrie(PrefixTrie&&) noexcept = default;
PrefixTrie& PrefixTrie::operator=(PrefixTrie&&) noexcept = default;
PrefixTrie::~PrefixTrie() = default;

PrefixTrie PrefixTrie::from_prefixes(const std::vector<Entry>& entries) {
  const auto v4 = trie::lay_out(runs_of<std::uint32_t>(entries, Family::v4));
  const auto v6 = trie::lay_out(runs_of<Uint128>(entries, Family::v6));
  return PrefixTrie(std::unique_ptr<const Tables>(new Tables{FamilyTrie(v4), FamilyTrie(v6)}));
}

PrefixTrie PrefixTrie::from_intervals(std::span<const Interval> intervals) {
  IntervalSweep<std::uint32_t> v4(none);
  IntervalSweep<Uint128> v6(none);
  for (const Interval& interval : intervals) {
    if (interval.first.family != interval.last.family) std::abort();
    if (interval.first.family == Family::v4) {
      v4.add({interval.first.to_v4(), interval.last.to_v4(), interval.value});
    } else {
      v6.add({number_of<Uint128>(interval.first), number_of<Uint128>(interval.last), interval.value});
    }
  }
  const auto v4_layout = trie::lay_out(v4.take());
  const auto v6_layout = trie::lay_out(v6.take());
  return PrefixTrie(std::unique_ptr<const Tables>(new Tables{FamilyTrie(v4_layout), FamilyTrie(v6_layout)}));
}

std::uint32_t PrefixTrie::lookup(const IpAddress& address) const noexcept {
  if (address.family == Family::v4) return tables_->v4.lookup(V4Key(address.to_v4()));
  return tables_->v6.lookup(V6Key(address.bytes.data()));
}

void PrefixTrie::lookup(std::span<const std::uint32_t> addresses, std::span<std::uint32_t> values) const noexcept {
  if (addresses.size() != values.size()) std::abort();
  tables_->v4.lookup<V4Key>(addresses.data(), values.data(), addresses.size());
}

void PrefixTrie::lookup(std::span<const V6Bytes> addresses, std::span<std::uint32_t> values) const noexcept {
  if (addresses.size() != values.size()) std::abort();
  tables_->v6.lookup<V6Key>(addresses.data(), values.data(), addresses.size());
}

std::string_view PrefixTrie::batch_way() noexcept { return front_way.name; }

std::size_t PrefixTrie::memory_bytes() const noexcept {
  return tables_->v4.memory_bytes() + tables_->v6.memory_bytes();
}

}  // namespace sallyport::classifier
