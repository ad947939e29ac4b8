// A TLS stream, fed whole and fed in pieces: both must give one answer. The cuts follow from the bytes alone, so a
// finding replays.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "classifier/names/tls_client_hello.h"
#include "tests/fuzz/cuts.h"

namespace {

using namespace sallyport::classifier::names;
using namespace sallyport::fuzz;
using Buffer = std::vector<std::uint8_t>;

constexpr std::size_t hello_bytes_max = 4096;  // small, so that too_large is met

struct Answer {
  Parse parse;
  ClientHello hello;
  std::string name;
  bool operator==(const Answer& other) const {
    return parse == other.parse && name == other.name && hello.has_server_name == other.hello.has_server_name &&
           hello.ech == other.hello.ech;
  }
};

bool inside(std::string_view name, const Buffer& bytes) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(name.data());
  return first >= bytes.data() && first + name.size() <= bytes.data() + bytes.size();
}

// Buffers of their exact size, so that AddressSanitizer sees every read outside.
Answer ask(const std::uint8_t* data, std::size_t size, TlsProgress& progress) {
  const Buffer stream(data, data + size);
  Buffer scratch(hello_bytes_max);
  Answer answer{};
  answer.parse = parse_client_hello(stream, progress, scratch, answer.hello);
  const ClientHello& hello = answer.hello;
  insist(answer.parse == Parse::done || (!hello.has_server_name && !hello.ech));
  insist(hello.has_server_name != hello.server_name.empty());
  insist(!hello.has_server_name || inside(hello.server_name, stream) || inside(hello.server_name, scratch));
  answer.name = hello.server_name;
  return answer;
}

Answer ask_in_pieces(const std::uint8_t* data, std::size_t size, std::size_t piece_bytes_max, Cuts& cuts) {
  TlsProgress progress;
  for (std::size_t end = 0; end < size; end += cuts.next(piece_bytes_max)) {
    Answer answer = ask(data, end, progress);
    if (answer.parse != Parse::need_more) return answer;
  }
  return ask(data, size, progress);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  TlsProgress progress;
  const Answer whole = ask(data, size, progress);
  Cuts cuts(data, size);
  insist(ask_in_pieces(data, size, size / 64 + 8, cuts) == whole);
  insist(ask_in_pieces(data, size, size / 2 + 1, cuts) == whole);

  const Buffer message(data, data + size);
  ClientHello hello;
  insist(parse_handshake(message, hello) == Parse::done || !hello.has_server_name);
  return 0;
}
