#include "pktgen/traffic.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

namespace sallyport::pktgen {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using dataplane::GeneratorPorts;
using dataplane::Packet;

constexpr std::size_t burst = 32;
constexpr auto ask_every = 200ms;
constexpr auto ask_for = 3s;
constexpr auto quiet = 200ms;  // after the last packet that came back
constexpr auto drain_most = 2s;

volatile std::sig_atomic_t signalled = 0;  // once, or more often
void note_signal(int) { signalled = signalled == 0 ? 1 : 2; }

std::span<const std::uint8_t> bytes_of(const Packet& packet) { return {packet.data, packet.length}; }

}  // namespace

Traffic::Traffic(GeneratorPorts& ports, const CommonOptions& options, FarSide* far_side)
    : ports_(ports),
      options_(options),
      far_side_(far_side),
      neighbours_(options.answer),
      nanoseconds_a_cycle_(1e9 / static_cast<double>(GeneratorPorts::cycles_per_second())),
      missed_before_(ports.missed()),
      terminal_(isatty(STDERR_FILENO) == 1),
      shown_(Clock::now()) {
  std::signal(SIGINT, note_signal);
  std::signal(SIGTERM, note_signal);
}

bool Traffic::interrupted() noexcept { return signalled != 0; }

bool Traffic::has_to_stop(Source& source) { return signalled > 1 || (signalled != 0 && !source.wind_up()); }

std::optional<dataplane::MacAddress> Traffic::destination() {
  if (options_.destination_mac || !options_.gateway) return options_.destination_mac;
  wanted_ = options_.gateway;
  const Clock::time_point begin = Clock::now();
  Clock::time_point asked = begin - ask_every;
  while (!found_ && !interrupted() && Clock::now() - begin < ask_for) {
    if (Clock::now() - asked >= ask_every) {
      send_control(0, Neighbours::question(*wanted_, ports_.mac(0)));
      asked = Clock::now();
    }
    (void)receive(nullptr);
  }
  return found_;
}

void Traffic::run(Source& source) {
  const Clock::time_point begin = Clock::now();
  const auto end =
      options_.seconds
          ? begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(*options_.seconds))
          : Clock::time_point::max();
  Clock::time_point now = begin;
  while (!has_to_stop(source) && now < end) {
    const std::uint64_t cycles = GeneratorPorts::cycles();
    const std::optional<std::size_t> due = source.due(cycles, burst);
    if (!due) break;
    if (*due != 0) send(source, cycles, *due);
    (void)receive(&source);
    now = Clock::now();
    if (terminal_ && now - shown_ >= 1s) show_progress(source);
  }
  report_.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  drain(source);
  report_.missed = ports_.missed() - missed_before_;
  if (terminal_) fmt::print(stderr, "\r{:78}\r", "");
}

void Traffic::send(Source& source, std::uint64_t now, std::size_t count) {
  std::array<Packet, burst> frames;
  const std::span<Packet> all = std::span(frames).first(count);
  if (!ports_.take(all)) return;  // all buffers are on their way
  std::size_t filled = 0;
  for (Packet& frame : all) {
    frame.length = source.write(now, frame.data);
    if (frame.length == 0) {
      ++report_.skipped;
      continue;
    }
    std::swap(frames[filled++], frame);
  }
  const std::span<const Packet> ready = all.first(filled);
  std::size_t sent = 0;
  // What the device does not take at once it takes soon: nothing that was made is thrown away.
  while (sent < filled && !has_to_stop(source)) {
    const std::size_t taken = ports_.send(0, ready.subspan(sent));
    for (const Packet& frame : ready.subspan(sent, taken)) {
      ++report_.sent.packets;
      report_.sent.bytes += frame.length;
    }
    sent += taken;
    if (taken == 0) (void)receive(&source);
  }
  ports_.give_back(all.subspan(sent));
}

bool Traffic::receive(Source* source) {
  bool any = false;
  std::array<Packet, burst> frames;
  for (std::size_t port = 0; port < ports_.count(); ++port) {
    const std::size_t count = ports_.receive(port, frames);
    any = any || count != 0;
    std::size_t answers = 0;  // at the front of all
    for (std::size_t i = 0; i < count; ++i) {
      Packet& frame = frames[i];
      if (Neighbours::is_control(bytes_of(frame))) {
        if (wanted_ && !found_) found_ = Neighbours::found(bytes_of(frame), *wanted_);
        send_control(port, neighbours_.answer(bytes_of(frame), ports_.mac(port)));
      } else if (far_side_ != nullptr && far_side_->answer(frame)) {
        std::swap(frames[answers++], frame);
      } else if (source != nullptr) {
        take(*source, bytes_of(frame));
      }
    }
    send_answers(port, std::span(frames).first(answers));
    ports_.give_back(std::span(frames).subspan(answers, count - answers));
  }
  return any;
}

void Traffic::take(Source& source, std::span<const std::uint8_t> frame) {
  std::optional<std::uint64_t> sent_cycles;
  if (!source.recognise(frame, sent_cycles)) return;
  ++report_.received.packets;
  report_.received.bytes += frame.size();
  if (!sent_cycles) return;
  const std::uint64_t now = GeneratorPorts::cycles();
  const std::uint64_t cycles = now > *sent_cycles ? now - *sent_cycles : 0;
  report_.latency.add(static_cast<std::uint64_t>(static_cast<double>(cycles) * nanoseconds_a_cycle_));
}

void Traffic::send_control(std::size_t port, const Frame& frame) {
  std::array<Packet, 1> packet;
  if (frame.empty() || !ports_.take(packet)) return;
  std::memcpy(packet[0].data, frame.data(), frame.size());
  packet[0].length = static_cast<std::uint32_t>(frame.size());
  if (ports_.send(port, packet) == 0) ports_.give_back(packet);
}

// What a full device does not take is lost, as on a wire that is full.
void Traffic::send_answers(std::size_t port, std::span<const Packet> answers) {
  const std::size_t taken = ports_.send(port, answers);
  ports_.give_back(answers.subspan(taken));
}

void Traffic::drain(Source& source) {
  const Clock::time_point begin = Clock::now();
  Clock::time_point last = begin;
  while (signalled < 2 && report_.received.packets < report_.sent.packets) {
    const Clock::time_point now = Clock::now();
    const std::uint64_t before = report_.received.packets;
    (void)receive(&source);
    if (report_.received.packets != before) last = now;
    if (now - last >= quiet || now - begin >= drain_most) return;
  }
}

void Traffic::show_progress(const Source& source) {
  std::string line = source.progress();
  if (line.empty()) line = fmt::format("sent {}, received {}", report_.sent.packets, report_.received.packets);
  fmt::print(stderr, "\r{:<78}", title_ + line);
  std::fflush(stderr);
  shown_ = Clock::now();
}

}  // namespace sallyport::pktgen
