#include "pktgen/connect_source.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "dataplane/io/generator_ports.h"

namespace sallyport::pktgen {
namespace {

using dataplane::GeneratorPorts;

std::uint64_t in_cycles(double seconds) {
  return static_cast<std::uint64_t>(seconds * static_cast<double>(GeneratorPorts::cycles_per_second()));
}

double in_seconds(std::uint64_t cycles) {
  return static_cast<double>(cycles) / static_cast<double>(GeneratorPorts::cycles_per_second());
}

}  // namespace

ConnectSource::ConnectSource(const ConnectOptions& options, std::vector<std::string> names,
                             const dataplane::MacAddress& source, const dataplane::MacAddress& destination)
    : connections_(options, std::move(names), source, destination, GeneratorPorts::cycles_per_second()),
      pace_(options.rate, GeneratorPorts::cycles_per_second()),
      rate_(options.rate),
      sources_(options.sources),
      opening_cycles_(options.common.seconds ? in_cycles(*options.common.seconds)
                                             : std::numeric_limits<std::uint64_t>::max()),
      timeout_cycles_(in_cycles(options.timeout)) {}

std::optional<std::size_t> ConnectSource::due(std::uint64_t now_cycles, std::size_t most) {
  advance(now_cycles);
  std::size_t due = std::min(most, connections_.waiting());
  if (phase_ == Phase::over) return due == 0 ? std::nullopt : std::optional(due);
  if (due == most) return due;
  if (phase_ == Phase::opening) {
    due += connections_.room(now_cycles, pace_.due(now_cycles, most - due));
  } else if (phase_ == Phase::closing) {
    const std::size_t closed = connections_.close_some(now_cycles, pace_.due(now_cycles, most - due));
    pace_.taken(closed);
    due += closed;
    if (closed != 0 || !connections_.all_seen()) last_close_ = now_cycles;
  }
  return due;
}

void ConnectSource::advance(std::uint64_t now_cycles) {
  if (began_ == 0) began_ = now_cycles;
  connections_.expire(now_cycles);
  if (phase_ == Phase::opening) {
    opened_for_ = now_cycles - began_;
    if (opened_for_ >= opening_cycles_) phase_ = Phase::settling;
  } else if (phase_ == Phase::settling && connections_.under_way() == 0) {
    phase_ = Phase::closing;
  } else if (phase_ == Phase::closing && connections_.all_seen()) {
    const bool answered = connections_.closing() == 0;
    if (!answered && now_cycles - last_close_ < timeout_cycles_) return;
    connections_.expire_closing();
    phase_ = Phase::over;
  }
}

// What the others have to say goes first; then a new connection begins.
std::uint32_t ConnectSource::write(std::uint64_t now_cycles, std::uint8_t* bytes) {
  if (connections_.waiting() == 0) {
    connections_.begin(now_cycles);
    pace_.taken(1);
  }
  last_frame_ = now_cycles;
  return connections_.write(now_cycles, bytes);
}

Recognised ConnectSource::recognise(std::span<const std::uint8_t> frame, std::optional<std::uint64_t>&) {
  const std::uint64_t now_cycles = GeneratorPorts::cycles();
  if (!connections_.take(now_cycles, frame)) return Recognised::foreign;
  last_frame_ = now_cycles;
  return Recognised::ours;
}

bool ConnectSource::wind_up() {
  if (phase_ == Phase::opening) phase_ = Phase::settling;
  return true;
}

std::string ConnectSource::progress() const {
  const ConnectReport& report = connections_.report();
  return fmt::format("attempted {}, answered {}, open {}, reset {}, timed out {}", report.attempted, report.answered,
                     report.open, report.reset, report.timed_out());
}

ConnectReport ConnectSource::report() const {
  ConnectReport report = connections_.report();
  report.seconds = in_seconds(opened_for_);
  report.frames_seconds = last_frame_ > began_ ? in_seconds(last_frame_ - began_) : 0;
  report.rate = rate_;
  report.sources = sources_;
  report.open = connections_.not_ended();
  return report;
}

}  // namespace sallyport::pktgen
