#include "pktgen/traffic.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

#include "dataplane/io/environment_error.h"

namespace sallyport::pktgen {
namespace {

using namespace std::chrono_literals;
using dataplane::EnvironmentError;
using dataplane::GeneratorPorts;
using dataplane::Packet;

constexpr std::size_t burst = 32;
constexpr auto ask_every = 200ms;
constexpr auto ask_for = 3s;
constexpr auto device_patience = 10s;

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
  if (options_.seconds)
    end_ = begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(*options_.seconds));
  Clock::time_point now = begin;
  while (!has_to_stop(source) && !refused_for_good_ && now < end_) {
    const std::uint64_t cycles = GeneratorPorts::cycles();
    const std::optional<std::size_t> due = source.due(cycles, burst);
    if (!due) break;
    if (*due != 0) send(source, cycles, *due);
    (void)receive(&source);
    now = Clock::now();
    if (terminal_ && now - shown_ >= 1s) show_progress(source);
  }
  report_.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  const bool nothing = report_.sent.packets == 0 && refused_since_ && !interrupted();
  if (!nothing && !refused_for_good_) drain(source);
  report_.missed = ports_.missed() - missed_before_;
  if (terminal_) fmt::print(stderr, "\r{:78}\r", "");
  if (nothing || refused_for_good_) {
    throw EnvironmentError(
        fmt::format("{} took no packet for {:.1f} s: see that its link is up and its other end is there",
                    options_.device, std::chrono::duration<double>(Clock::now() - *refused_since_).count()));
  }
}

void Traffic::send(Source& source, std::uint64_t now, std::size_t count) {
  std::array<Packet, burst> frames;
  const std::span<Packet> all = std::span(frames).first(count);
  if (!ports_.take(all)) return;  // all buffers are on their way
  std::size_t filled = 0;
  for (Packet& frame : all) {
    frame.length = source.write(now, frame.data);
    if (frame.length != 0) std::swap(frames[filled++], frame);
  }
  ports_.give_back(all.subspan(push(source, all.first(filled))));
}

// What the device does not take at once it takes soon: nothing that was made is thrown away before the end.
std::size_t Traffic::push(Source& source, std::span<const Packet> ready) {
  std::size_t sent = 0;
  while (sent < ready.size() && !has_to_stop(source)) {
    const std::size_t taken = ports_.send(0, ready.subspan(sent));
    for (const Packet& frame : ready.subspan(sent, taken)) {
      ++report_.sent.packets;
      report_.sent.bytes += frame.length;
    }
    sent += taken;
    if (taken != 0) {
      refused_since_.reset();
      continue;
    }
    (void)receive(&source);
    if (!wait_for_device(source)) break;
  }
  return sent;
}

// Until the seconds are over; where there are none, or nothing at all was sent, for as long as a link may take to come
// up.
bool Traffic::wait_for_device(const Source& source) {
  const Clock::time_point now = Clock::now();
  if (!refused_since_) refused_since_ = now;
  if (terminal_ && now - shown_ >= 1s) show_progress(source);
  const bool no_end = !options_.seconds || report_.sent.packets == 0;
  if (no_end && now - *refused_since_ >= device_patience) refused_for_good_ = true;
  return now < end_ && !refused_for_good_;
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
      } else if (far_side_ != nullptr && far_side_->answer(frame, ports_.mac(port))) {
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
  const Recognised found = source.recognise(frame, sent_cycles);
  if (found == Recognised::foreign) {
    ++report_.foreign;
    return;
  }
  if (found == Recognised::repeated) {
    ++report_.repeated;
    return;
  }
  if (found == Recognised::late) report_.reordered = report_.reordered.value_or(0) + 1;
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
  const Clock::time_point end = Clock::now() + source.wait_for_late();
  while (signalled < 2 && report_.received.packets < report_.sent.packets && Clock::now() < end) (void)receive(&source);
}

void Traffic::show_progress(const Source& source) {
  std::string line = source.progress();
  if (line.empty()) line = fmt::format("sent {}, received {}", report_.sent.packets, report_.received.packets);
  fmt::print(stderr, "\r{:<78}", title_ + line);
  std::fflush(stderr);
  shown_ = Clock::now();
}

}  // namespace sallyport::pktgen
