#include "classifier/match_scratch.h"

#include <random>

#include "classifier/siphash.h"

namespace sallyport::classifier {

MatchScratch::MatchScratch() {
  std::random_device random;
  for (std::uint8_t& byte : hash_key_) byte = static_cast<std::uint8_t>(random());
}

std::uint64_t MatchScratch::key_of_text(std::size_t bytes) const noexcept {
  return siphash(hash_key_, {reinterpret_cast<const std::uint8_t*>(text_.data()), bytes}) | 1U;
}

}  // namespace sallyport::classifier
