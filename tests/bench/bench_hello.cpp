// What a name rule adds to a connection's first payload: new connections whose ClientHello or Initial comes whole (over
// TCP in the SYN, so that one packet is all of it), through a network with a tls_route and through one without. The
// difference is how much later the server gets it; a hello in several packets waits for the last of them besides.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

#include <benchmark/benchmark.h>

#include "tests/bench/established_flows.h"
#include "tests/bench/paired.h"
#include "tests/unit/classifier/names_hello_builder.h"
#include "tests/unit/classifier/names_quic_builder.h"

namespace {

using namespace sallyport;
using namespace sallyport::dataplane;
using classifier::names::browser_hello;
using sallyport::dataplane::bench::burst_size;
using test::End;
using test::Frame;

constexpr std::uint32_t connections = 16'384;
constexpr std::size_t frame_room = 2048;
constexpr const char* open_policy = R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Allow"
[snat]
addresses = ["203.0.113.1"]
)";
constexpr const char* named_policy = R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Deny"
[[tls_route]]
namespace = "linkerd-egress"
name = "names"
parent_refs = [ { name = "all", namespace = "linkerd-egress", port = 443 } ]
hostnames = ["httpbin.org", "*.example.com"]
[snat]
addresses = ["203.0.113.1"]
)";

End client_of(std::uint32_t connection) {
  return {to_string(IpAddress::from_v4(0x0a000100U + connection)), static_cast<std::uint16_t>(20'000)};
}
End server_of(std::uint32_t connection) { return {to_string(IpAddress::from_v4(0x2d000000U + connection)), 443}; }

Frame syn_with_hello(std::uint32_t connection) {
  const Frame hello = classifier::names::record(browser_hello("httpbin.org", 32).message());
  return test::tcp(client_of(connection), server_of(connection), wire::Tcp::syn, {.seq = 1000, .payload = hello});
}
Frame initial(std::uint32_t connection) {
  classifier::names::Initial packet;
  std::memcpy(packet.dcid.data(), &connection, sizeof connection);
  packet.frames = classifier::names::crypto_frame(0, browser_hello("httpbin.org", 32).message());
  return test::udp(client_of(connection), server_of(connection), packet.protect());
}

// A gateway to which all the connections come, again and again.
class Gateway {
 public:
  Gateway(const char* policy, Frame (*frame_of)(std::uint32_t)) {
    auto loaded = config::load_policy({{"bench.toml", policy}});
    auto compiled = classifier::Policy::compile(std::move(loaded.model.value()), identities_);
    snapshot_ = make_snapshot(std::move(compiled.policy), Routing::two_wires(0, 1), 1, 1);
    PipelineSettings settings;
    settings.ports.resize(2);
    settings.ports[1].role = config::PortRole::outside;
    settings.limits.flows = 2 * connections;
    settings.nat.source_check = false;
    pipeline_ = std::make_unique<Pipeline>(settings, world_);
    for (std::uint32_t i = 0; i < connections; ++i) frames_.push_back(frame_of(i));
  }

  // Everything of the round before has been forgotten.
  void forget() {
    now_ += std::uint64_t{3'600'000'000'000};
    for (std::uint32_t i = 0; i < 64; ++i) pipeline_->advance(now_ += 1'000'000, snapshot_);
  }
  void send_all() {
    const std::size_t before = world_.sent;
    for (std::uint32_t first = 0; first < connections; first += burst_size) send_burst(first);
    if (world_.sent != before + connections) throw std::runtime_error("not every hello was let through");
  }

 private:
  void send_burst(std::uint32_t first) {
    std::array<Packet, burst_size> burst;
    for (std::uint32_t i = 0; i < burst_size; ++i) {
      std::uint8_t* data = buffers_[i].data() + 128;
      const Frame& frame = frames_[first + i];
      std::memcpy(data, frame.data(), frame.size());
      burst[i] = Packet{};
      burst[i].data = data;
      burst[i].length = static_cast<std::uint32_t>(frame.size());
      burst[i].headroom = 128;
    }
    pipeline_->process(0, burst, now_ += 1000, snapshot_);
  }

  classifier::Identities identities_;
  Snapshot snapshot_;
  sallyport::dataplane::bench::Wires world_;
  std::unique_ptr<Pipeline> pipeline_;
  std::vector<Frame> frames_;
  std::array<std::array<std::uint8_t, frame_room>, burst_size> buffers_;
  Instant now_ = 1'700'000'000'000'000'000;
};

void with_against_without(benchmark::State& state, Frame (*frame_of)(std::uint32_t)) {
  Gateway named(named_policy, frame_of);
  Gateway open(open_policy, frame_of);
  std::vector<double> added;
  for (auto _ : state) {
    named.forget();
    open.forget();
    const double with = sallyport::bench::nanoseconds([&] { named.send_all(); }) / connections;
    const double without = sallyport::bench::nanoseconds([&] { open.send_all(); }) / connections;
    state.SetIterationTime(with * 1e-9);
    added.push_back(with - without);
  }
  std::sort(added.begin(), added.end());
  state.counters["added_ns"] = added[added.size() / 2];
  state.counters["added_25%"] = added[added.size() / 4];
  state.counters["added_75%"] = added[added.size() * 3 / 4];
}

void hello_over_tcp(benchmark::State& state) { with_against_without(state, syn_with_hello); }
void initial_over_udp(benchmark::State& state) { with_against_without(state, initial); }
BENCHMARK(hello_over_tcp)->Iterations(sallyport::bench::paired_rounds())->UseManualTime();
BENCHMARK(initial_over_udp)->Iterations(sallyport::bench::paired_rounds())->UseManualTime();

}  // namespace

BENCHMARK_MAIN();
