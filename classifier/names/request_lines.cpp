#include "classifier/names/request_lines.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace sallyport::classifier::names {
namespace {

// A line's end and what follows, as the number that its bytes make.
struct Start {
  std::uint64_t number = 0;
  std::uint64_t mask = 0;

  constexpr explicit Start(std::string_view text) noexcept {
    for (const char byte : text) {
      number = number << 8U | static_cast<std::uint8_t>(byte);
      mask = mask << 8U | 0xffU;
    }
  }
};

// RFC 9110 section 9.3, RFC 5789: as much of each as eight bytes hold.
constexpr std::array<Start, 9> starts{Start("\nGET "),    Start("\nHEAD "),   Start("\nPOST "),
                                      Start("\nPUT "),    Start("\nDELETE "), Start("\nCONNECT"),
                                      Start("\nOPTIONS"), Start("\nTRACE "),  Start("\nPATCH ")};

}  // namespace

bool RequestLines::watch(std::span<const std::uint8_t> bytes) noexcept {
  for (const std::uint8_t byte : bytes) {
    last_ = last_ << 8U | byte;
    if (byte != ' ' && byte != 'T' && byte != 'S') continue;
    if (std::any_of(starts.begin(), starts.end(), [&](const Start& s) { return (last_ & s.mask) == s.number; }))
      return true;
  }
  return false;
}

}  // namespace sallyport::classifier::names
