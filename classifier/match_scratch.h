// Working memory of one thread that asks a policy; taken beforehand, so that asking allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "classifier/decision.h"

struct hs_scratch;

namespace sallyport::classifier {

// A route whose host names take a name, and how closely: lower is closer.
struct HostTaker {
  std::uint32_t distance = 0;
  std::uint32_t route = 0;  // place in the model

  friend auto operator<=>(const HostTaker&, const HostTaker&) noexcept = default;
};

class MatchScratch {
 public:
  static constexpr std::size_t text_bytes_max = std::size_t{64} << 10U;  // the largest [limits] hello_bytes
  static constexpr std::size_t padding = 64;  // zeroes behind a text: Hyperscan 5.4.0 reads past the end

  // `seed` is nobody's to know: with it paths could be made that are taken for others.
  explicit MatchScratch(std::uint64_t seed = 0);
  ~MatchScratch();
  MatchScratch(const MatchScratch&) = delete;
  MatchScratch& operator=(const MatchScratch&) = delete;

  // Where a text to be scanned is put together.
  [[nodiscard]] char* text() noexcept { return text_.data(); }
  // Where a request's path is put together.
  [[nodiscard]] char* path() noexcept { return path_.data(); }
  // What was decided about a long path that is written in a moot way: reading one takes a microsecond for each hundred
  // bytes, and HTTP/2 repeats it in one byte. By a keyed hash of all that was asked; 0: nothing.
  struct Remembered {
    std::uint64_t key = 0;
    Action action = Action::deny;
    Reason reason = Reason::network_default;
    bool audited = false;
    std::uint32_t route = 0, audit = 0;
  };
  [[nodiscard]] Remembered& remembered(std::uint64_t key) noexcept {
    return remembered_[(key >> 1U) % remembered_.size()];
  }
  // Of a text of `bytes` in text().
  [[nodiscard]] std::uint64_t key_of_text(std::size_t bytes) const noexcept;

  // Has room for every route of the largest table.
  [[nodiscard]] std::vector<HostTaker>& takers() noexcept { return takers_; }

 private:
  friend class PatternDatabase;
  hs_scratch* hyperscan_ = nullptr;
  std::array<char, text_bytes_max + padding> text_{};
  std::array<char, text_bytes_max> path_{};
  std::vector<HostTaker> takers_;
  std::array<Remembered, 256> remembered_{};
  std::array<std::uint8_t, 16> hash_key_{};
};

struct MatchScratchDeleter {
  void operator()(MatchScratch* scratch) const noexcept;
};

}  // namespace sallyport::classifier
