#include "src/tap_answer.h"

#include <array>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "dataplane/io/bpf_filter.h"
#include "dataplane/tap/sighting.h"
#include "dataplane/tap/tap.h"
#include "src/sighting_json.h"

namespace sallyport {
namespace {

using namespace std::chrono_literals;
using dataplane::Gateway;
using dataplane::Tap;
using Json = nlohmann::ordered_json;

constexpr std::size_t sightings_a_turn = 256;  // of a worker, before the others and the client are looked after
constexpr auto nap = 5ms;

class Attached {
 public:
  Attached(Gateway& gateway, Tap& tap) : gateway_(gateway), tap_(tap), attached_(gateway.attach(tap)) {}
  ~Attached() { detach(); }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;
  explicit operator bool() const noexcept { return attached_; }
  void detach() {
    if (std::exchange(attached_, false)) gateway_.detach(tap_);
  }

 private:
  Gateway& gateway_;
  Tap& tap_;
  bool attached_;
};

std::string ports_line(const std::vector<dataplane::PortStatus>& ports) {
  constexpr std::array<std::string_view, 3> roles = {"inside", "outside", "both"};
  Json list = Json::array();
  for (const dataplane::PortStatus& port : ports) {
    list.push_back({{"name", port.name}, {"role", roles[static_cast<std::size_t>(port.role)]}});
  }
  return Json{{"event_type", "tap"}, {"ports", std::move(list)}}.dump();
}

class Telling {
 public:
  Telling(Tap& tap, const Reloader& reloader, SightingNames names, AnswerLines& lines)
      : tap_(tap), reloader_(reloader), names_(std::move(names)), lines_(lines) {}

  // Until the client leaves.
  void follow() {
    bool busy = false;
    while (!lines_.wait_for_leave(busy ? 0ms : nap)) {
      busy = turn();
      if (!lines_.flush()) return;
    }
  }
  // What the tap, detached, has seen by then.
  void finish() {
    while (turn() && lines_.flush()) {
    }
  }
  [[nodiscard]] std::uint64_t told() const noexcept { return told_; }

 private:
  bool turn() {
    bool any = false;
    for (std::uint32_t worker = 0; worker < tap_.workers(); ++worker) {
      dataplane::BlobRing& ring = tap_.ring(worker);
      for (std::size_t i = 0; i < sightings_a_turn; ++i, ring.pop()) {
        const dataplane::BlobRing::Piece blob = ring.front();
        if (blob.data() == nullptr) break;
        any = true;
        ++told_;
        // Asked for after the sighting was taken, so these names cover it.
        names_.live = reloader_.live();
        if (!lines_.send(to_json(dataplane::Sighting::of(blob), names_))) return any;
      }
    }
    return any;
  }

  Tap& tap_;
  const Reloader& reloader_;
  SightingNames names_;
  AnswerLines& lines_;
  std::uint64_t told_ = 0;
};

}  // namespace

End answer_tap(Gateway& gateway, const Reloader& reloader, const ApplianceView& appliance, const TapRequest& request,
               AnswerLines& lines) {
  dataplane::TapSettings settings{nullptr, request.snap_bytes, request.only_ended};
  try {
    if (!request.filter.empty()) settings.filter = std::make_unique<dataplane::BpfFilter>(request.filter);
  } catch (const std::invalid_argument& error) {
    return {ExitCode::usage,
            fmt::format("filter \"{}\": {} (see pcap-filter(7); it is of IP packets, without link headers)",
                        request.filter, error.what())};
  }
  Tap tap(std::move(settings), gateway.workers());
  Attached attached(gateway, tap);
  if (!attached) {
    return {ExitCode::environment, "as many follow packets already as may at once: wait until one of them ends"};
  }
  const std::vector<dataplane::PortStatus> ports = gateway.ports();
  lines.send(ports_line(ports));
  std::vector<std::string> port_names;
  port_names.reserve(ports.size());
  for (const dataplane::PortStatus& port : ports) port_names.push_back(port.name);
  Telling telling(tap, reloader, {std::move(port_names), reloader.live(), appliance}, lines);
  telling.follow();
  attached.detach();
  telling.finish();
  return {ExitCode::done,
          fmt::format("{} packets, {} lost because nobody took them in time", telling.told(), tap.lost())};
}

}  // namespace sallyport
