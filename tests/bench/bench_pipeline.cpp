// What a packet of an established flow costs in the pipeline, against swapping its MAC addresses, from the same source
// into the same sink (established_flows.h).
//
// Arguments, where there are any: number of flows, address family.

#include <cstdint>

#include <benchmark/benchmark.h>

#include "tests/bench/established_flows.h"
#include "tests/bench/paired.h"

namespace sallyport::dataplane::bench {
namespace {

using sallyport::bench::paired_rounds;
using sallyport::bench::run_paired;

constexpr std::size_t bursts = 4096;
constexpr double packets = bursts * burst_size;
constexpr std::uint32_t million = 1U << 20U;

// So many bursts of a source through `work`.
template <typename Work>
void send(EstablishedFlows& source, const Work& work) {
  for (std::size_t i = 0; i < bursts; ++i) source.one_burst(work);
}
void send(EstablishedFlows& source) {
  send(source, [&](std::span<Packet> burst) { source.forward(burst); });
}

void established_udp_against_mac_swap(benchmark::State& state) {
  EstablishedFlows source(static_cast<std::uint32_t>(state.range(0)), state.range(1) == 4 ? Family::v4 : Family::v6);
  run_paired(
      state, packets, [&] { send(source); }, packets,
      [&] { send(source, [&](std::span<Packet> burst) { source.swap_macs(burst); }); });
}
BENCHMARK(established_udp_against_mac_swap)
    ->Args({65536, 4})
    ->Args({million, 4})
    ->Args({million, 6})
    ->Iterations(paired_rounds)
    ->UseManualTime();

// The ratio is what is left of the speed of 64 k flows.
void speed_left_with_16m_flows(benchmark::State& state) {
  EstablishedFlows few(65536, Family::v4);
  EstablishedFlows many(16 * million, Family::v4, 16);
  run_paired(
      state, packets, [&] { send(few); }, packets, [&] { send(many); });
}
BENCHMARK(speed_left_with_16m_flows)->Iterations(paired_rounds)->UseManualTime();

void v6_against_v4(benchmark::State& state) {
  EstablishedFlows v4(million, Family::v4);
  EstablishedFlows v6(million, Family::v6);
  run_paired(
      state, packets, [&] { send(v6); }, packets, [&] { send(v4); });
}
BENCHMARK(v6_against_v4)->Iterations(paired_rounds)->UseManualTime();

// Source, policy, egress address, port, tables, record: everything that the first packet of a flow asks for, while the
// table fills up to a million.
void new_flows(benchmark::State& state) {
  EstablishedFlows source(million, Family::v4);
  for (auto _ : state) {
    state.PauseTiming();
    source.now += std::uint64_t{3'600'000'000'000};
    for (std::uint32_t i = 0; i < million / 1024; ++i)
      source.pipeline->advance(source.now += 1'000'000, source.snapshot);
    state.ResumeTiming();
    source.send_all();
  }
  state.counters["flows"] = benchmark::Counter(million, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(new_flows)->Iterations(5)->Unit(benchmark::kMillisecond);

// Packets of new flows while the table is full: each asks the policy, is refused and recorded.
void flood_against_established(benchmark::State& state) {
  EstablishedFlows full(million, Family::v4, 1, 0);
  EstablishedFlows usual(million, Family::v4);
  full.ask_for_others();
  run_paired(
      state, packets, [&] { send(full); }, packets, [&] { send(usual); });
}
BENCHMARK(flood_against_established)->Iterations(paired_rounds)->UseManualTime();

// From outside, to nobody.
void misses_against_established(benchmark::State& state) {
  EstablishedFlows missing(million, Family::v4);
  EstablishedFlows usual(million, Family::v4);
  run_paired(
      state, packets, [&] { send(missing, [&](std::span<Packet> burst) { missing.forward_back(burst); }); }, packets,
      [&] { send(usual); });
}
BENCHMARK(misses_against_established)->Iterations(paired_rounds)->UseManualTime();

// Four million flows whose timers come up in turn (a burst each 10 microseconds, as at 3 Mpps), against none at all.
void aging_against_none(benchmark::State& state) {
  EstablishedFlows source(4 * million, Family::v4, 4);
  const auto forward = [&](std::span<Packet> burst) {
    source.pipeline->process(0, burst, source.now += 10'000, source.snapshot);
  };
  run_paired(
      state, packets,
      [&] {
        send(source, [&](std::span<Packet> burst) {
          forward(burst);
          source.pipeline->advance(source.now, source.snapshot);
        });
      },
      packets, [&] { send(source, forward); });
}
BENCHMARK(aging_against_none)->Iterations(paired_rounds)->UseManualTime();

}  // namespace
}  // namespace sallyport::dataplane::bench

BENCHMARK_MAIN();
