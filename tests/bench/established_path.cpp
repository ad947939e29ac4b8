// The established path for an instruction counter: `established_path WAY FAMILY BURSTS` sends so many bursts of 32
// through it and does nothing else that depends on BURSTS, so the difference of two runs is the path's. WAY is `out`,
// `back`, or `source`: the source alone. Same input, same instructions.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/bench/established_flows.h"

int main(int count, char** words) {
  using namespace sallyport::dataplane::bench;
  if (count != 4) return 2;
  const std::string_view way = words[1];
  const bool v6 = std::string_view(words[2]) == "6";
  const auto bursts = std::strtoul(words[3], nullptr, 10);
  EstablishedFlows source(1024, v6 ? sallyport::Family::v6 : sallyport::Family::v4);
  if (way == "back") source.answer_instead();
  const std::size_t sent_before = source.world.sent;
  for (unsigned long i = 0; i < bursts; ++i) {
    if (way == "out") {
      source.one_burst([&](std::span<sallyport::dataplane::Packet> burst) { source.forward(burst); });
    } else if (way == "back") {
      source.one_burst([&](std::span<sallyport::dataplane::Packet> burst) { source.forward_back(burst); });
    } else {
      source.one_burst([&](std::span<sallyport::dataplane::Packet> burst) { (void)source.world.transmit(1, burst); });
    }
  }
  const bool all = source.world.sent - sent_before == bursts * burst_size;
  if (!all) std::fprintf(stderr, "packets were lost\n");
  return all ? 0 : 1;
}
