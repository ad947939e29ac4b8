// What setup asks of the operator. Without a terminal nobody is asked, and only --yes agrees.
#pragma once

#include <cstdint>
#include <cstdio>
#include <iosfwd>
#include <optional>
#include <string>

namespace sallyport::setup {

class Questions {
 public:
  enum class Mode : std::uint8_t { ask, agree, nobody };

  // `answers`: a line each. What is asked is written to `asked`, which is not the standard output: that is for scripts.
  Questions(Mode mode, std::istream& answers, std::FILE* asked);

  [[nodiscard]] Mode mode() const noexcept { return mode_; }
  // "Bind 0000:01:00.0 to vfio-pci? [y/N]"
  [[nodiscard]] bool agrees(const std::string& question);
  // An empty answer is `otherwise`. Absent: nobody answers, and there is no `otherwise`.
  [[nodiscard]] std::optional<std::string> text(const std::string& question, const std::string& otherwise);

 private:
  Mode mode_;
  std::istream& answers_;
  std::FILE* asked_;
};

}  // namespace sallyport::setup
