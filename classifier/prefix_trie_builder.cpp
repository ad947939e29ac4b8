#include "classifier/prefix_trie_builder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <span>
#include <unordered_map>
#include <utility>

#include "classifier/node_places.h"

namespace sallyport::classifier::trie {
namespace {

// Below this many runs the nodes under a root table, most of them of one run, would cost more time to build than the
// two levels save.
constexpr std::size_t runs_for_root_table = 32'768;
constexpr unsigned root_table_bits = 16;
constexpr std::array<std::size_t, sparse_sizes> sparse_pieces_max{3, 5, 9};
constexpr std::size_t half_slots = 128;

// What a node says from one of its slots on: one run's value, or, where several runs lie in that slot, a child over
// them.
struct Piece {
  std::uint32_t slot;
  std::size_t first_run;
  std::size_t end_run;

  [[nodiscard]] bool is_child() const noexcept { return end_run - first_run > 1; }
};

// A dense node on its way.
struct DenseDraft {
  Form form = Form::direct;
  std::array<std::uint64_t, 4> starts{};  // of each quarter: its first slot, and where a piece starts
  std::array<std::int8_t, 256> codes{};   // of each slot
  std::vector<const Piece*> own;          // what own words stand for, in the order of their numbers, lower half first
  std::size_t own_lower = 0;              // of these, those of the lower half; only with Form::direct

  [[nodiscard]] std::size_t quarters() const noexcept { return form == Form::uniform ? 1 : starts.size(); }
  [[nodiscard]] std::size_t quarter_bytes() const noexcept {
    return form == Form::uniform ? unit_bytes : quarter_slots >> static_cast<unsigned>(form);
  }
  // Words before the node: its own, and with Form::direct the one that counts.
  [[nodiscard]] std::size_t words_before() const noexcept {
    return own.empty() ? 0 : own.size() + static_cast<std::size_t>(form == Form::direct);
  }
};

Form form_of(const std::array<std::uint64_t, 4>& starts, std::size_t pieces) noexcept {
  if (pieces == 1) return Form::uniform;
  int most = 0;
  for (const std::uint64_t quarter : starts) most = std::max(most, std::popcount(quarter));
  constexpr int codes_of_16 = unit_bytes - quarter_header_bytes;
  constexpr int codes_of_32 = 2 * unit_bytes - quarter_header_bytes;
  return most <= codes_of_16 ? Form::quarters_16 : most <= codes_of_32 ? Form::quarters_32 : Form::direct;
}

template <typename Address>
class Builder {
 public:
  explicit Builder(const Runs<Address>& runs) : runs_(runs) {}

  Layout build() {
    make_dictionary();
    nodes_.reserve(2 * runs_.size());
    if (runs_.size() < runs_for_root_table) {
      layout_.root.push_back(word_over(0, runs_.size(), 0, 0));
    } else {
      build_root_table();
    }
    layout_.nodes = nodes_.take();
    return std::move(layout_);
  }

 private:
  static constexpr unsigned bits = AddressLine<Address>::bits;

  // Below the root table everything is a dense node, so that a lookup need not ask.
  void build_root_table() {
    layout_.root_bits = root_table_bits;
    constexpr std::size_t slots = std::size_t{1} << root_table_bits;
    layout_.root.resize(slots);
    std::unordered_map<std::uint32_t, Word> uniform;
    std::size_t first = 0;
    for (std::size_t slot = 0; slot < slots; ++slot) {
      const auto base = static_cast<Address>(static_cast<Address>(slot) << (bits - root_table_bits));
      const Address last = AddressLine<Address>::last_of(base, root_table_bits);
      if (first + 1 < runs_.size() && runs_.start(first + 1) == base) ++first;
      std::size_t end = first + 1;
      while (end < runs_.size() && runs_.start(end) <= last) ++end;
      if (end - first > 1) {
        layout_.root[slot] = dense_over(first, end, base, root_table_bits);
      } else {
        const auto [known, absent] = uniform.try_emplace(runs_.value(first), 0);
        if (absent) known->second = dense_over(first, end, base, root_table_bits);
        layout_.root[slot] = known->second;
      }
      first = end - 1;
    }
  }

  // Runs first..end-1 cover what lies below `base` at `depth` bits; the first of them may have started before.
  Word word_over(std::size_t first, std::size_t end, Address base, unsigned depth) {
    if (end - first == 1) return runs_.value(first);
    std::array<Piece, sparse_pieces_max.back()> pieces;
    const std::size_t count = split(first, end, base, depth, sparse_stride, pieces);
    return count == 0 ? dense_over(first, end, base, depth) : sparse(std::span(pieces).first(count), base, depth);
  }

