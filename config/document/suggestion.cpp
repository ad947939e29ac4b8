#include "config/document/suggestion.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "config/document/in_quotes.h"

namespace sallyport::config {
namespace {

constexpr std::size_t longest_text = 64;
constexpr std::size_t most_candidates = 1000;

char folded(char letter) noexcept { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter | 0x20) : letter; }

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the usual table: the one being filled and the two above it.
  std::vector<std::size_t> above2(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = folded(a[i - 1]) == folded(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      const bool swapped =
          i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) && folded(a[i - 2]) == folded(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], above2[j - 2] + 1);
    }
    std::swap(above2, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

std::string suggestion(std::string_view wrong, std::span<const std::string_view> candidates) {
  if (wrong.empty() || wrong.size() > longest_text || candidates.size() > most_candidates) return {};
  std::size_t nearest = std::max<std::size_t>(1, wrong.size() / 3) + 1;
  std::string_view best;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > longest_text) continue;
    const std::size_t distance = edit_distance(wrong, candidate);
    const bool is_cut = candidate.starts_with(wrong) && !best.starts_with(wrong);  // of equals: the end is missing
    if (distance > nearest || (distance == nearest && (best.empty() || !is_cut))) continue;
    nearest = distance;
    best = candidate;
  }
  return best.empty() ? std::string() : ", did you mean " + in_quotes(best) + "?";
}

}  // namespace sallyport::config
