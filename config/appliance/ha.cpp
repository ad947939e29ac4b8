// [ha]: whose turn it is at start, and when it is no more.
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "config/appliance/readers.h"
#include "config/bounds.h"
#include "config/document/values.h"

namespace sallyport::config {
namespace {

using namespace std::chrono_literals;

constexpr std::array<Choice<Start>, 2> starts = {{{"active", Start::active}, {"standby", Start::standby}}};

// "unix:/run/redis/redis.sock"
std::optional<std::string> redis_socket(const Item& item, Diagnostics& diagnostics) {
  const auto written = filled_text(item, diagnostics);
  if (!written) return std::nullopt;
  constexpr std::string_view local = "unix:";
  std::string_view path = *written;
  if (path.starts_with(local)) {
    path.remove_prefix(local.size());
    if (path.starts_with('/') && path.size() <= bounds::socket_path_bytes) return std::string(path);
  }
  report(item, diagnostics,
         "expected the socket of a Redis server on this machine, such as \"unix:/run/redis/redis.sock\"");
  return std::nullopt;
}

}  // namespace

void read_ha(const Item& item, HaConfig& into, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  table.optional("start", into.start, one_of(starts));
  // Who waits for a word of somebody else is told again; a gateway that is alone would stand by for ever.
  if (into.start == Start::standby) into.fence_after = 1s;
  table.optional("fence_after", into.fence_after, duration(0ms, 1h));
  const auto fence = table.find("fence_after");
  if (fence && into.fence_after > 0ms && into.fence_after < 100ms) {
    report(*fence, diagnostics, "under 100ms a busy machine would be taken for a stopped one; \"0s\" is never");
  }
  table.optional("replicate", into.replicate, redis_socket);
}

}  // namespace sallyport::config