  Word dense_over(std::size_t first, std::size_t end, Address base, unsigned depth) {
    std::array<Piece, std::size_t{1} << dense_stride> pieces;
    const std::size_t count = split(first, end, base, depth, dense_stride, pieces);
    return dense(std::span(pieces).first(count), base, depth);
  }

  // Fills `pieces` and gives their number; 0 when there are more than fit.
  std::size_t split(std::size_t first, std::size_t end, Address base, unsigned depth, unsigned stride,
                    std::span<Piece> pieces) const {
    // Behind the end of the address the key goes on with zeroes.
    const unsigned left = bits - depth;
    const unsigned down = left > stride ? left - stride : 0;
    const unsigned up = stride > left ? stride - left : 0;
    const auto low_bits = static_cast<Address>((Address{1} << down) - 1);
    const auto slot_of = [&](std::size_t run) {
      return static_cast<std::uint32_t>(static_cast<Address>(runs_.start(run) - base) >> down) << up;
    };
    std::size_t count = 0;
    const auto append = [&](const Piece& piece) {
      if (count > 0 && pieces[count - 1].slot == piece.slot) --count;
      if (count == pieces.size()) return false;
      pieces[count++] = piece;
      return true;
    };
    append({0, first, first + 1});
    for (std::size_t run = first + 1; run < end;) {
      const std::uint32_t slot = slot_of(run);
      std::size_t behind = run + 1;
      while (behind < end && slot_of(behind) == slot) ++behind;
      const bool from_slot_start = (runs_.start(run) & low_bits) == 0;
      const Piece piece{slot, from_slot_start ? run : run - 1, behind};
      if (!append(piece)) return 0;
      const std::uint32_t next = slot + (1U << up);
      if (piece.is_child() && next >> stride == 0 && !append({next, behind - 1, behind})) return 0;
      run = behind;
    }
    return count;
  }

  Word word_of(const Piece& piece, Address base, unsigned depth, unsigned stride) {
    if (!piece.is_child()) return runs_.value(piece.first_run);
    const auto slot = static_cast<Address>(piece.slot);
    const unsigned left = bits - depth;
    const auto offset = static_cast<Address>(left > stride ? slot << (left - stride) : slot >> (stride - left));
    return word_over(piece.first_run, piece.end_run, static_cast<Address>(base + offset), depth + stride);
  }

  Word sparse(std::span<const Piece> pieces, Address base, unsigned depth) {
    unsigned size = 0;
    while (pieces.size() > sparse_pieces_max[size]) ++size;
    const std::size_t units = std::size_t{1} << size;
    const std::size_t place = nodes_.allocate(0, units, units);
    const std::size_t words_of_starts = std::size_t{1} << size;

    std::array<std::uint16_t, 8> starts;
    starts.fill(0xffff);
    for (std::size_t i = 1; i < pieces.size(); ++i) starts[i - 1] = static_cast<std::uint16_t>(pieces[i].slot);
    std::memcpy(nodes_.words_at(place), starts.data(), words_of_starts * sizeof(Word));
    Word word = 0;
    for (std::size_t i = 0; words_of_starts + i < units * unit_words; ++i) {
      if (i < pieces.size()) word = word_of(pieces[i], base, depth, sparse_stride);
      nodes_.words_at(place)[words_of_starts + i] = word;
    }
    return sparse_word(size, place);
  }

  Word dense(std::span<const Piece> pieces, Address base, unsigned depth) {
    const DenseDraft draft = draft_dense(pieces);
    const std::size_t units_before = (draft.words_before() + unit_words - 1) / unit_words;
    const std::size_t units = draft.quarters() * draft.quarter_bytes() / unit_bytes;
    const std::size_t place = nodes_.allocate(units_before, units_before + units, draft.quarter_bytes() / unit_bytes);
    for (std::size_t quarter = 0; quarter < draft.quarters(); ++quarter) {
      write_quarter(draft, quarter, nodes_.bytes_at(place) + quarter * draft.quarter_bytes());
    }
    const std::size_t skipped = draft.words_before() - draft.own.size();
    if (skipped != 0) nodes_.words_at(place)[-1] = static_cast<Word>(draft.own_lower);
    for (std::size_t i = 0; i < draft.own.size(); ++i) {
      const Word word = word_of(*draft.own[i], base, depth, dense_stride);
      *(nodes_.words_at(place) - skipped - 1 - i) = word;
    }
    return dense_word(draft.form, place);
  }

  static void write_quarter(const DenseDraft& draft, std::size_t quarter, char* bytes) {
    const auto codes = std::span(draft.codes).subspan(quarter * quarter_slots, quarter_slots);
    if (draft.form == Form::direct) {
      std::memcpy(bytes, codes.data(), codes.size());
      return;
    }
    const std::uint64_t starts = draft.starts[quarter];
    std::memcpy(bytes, &starts, sizeof starts);
    bytes += sizeof starts;
    for (std::uint64_t left = starts; left != 0; left &= left - 1) {
      *bytes++ = static_cast<char>(codes[static_cast<std::size_t>(std::countr_zero(left))]);
    }
  }

