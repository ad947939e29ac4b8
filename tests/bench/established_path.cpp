// The packet's paths for an instruction counter: `established_path WAY FAMILY BURSTS` sends so many bursts of 32
// through one and does nothing else that depends on BURSTS, so the difference of two runs is the path's. WAY is `out`
// or `back`, of established flows; `new`, of flows that nobody knows yet; `refused` and `refused_syn`, of such flows
// into a full table; or `source`: the source alone. Same input, same instructions.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/bench/established_flows.h"

namespace {

using namespace sallyport::dataplane::bench;
using sallyport::Family;
using sallyport::dataplane::Packet;

constexpr std::uint32_t few = 1024;
constexpr std::uint32_t many = 8192;  // as many as bursts may bring

// SYNs of senders that are all different, as bench_pipeline's.
[[nodiscard]] sallyport::dataplane::test::Frame spoofed_syn(std::uint32_t i) {
  namespace test = sallyport::dataplane::test;
  const auto sender = sallyport::IpAddress::from_v4(0x0a000000U | (i * 2654435761U & 0x00ffffffU));
  const auto server = sallyport::IpAddress::from_v4(0x2d000000U | (i * 2246822519U & 0x00ffffffU));
  return test::tcp({to_string(sender), static_cast<std::uint16_t>(i | 1024U)}, {to_string(server), 443},
                   sallyport::dataplane::wire::Tcp::syn, {.seq = i});
}

[[nodiscard]] EstablishedFlows source_of(std::string_view way, Family family) {
  if (way == "new") return {many, family, 1, 200};
  const bool refused = way == "refused" || way == "refused_syn";
  return {few, family, 1, refused ? 0U : 25U};
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) return 2;
  const std::string_view way = words[1];
  const Family family = std::string_view(words[2]) == "6" ? Family::v6 : Family::v4;
  const auto bursts = std::strtoul(words[3], nullptr, 10);
  EstablishedFlows source = source_of(way, family);
  const bool refused = way == "refused" || way == "refused_syn";
  if (way == "back") source.answer_instead();
  if (way == "refused_syn") source.send_instead(spoofed_syn);
  if (way == "new" || way == "refused") {
    source.send_instead([&](std::uint32_t i) { return frame_of(key_of(source.flows + i, family)); });
  }
  const auto ended = [&] { return refused ? source.world.lost : source.world.sent; };
  const std::size_t before = ended();
  for (unsigned long i = 0; i < bursts; ++i) {
    if (way == "back") {
      source.one_burst([&](std::span<Packet> burst) { source.forward_back(burst); });
    } else if (way == "source") {
      source.one_burst([&](std::span<Packet> burst) { (void)source.world.transmit(1, burst); });
    } else {
      source.one_burst([&](std::span<Packet> burst) { source.forward(burst); });
    }
  }
  const bool all = ended() - before == bursts * burst_size;
  if (!all) std::fprintf(stderr, "packets ended otherwise\n");
  return all ? 0 : 1;
}
