// Runs of an address line -> the words of a PrefixTrie.
#pragma once

#include <cstddef>
#include <vector>

#include "classifier/prefix_runs.h"
#include "classifier/prefix_trie_nodes.h"

namespace sallyport::classifier::trie {

struct Layout {
  unsigned root_bits = 0;        // 0 or 16
  std::vector<Word> root;        // 2^root_bits words; where there are more than one, all are dense nodes
  std::vector<Word> nodes;       // belongs on a cache line boundary
  std::vector<Word> dictionary;  // dictionary_words
};

[[nodiscard]] Layout lay_out(const Runs<std::uint32_t>& runs);
[[nodiscard]] Layout lay_out(const Runs<Uint128>& runs);

}  // namespace sallyport::classifier::trie
