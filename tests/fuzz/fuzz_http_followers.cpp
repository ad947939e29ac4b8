// A client's stream of HTTP/1.x or HTTP/2, followed whole and in pieces: the same requests, and the same end.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/fuzz/cuts.h"
#include "tests/unit/classifier/names_followed.h"

namespace {

using namespace sallyport::classifier::names;
using namespace sallyport::fuzz;

void follow_in_pieces(Followed& followed, std::string_view stream, std::size_t piece_bytes_max, Cuts& cuts) {
  while (!stream.empty()) {
    const std::size_t size = std::min(stream.size(), cuts.next(piece_bytes_max));
    followed.feed(stream.substr(0, size));
    stream.remove_prefix(size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view stream(reinterpret_cast<const char*>(data), size);
  Followed whole;
  whole.feed(stream);
  insist(whole.consumed() <= size);
  Cuts cuts(data, size);
  for (const std::size_t piece_bytes_max : {size / 64 + 4, size / 2 + 1}) {
    Followed cut;
    follow_in_pieces(cut, stream, piece_bytes_max, cuts);
    insist(cut == whole);
  }
  return 0;
}
