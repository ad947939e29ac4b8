// The whole pipeline under a script: packets as they come off a wire, well-formed ones of a few clients and servers,
// answers and ICMP errors made from what left before, fragments, time and reloads. After every step the counters must
// balance, and no packet may leave under an inside address; at the end every buffer is back.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "config/load.h"
#include "dataplane/pipeline.h"
#include "tests/fuzz/cuts.h"
#include "tests/unit/dataplane/packet_maker.h"
#include "tests/unit/dataplane/policies.h"
#include "tests/unit/dataplane/vector_world.h"

namespace {

using namespace sallyport;
using namespace sallyport::dataplane;
using sallyport::fuzz::insist;
using test::End;
using test::Frame;

constexpr PortIndex inside = 0;
constexpr PortIndex outside = 1;

std::shared_ptr<const classifier::Policy> compile(const std::string& text) {
  static classifier::Identities identities;
  auto loaded = config::load_policy({{"policy.toml", text}});
  return classifier::Policy::compile(std::move(loaded.model.value()), identities).policy;
}

// The first one is what there is before a valid policy was loaded; none returns to it.
const std::array<Snapshot, 4>& snapshots() {
  static const std::array<Snapshot, 4> all = [] {
    std::shared_ptr<const Routing> wires = Routing::two_wires(inside, outside);
    const auto translate_all = [](const char* policy) { return std::string(policy) + "except = []\n"; };
    return std::array<Snapshot, 4>{make_snapshot(nullptr, wires, 0, 1),
                                   make_snapshot(compile(translate_all(test::allow_all)), wires, 1, 1),
                                   make_snapshot(compile(translate_all(test::httpbin_only)), wires, 2, 1),
                                   make_snapshot(compile(translate_all(test::deny_all)), wires, 3, 1)};
  }();
  return all;
}

// The bytes of a script, read to their end and then zeros.
class Script {
 public:
  Script(const std::uint8_t* data, std::size_t size) : bytes_(data, size) {}
  [[nodiscard]] bool done() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t value = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return value;
  }
  std::uint16_t word() {
    const std::uint8_t high = byte();
    return static_cast<std::uint16_t>(high << 8U | byte());
  }
  Frame take(std::size_t count) {
    count = std::min(count, bytes_.size());
    Frame taken(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(count));
    bytes_ = bytes_.subspan(count);
    return taken;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

class Game {
 public:
  Game() : pipeline_(settings(), world_) {}

  void play(Script script) {
    snapshot_ = &snapshots()[script.byte() % 4];
    for (unsigned steps = 0; !script.done() && steps < 400; ++steps) {
      step(script);
      check();
    }
    pipeline_.finish(now_, *snapshot_);
    check();
    insist(world_.buffers == 0);
    insist(pipeline_.counters().held.get() == 0);
  }

 private:
  static PipelineSettings settings() {
    PipelineSettings settings;
    settings.ports.resize(2);
    settings.ports[outside].role = config::PortRole::outside;
    settings.ports[outside].mtu = 1400;
    settings.limits.flows = 24;
    settings.limits.held_bytes = 16U << 10U;
    settings.limits.hello_bytes = 2048;
    settings.nat.port_range = {2000, 2015};
    settings.nat.fragments_max = 32;
    settings.nat.source_check = false;
    settings.kernel = false;
    return settings;
  }

  void step(Script& script) {
    switch (script.byte() % 8) {
      case 0:
        send(script.byte() % 2, script.take(script.byte()));
        break;
      case 1:
        send(inside, client_tcp(script));
        break;
      case 2:
        send(inside, test::udp(client(script), server(script), script.take(script.byte())));
        break;
      case 3:
        send(inside, test::echo(client(script).ip, server(script).ip, script.word()));
        break;
      case 4:
        answer(script);
        break;
      case 5:
        error(script);
        break;
      case 6:
        pass_time(script.byte());
        break;
      case 7:
        snapshot_ = &snapshots()[1 + script.byte() % 3];
        break;
    }
  }

  static End client(Script& script) {
    static const std::array<const char*, 4> names = {"10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2"};
    client_ = script.byte();
    return {names[client_ % 4], static_cast<std::uint16_t>(1020 + client_ / 32)};
  }
  static End server(Script& script) {
    const std::uint8_t choice = script.byte();
    const bool v6 = client_ % 4 >= 2;
    return {v6 ? "2001:db8:1::7" : "198.51.100.7", static_cast<std::uint16_t>(choice % 2 == 0 ? 443 : 80)};
  }
  static Frame client_tcp(Script& script) {
    const End from = client(script);
    const End to = server(script);
    const std::uint8_t flags = script.byte();
    const std::uint32_t seq = 1000U + script.byte();
    return test::tcp(from, to, flags, {.seq = seq, .ack = 5001, .payload = script.take(script.byte())});
  }

  // The server's packet back, from one that left.
  void answer(Script& script) {
    if (left_.empty()) return;
    Frame frame = left_[script.byte() % left_.size()];
    Packet packet;
    packet.data = frame.data();
    packet.length = static_cast<std::uint32_t>(frame.size());
    Parsed parsed;
    Drop why{};
    if (parse(packet, {true, {}, true}, parsed, why) != ParseResult::ok || parsed.fragment) return;
    const End to{to_string(parsed.key.source_address()), __builtin_bswap16(parsed.key.source_port)};
    const End from{to_string(parsed.key.destination_address()), __builtin_bswap16(parsed.key.destination_port)};
    if (parsed.kind == PacketKind::tcp) {
      const std::uint8_t flags = script.byte();
      send(outside, test::tcp(from, to, flags,
                              {.seq = 5000U + script.byte(),
                               .ack = 1001U + script.byte(),
                               .payload = script.take(script.byte() % 64)}));
    } else if (parsed.kind == PacketKind::udp) {
      send(outside, test::udp(from, to, script.take(script.byte())));
    } else if (parsed.kind == PacketKind::echo_request) {
      send(outside, test::echo(from.ip, to.ip, to.port, true));
    }
  }

  void error(Script& script) {
    if (left_.empty()) return;
    Frame quoted = test::l3(left_[script.byte() % left_.size()]);
    quoted.resize(std::min<std::size_t>(quoted.size(), 20 + script.byte()));
    if (quoted.size() > 4 && script.byte() % 4 == 0) quoted[script.byte() % quoted.size()] ^= script.byte();
    const bool v6 = !quoted.empty() && quoted[0] >> 4U == 6;
    const IpAddress router = test::address(v6 ? "2001:db8:9::1" : "192.0.2.1");
    IpAddress to = test::address(v6 ? "2001:db8:ffff::1" : "203.0.113.1");
    send(script.byte() % 2, test::icmp(router, to, script.byte(), script.byte(), 1400, quoted));
  }

  void pass_time(std::uint8_t exponent) {
    now_ += 1'000'000ULL << exponent % 24;
    pipeline_.advance(now_, *snapshot_);
    keep();
  }

  void send(PortIndex port, const Frame& frame) {
    Packet packet;
    if (frame.empty() || !world_.allocate(static_cast<std::uint32_t>(frame.size()), packet)) return;
    std::ranges::copy(frame, packet.data);
    pipeline_.process(port, {&packet, 1}, now_, *snapshot_);
    keep();
  }

  void keep() {
    for (Frame& frame : world_.sent[outside]) left_.push_back(std::move(frame));
    if (left_.size() > 16) left_.erase(left_.begin(), left_.end() - 16);
    for (const Frame& frame : left_) insist(!leaks(frame));
    world_.sent[outside].clear();
    world_.sent[inside].clear();
    world_.records.clear();
  }
  static bool leaks(const Frame& frame) {
    if (frame.size() < 34) return false;
    const bool v4 = frame[12] == 0x08 && frame[13] == 0x00;
    return v4 ? frame[26] == 10 : frame.size() > 22 && frame[12] == 0x86 && frame[22] == 0xfd;
  }

  void check() const {
    const Counters& c = pipeline_.counters();
    std::uint64_t ends = c.transmitted.get() + c.held.get();
    for (const Counter& drop : c.drops) ends += drop.get();
    insist(c.received.get() == ends);
  }

  static inline std::uint8_t client_ = 0;
  test::VectorWorld world_;
  Pipeline pipeline_;
  const Snapshot* snapshot_ = nullptr;
  Instant now_ = 1'700'000'000'000'000'000;
  std::vector<Frame> left_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Game().play(Script(data, size));
  return 0;
}
