// What a packet of an established flow costs in the pipeline, against swapping its MAC addresses, from the same source
// into the same sink (established_flows.h): through a device (null_wires.h) where the processor's time for a packet is
// the figure, from memory into memory where it is something else.
//
// Arguments, where there are any: number of flows, address family.

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>

#include "dataplane/flow/key_hash.h"
#include "tests/bench/established_flows.h"
#include "tests/bench/flood.h"
#include "tests/bench/null_wires.h"
#include "tests/bench/paired.h"

namespace sallyport::dataplane::bench {
namespace {

using sallyport::bench::nanoseconds;
using sallyport::bench::paired_rounds;
using sallyport::bench::report_quarters;
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

// So many flows, each with an endpoint of its own if not said otherwise.
[[nodiscard]] EstablishedFlows through_device(std::uint32_t flows, Family family, std::uint32_t per_endpoint = 1) {
  return {flows, family, per_endpoint, 25, policy_text, device()};
}

void established_udp_against_mac_swap(benchmark::State& state) {
  EstablishedFlows source =
      through_device(static_cast<std::uint32_t>(state.range(0)), state.range(1) == 4 ? Family::v4 : Family::v6);
  run_paired(
      state, packets, [&] { send(source); }, packets,
      [&] { send(source, [&](std::span<Packet> burst) { source.swap_macs(burst); }); });
}
BENCHMARK(established_udp_against_mac_swap)
    ->Args({65536, 4})
    ->Args({million, 4})
    ->Args({million, 6})
    ->Iterations(paired_rounds())
    ->UseManualTime();

// The ratio is what is left of the speed of 64 k flows.
void speed_left_with_16m_flows(benchmark::State& state) {
  EstablishedFlows few = through_device(65536, Family::v4);
  EstablishedFlows many = through_device(16 * million, Family::v4, 16);
  run_paired(
      state, packets, [&] { send(few); }, packets, [&] { send(many); });
}
BENCHMARK(speed_left_with_16m_flows)->Iterations(paired_rounds())->UseManualTime();

void v6_against_v4(benchmark::State& state) {
  EstablishedFlows v4 = through_device(million, Family::v4);
  EstablishedFlows v6 = through_device(million, Family::v6);
  run_paired(
      state, packets, [&] { send(v6); }, packets, [&] { send(v4); });
}
BENCHMARK(v6_against_v4)->Iterations(paired_rounds())->UseManualTime();

// Source, policy, egress address, port, tables, record: everything that the first packet of a flow asks for, while the
// table fills up to a million; and what takes them out of all that when their time is over. Argument: flows to an
// inside endpoint, of which the first needs a mapping.
void new_flows(benchmark::State& state) {
  EstablishedFlows source(million, Family::v4, static_cast<std::uint32_t>(state.range(0)));
  std::vector<double> begun;
  std::vector<double> ended;
  for (auto _ : state) {
    source.now += std::uint64_t{3'600'000'000'000};
    const double end_time = nanoseconds([&] {
      for (std::uint32_t i = 0; i < million / 1024; ++i)
        source.pipeline->advance(source.now += 1'000'000, source.snapshot);
    });
    ended.push_back(million / end_time * 1e9);
    if (source.pipeline->counters().flows_live.get() != 0) state.SkipWithError("flows live on");
    const double time = nanoseconds([&] { source.send_all(); });
    if (source.pipeline->counters().flows_live.get() != million) state.SkipWithError("flows were refused");
    state.SetIterationTime(time * 1e-9);
    begun.push_back(million / time * 1e9);
  }
  report_quarters(state, "flows", begun);
  report_quarters(state, "ended", ended);
}
BENCHMARK(new_flows)
    ->Arg(1)
    ->Arg(16)
    ->Iterations(std::min(11, paired_rounds()))
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

// Packets a second while every second one is of a flood, by those of established flows alone, whose source makes the
// flood's frames as well and throws them away. The worker is strained, as any is whose queues a flood keeps full.
void run_flood(benchmark::State& state, EstablishedFlows& flooded, Flood::Of what) {
  EstablishedFlows usual = through_device(million, Family::v4);
  Flood flood(what);
  std::array<std::uint8_t, 2048> buffer;
  Packet unsent;
  unsent.data = buffer.data();
  flooded.pipeline->set_strained(true);
  run_paired(
      state, packets,
      [&] {
        send(usual, [&](std::span<Packet> burst) {
          for (std::size_t i = 1; i < burst.size(); i += 2) flood.put_into(unsent);
          usual.forward(burst);
        });
      },
      packets,
      [&] {
        send(flooded, [&](std::span<Packet> burst) {
          for (std::size_t i = 1; i < burst.size(); i += 2) flood.put_into(burst[i]);
          flooded.forward(burst);
        });
      });
  const auto& drops = flooded.pipeline->counters().drops;
  const auto dropped = [&](Drop why) { return drops[static_cast<std::size_t>(why)].get(); };
  const std::uint64_t refused =
      dropped(Drop::flows_exhausted) + dropped(Drop::policy_denied) + dropped(Drop::hello_denied);
  if (dropped(Drop::worker_overloaded) == 0 || refused == 0) state.SkipWithError("the flood was not what it should be");
  if (dropped(Drop::worker_overloaded) + refused != flooded.world.lost) state.SkipWithError("others were lost as well");
  state.counters["looked_at"] = static_cast<double>(refused) / static_cast<double>(flooded.world.lost);
}

void speed_under_udp_flood(benchmark::State& state) {
  EstablishedFlows full(million, Family::v4, 1, 0, policy_text, device());
  run_flood(state, full, Flood::Of::udp);
}
BENCHMARK(speed_under_udp_flood)->Iterations(paired_rounds())->UseManualTime();

void speed_under_syn_flood(benchmark::State& state) {
  EstablishedFlows full(million, Family::v4, 1, 0, policy_text, device());
  run_flood(state, full, Flood::Of::syns);
}
BENCHMARK(speed_under_syn_flood)->Iterations(paired_rounds())->UseManualTime();

// With room for all of them, so that each name that is looked at is read, judged and refused.
void speed_under_name_flood(benchmark::State& state) {
  constexpr const char* names = R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "named"
traffic_policy = "Deny"
networks = [ { cidr = "46.0.0.0/8" } ]
[[tls_route]]
namespace = "linkerd-egress"
name = "names"
parent_refs = [ { name = "named", namespace = "linkerd-egress", port = 443 } ]
hostnames = ["httpbin.org", "*.example.com"]
)";
  EstablishedFlows roomy(million, Family::v4, 1, 200, std::string(policy_text) + names, device());
  run_flood(state, roomy, Flood::Of::hellos);
}
BENCHMARK(speed_under_name_flood)->Iterations(paired_rounds())->UseManualTime();

// Flows that would all stand in a 64th of the index if its hash had the key of PipelineSettings's seed, against flows
// in an index of the same size that nobody has chosen. The gateway draws its seed at start, and so does the pipeline
// here.
void hash_flood_against_established(benchmark::State& state) {
  Random of_default(PipelineSettings{}.seed);
  const KeyHash default_hash(of_default);
  std::vector<std::uint32_t> colliding;
  for (std::uint32_t flow = 0; colliding.size() < million; ++flow) {
    const auto key = key_of(flow, Family::v4);
    if (static_cast<std::uint32_t>(default_hash(key, 0)) >> 26U == 0) colliding.push_back(flow);
  }
  const auto chosen_key = [&](std::uint32_t i) { return key_of(colliding[i], Family::v4); };
  EstablishedFlows chosen(million, Family::v4, chosen_key, 25, policy_text, device());
  EstablishedFlows usual = through_device(million, Family::v4);
  run_paired(
      state, packets, [&] { send(chosen); }, packets, [&] { send(usual); });
}
BENCHMARK(hash_flood_against_established)->Iterations(paired_rounds())->UseManualTime();

// From outside, to nobody.
void misses_against_established(benchmark::State& state) {
  EstablishedFlows missing = through_device(million, Family::v4);
  EstablishedFlows usual = through_device(million, Family::v4);
  run_paired(
      state, packets, [&] { send(missing, [&](std::span<Packet> burst) { missing.forward_back(burst); }); }, packets,
      [&] { send(usual); });
}
BENCHMARK(misses_against_established)->Iterations(paired_rounds())->UseManualTime();

// Four million flows, a burst each 10 microseconds, as at 3 Mpps: time and timers against the same packets while time
// stands still. Each flow's timer comes up twice in the 300 seconds of its timeout, so 7,000 come up in a round, which
// is as long as a slot of the wheel; they do so evenly because the flows were last seen evenly over 600 seconds before.
void aging_against_none(benchmark::State& state) {
  constexpr std::uint32_t flows = 4 * million;
  constexpr std::size_t bursts_a_slot = 25'600;
  constexpr std::uint64_t burst_ns = 10'000;
  EstablishedFlows source(flows, Family::v4, 4);
  const auto pass = [&](std::size_t count, std::uint64_t step_ns) {
    for (std::size_t i = 0; i < count; ++i) {
      source.one_burst(
          [&](std::span<Packet> burst) { source.pipeline->process(0, burst, source.now += step_ns, source.snapshot); });
      if (step_ns != 0) source.pipeline->advance(source.now, source.snapshot);
    }
  };
  constexpr std::size_t all = flows / burst_size;
  constexpr std::uint64_t spread_ns = 250'000'000'000;
  for (int turn = 0; turn < 3; ++turn) pass(all, spread_ns / all);
  pass(all, burst_ns);
  constexpr double in_a_round = bursts_a_slot * burst_size;
  run_paired(
      state, in_a_round, [&] { pass(bursts_a_slot, burst_ns); }, in_a_round, [&] { pass(bursts_a_slot, 0); });
  if (source.world.lost != 0) state.SkipWithError("flows have ended");
}
BENCHMARK(aging_against_none)->Iterations(paired_rounds())->UseManualTime();

// Two workers with flows of their own, at the same time, against one of them alone: what sharing the machine's memory
// and caches leaves of twice the speed. The ratio is speed of both by speed of one; each thread counts its own
// processor time, so on two cores that others use it says what the machine allows, not what a device would deliver.
template <typename Work>
void run_two_workers(benchmark::State& state, EstablishedFlows& first, EstablishedFlows& second, const Work& work) {
  const auto each = [&](EstablishedFlows& source) { return nanoseconds([&] { work(source); }); };
  std::vector<double> ratios;
  for (auto _ : state) {
    double second_time = 0;
    std::thread other([&] { second_time = each(second); });
    const double first_time = each(first);
    other.join();
    const double alone = each(first);
    ratios.push_back(alone / first_time + alone / second_time);
    state.SetIterationTime(first_time / packets * 1e-9);
  }
  report_quarters(state, "ratio", ratios);
}

void two_workers_against_one(benchmark::State& state) {
  EstablishedFlows first(65536, Family::v4);
  EstablishedFlows second(65536, Family::v4);
  run_two_workers(state, first, second, [](EstablishedFlows& source) { send(source); });
}
BENCHMARK(two_workers_against_one)->Iterations(paired_rounds())->UseManualTime();

// The same of swapping MAC addresses.
void two_mac_swaps_against_one(benchmark::State& state) {
  EstablishedFlows first(65536, Family::v4);
  EstablishedFlows second(65536, Family::v4);
  run_two_workers(state, first, second, [](EstablishedFlows& source) {
    send(source, [&](std::span<Packet> burst) { source.swap_macs(burst); });
  });
}
BENCHMARK(two_mac_swaps_against_one)->Iterations(paired_rounds())->UseManualTime();

// Resident memory of the process.
double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double whole = 0;
  double resident = 0;
  file >> whole >> resident;
  return resident * 4096;
}

// What a million flows more take of memory, the source's own apart: 16 to an endpoint, all tables and indexes included.
// Argument: address family.
void bytes_a_flow(benchmark::State& state) {
  const Family family = state.range(0) == 4 ? Family::v4 : Family::v6;
  const auto taken = [&](std::uint32_t flows) {
    const double before = resident_bytes();
    const EstablishedFlows source(flows, family, 16, 0);
    const auto own = static_cast<double>(source.templates.size());
    return resident_bytes() - before - own;
  };
  for (auto _ : state) {
    const double few = taken(million);
    state.counters["bytes"] = (taken(2 * million) - few) / million;
  }
}
BENCHMARK(bytes_a_flow)->Arg(4)->Arg(6)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sallyport::dataplane::bench

BENCHMARK_MAIN();
