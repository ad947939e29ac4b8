// A stream that may be HTTP, fed whole and fed in pieces: both must give one answer.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "classifier/names/http_request.h"
#include "tests/fuzz/cuts.h"

namespace {

using namespace sallyport::classifier::names;
using namespace sallyport::fuzz;

struct Answer {
  Parse parse;
  bool has_host;
  std::string method, target, host;
  bool operator==(const Answer&) const = default;
};

// A buffer of its exact size, so that AddressSanitizer sees every read outside.
Answer ask(const std::uint8_t* data, std::size_t size, HttpProgress& progress) {
  const std::vector<std::uint8_t> stream(data, data + size);
  HttpRequest request;
  const Parse parse = parse_http_request(stream, progress, request);
  insist(parse == Parse::done || (request.method.empty() && request.target.empty() && !request.has_host));
  insist(parse != Parse::done || (!request.method.empty() && !request.target.empty()));
  insist(request.has_host || request.host.empty());
  return {parse, request.has_host, std::string(request.method), std::string(request.target), std::string(request.host)};
}

Answer ask_in_pieces(const std::uint8_t* data, std::size_t size, std::size_t piece_bytes_max, Cuts& cuts) {
  HttpProgress progress;
  for (std::size_t end = 0; end < size; end += cuts.next(piece_bytes_max)) {
    Answer answer = ask(data, end, progress);
    if (answer.parse != Parse::need_more) return answer;
  }
  return ask(data, size, progress);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  HttpProgress progress;
  const Answer whole = ask(data, size, progress);
  Cuts cuts(data, size);
  insist(ask_in_pieces(data, size, size / 64 + 8, cuts) == whole);
  insist(ask_in_pieces(data, size, size / 2 + 1, cuts) == whole);
  return 0;
}
