// Bytes -> server name: a ClientHello in a TLS stream, and one in QUIC Initial packets with keys derived and tag
// verified. The hellos of one benchmark differ in name, randomness of cuts or connection ID, and are read in turn.
#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "classifier/names/quic_initial.h"
#include "classifier/names/tls_client_hello.h"
#include "tests/unit/classifier/names_quic_builder.h"

namespace sallyport::bench {
namespace {

using namespace classifier::names;

constexpr std::size_t variants = 64;
constexpr std::size_t classical_key_share_bytes = 38;
constexpr std::size_t post_quantum_key_share_bytes = 1263;

// As large and with as many extensions as browsers send; their order is random, as in Chrome.
Hello hello_of_browser(std::size_t variant, std::size_t key_share_bytes) {
  Hello hello = browser_hello("host-" + std::to_string(variant) + ".example.com", key_share_bytes);
  for (const unsigned type : {5u, 10u, 11u, 13u, 18u, 23u, 27u, 35u, 45u, 0x4469u, 0xff01u}) {
    hello.extensions.push_back({static_cast<std::uint16_t>(type), Buffer(type % 16, 1)});
  }
  hello.extensions.push_back(encrypted_client_hello());
  std::mt19937 random(static_cast<unsigned>(variant));
  std::shuffle(hello.extensions.begin(), hello.extensions.end(), random);
  return hello;
}

void read_streams(benchmark::State& state, const std::vector<Buffer>& streams) {
  Buffer scratch(12 * 1024);
  ClientHello hello;
  std::size_t next = 0;
  for (auto _ : state) {
    TlsProgress progress;
    const Parse parsed = parse_client_hello(streams[next++ % variants], progress, scratch, hello);
    if (parsed != Parse::done || !hello.has_server_name) state.SkipWithError("no name");
    benchmark::DoNotOptimize(hello);
  }
}

void tls_client_hello(benchmark::State& state) {
  std::vector<Buffer> streams;
  for (std::size_t i = 0; i < variants; ++i) {
    streams.push_back(records(hello_of_browser(i, static_cast<std::size_t>(state.range(0))).message(),
                              static_cast<std::size_t>(state.range(1))));
  }
  read_streams(state, streams);
}
BENCHMARK(tls_client_hello)
    ->ArgNames({"key_share", "record"})
    ->Args({classical_key_share_bytes, 16'384})
    ->Args({post_quantum_key_share_bytes, 16'384})
    ->Args({post_quantum_key_share_bytes, 600})
    ->Args({post_quantum_key_share_bytes, 1});

Buffer whole_frame(const Buffer& message, std::mt19937&) { return crypto_frame(0, message); }

Buffer scrambled_frames(const Buffer& message, std::mt19937& random) {
  std::vector<Buffer> frames;
  for (std::size_t at = 0; at < message.size();) {
    const std::size_t length = std::min<std::size_t>(20 + random() % 80, message.size() - at);
    frames.push_back(crypto_frame(at, std::span(message).subspan(at, length)));
    frames.push_back({0x01});
    at += length;
  }
  std::shuffle(frames.begin(), frames.end(), random);
  Buffer all;
  for (const Buffer& frame : frames) append(all, frame);
  return all;
}

template <typename Frames>
void quic_initial(benchmark::State& state, Frames frames) {
  std::mt19937 random(9001);
  std::vector<Buffer> datagrams;
  for (std::size_t i = 0; i < variants; ++i) {
    Initial initial;
    initial.dcid[0] = static_cast<std::uint8_t>(i);
    initial.frames = frames(hello_of_browser(i, classical_key_share_bytes).message(), random);
    datagrams.push_back(initial.protect());
  }
  const auto keys = make_quic_keys();
  const auto stream = std::make_unique<CryptoStream>();
  ClientHello hello;
  std::size_t next = 0;
  for (auto _ : state) {
    QuicConnection connection;
    stream->clear();
    const QuicResult read = read_client_datagram(datagrams[next++ % variants], connection, *stream, *keys, hello);
    if (read != QuicResult::done || !hello.has_server_name) state.SkipWithError("no name");
    benchmark::DoNotOptimize(hello);
  }
}
BENCHMARK_CAPTURE(quic_initial, one_frame, whole_frame);
BENCHMARK_CAPTURE(quic_initial, scrambled, scrambled_frames);

}  // namespace
}  // namespace sallyport::bench

BENCHMARK_MAIN();
