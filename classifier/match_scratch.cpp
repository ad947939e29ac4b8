#include "classifier/match_scratch.h"

#include <cstring>

#include "classifier/siphash.h"

namespace sallyport::classifier {

MatchScratch::MatchScratch(std::uint64_t seed) {
  const std::array<std::uint64_t, 2> words{seed, ~seed};
  static_assert(sizeof words == sizeof hash_key_);
  std::memcpy(hash_key_.data(), words.data(), sizeof words);
}

std::uint64_t MatchScratch::key_of_text(std::size_t bytes) const noexcept {
  return siphash(hash_key_, {reinterpret_cast<const std::uint8_t*>(text_.data()), bytes}) | 1U;
}

}  // namespace sallyport::classifier