  [[nodiscard]] DenseDraft draft_dense(std::span<const Piece> pieces) const {
    DenseDraft draft;
    const bool uniform = pieces.size() == 1;
    for (std::uint64_t& quarter : draft.starts) quarter = 1;
    for (const Piece& piece : pieces) {
      draft.starts[piece.slot / quarter_slots] |= std::uint64_t{1} << (piece.slot % quarter_slots);
    }
    draft.form = uniform ? Form::uniform : form_of(draft.starts, pieces.size());
    const std::size_t lower_end = draft.form == Form::direct ? half_slots : draft.codes.size();
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const std::size_t behind = i + 1 < pieces.size() ? pieces[i + 1].slot : draft.codes.size();
      if (pieces[i].slot < lower_end) {
        write_codes(draft, pieces[i], pieces[i].slot, std::min(behind, lower_end));
        draft.own_lower = draft.own.size();
      }
      if (behind > lower_end) write_codes(draft, pieces[i], std::max<std::size_t>(pieces[i].slot, lower_end), behind);
    }
    return draft;
  }

  // Slots first..behind-1 lie in one half where that matters.
  void write_codes(DenseDraft& draft, const Piece& piece, std::size_t first, std::size_t behind) const {
    std::int8_t code = 0;
    if (!piece.is_child() && numbers_[piece.first_run] < dictionary_values) {
      code = static_cast<std::int8_t>(numbers_[piece.first_run]);
    } else {
      draft.own.push_back(&piece);
      const bool upper = draft.form == Form::direct && first >= half_slots;
      const std::size_t number = draft.own.size() - (upper ? draft.own_lower : 0);
      code = static_cast<std::int8_t>(-static_cast<int>(number));
    }
    std::fill(draft.codes.begin() + static_cast<std::ptrdiff_t>(first),
              draft.codes.begin() + static_cast<std::ptrdiff_t>(behind), code);
  }

  // The most frequent values get the numbers of the dictionary; numbers_ says each run's, or dictionary_values for
  // none.
  void make_dictionary() {
    struct Counted {
      std::uint32_t value;
      std::uint32_t count;
    };
    std::vector<Counted> counted;
    std::unordered_map<std::uint32_t, std::uint16_t> places;  // in `counted`
    std::vector<std::uint16_t> place_of_run;
    place_of_run.reserve(runs_.size());
    for (std::size_t run = 0; run < runs_.size(); ++run) {
      const std::uint32_t value = runs_.value(run);
      // Where values hardly ever repeat the dictionary is of no use; do not count them all.
      if (counted.size() < values_counted_max) {
        const auto [known, absent] = places.try_emplace(value, static_cast<std::uint16_t>(counted.size()));
        if (absent) counted.push_back({value, 0});
        place_of_run.push_back(known->second);
      } else {
        const auto known = places.find(value);
        place_of_run.push_back(known == places.end() ? uncounted : known->second);
      }
      if (place_of_run.back() != uncounted) ++counted[place_of_run.back()].count;
    }

    std::vector<std::uint16_t> by_count(counted.size());
    std::iota(by_count.begin(), by_count.end(), std::uint16_t{0});
    std::sort(by_count.begin(), by_count.end(), [&](std::uint16_t left, std::uint16_t right) {
      const Counted &one = counted[left], &other = counted[right];
      return one.count != other.count ? one.count > other.count : one.value < other.value;
    });
    by_count.resize(std::min(by_count.size(), dictionary_values));

    layout_.dictionary.assign(dictionary_words, own_word);
    std::vector<std::uint8_t> numbers(counted.size(), std::uint8_t{dictionary_values});
    for (std::size_t number = 0; number < by_count.size(); ++number) {
      layout_.dictionary[number] = counted[by_count[number]].value;
      numbers[by_count[number]] = static_cast<std::uint8_t>(number);
    }
    numbers_.reserve(runs_.size());
    for (const std::uint16_t place : place_of_run) {
      numbers_.push_back(place == uncounted ? std::uint8_t{dictionary_values} : numbers[place]);
    }
  }

  static constexpr std::size_t values_counted_max = 4096;
  static constexpr std::uint16_t uncounted = values_counted_max;

  const Runs<Address>& runs_;
  std::vector<std::uint8_t> numbers_;
  NodePlaces nodes_;
  Layout layout_;
};

}  // namespace

Layout lay_out(const Runs<std::uint32_t>& runs) { return Builder(runs).build(); }
Layout lay_out(const Runs<Uint128>& runs) { return Builder(runs).build(); }

}  // namespace sallyport::classifier::trie
