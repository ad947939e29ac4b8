// Does ThreadSanitizer see through our rings? Two threads use one rightly, or do one of the things that must be
// reported.
#include <array>
#include <cstddef>
#include <iostream>
#include <map>
#include <string_view>
#include <thread>

#include "dataplane/io/pointer_ring.h"

namespace {

enum class Race { none, written_after_push, shared_beside, two_readers };

// ThreadSanitizer keeps one record for eight bytes: things lie apart, as buffers do.
struct alignas(64) Thing {
  int value = 0;
};
constexpr int count = 64;
std::array<Thing, count> things;
Thing shared;

void write(sallyport::dataplane::PointerRing& ring, Race race) {
  for (Thing& thing : things) {
    thing.value = 1;
    void* pointer = &thing;
    while (ring.push({&pointer, 1}) == 0) std::this_thread::yield();
    if (race == Race::written_after_push) thing.value = 2;
    if (race == Race::shared_beside) ++shared.value;
  }
}

int read(sallyport::dataplane::PointerRing& ring, Race race, int how_many) {
  int sum = 0;
  for (int seen = 0; seen < how_many;) {
    std::array<void*, 1> out;
    const std::size_t taken = ring.pop(out);
    if (taken == 0) std::this_thread::yield();
    if (taken == 1) sum += static_cast<const Thing*>(out[0])->value;
    if (taken == 1 && race == Race::shared_beside) sum += shared.value;
    seen += static_cast<int>(taken);
  }
  return sum;
}

}  // namespace

int main(int argument_count, char** arguments) {
  const std::map<std::string_view, Race> races = {{"none", Race::none},
                                                  {"written_after_push", Race::written_after_push},
                                                  {"shared_beside", Race::shared_beside},
                                                  {"two_readers", Race::two_readers}};
  const auto race = races.find(argument_count == 2 ? arguments[1] : "");
  if (race == races.end()) return 0;  // these tests expect a failure
  sallyport::dataplane::PointerRing ring(8);
  int sums[2] = {};
  std::thread writer([&] { write(ring, race->second); });
  std::thread reader([&] { sums[0] = read(ring, race->second, count / 2); });
  if (race->second != Race::two_readers) reader.join();
  sums[1] = read(ring, race->second, count / 2);
  if (reader.joinable()) reader.join();
  writer.join();
  std::cout << sums[0] + sums[1] << '\n';
}
