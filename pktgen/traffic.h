// The loop of every mode: send what is due, take what comes back, answer the gateway's questions about its neighbours.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "dataplane/io/generator_ports.h"
#include "pktgen/far_side.h"
#include "pktgen/neighbours.h"
#include "pktgen/options.h"
#include "pktgen/recognised.h"
#include "pktgen/report.h"

namespace sallyport::pktgen {

// What one mode sends, and how it knows its packets again.
class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  // How many frames may go out now, at most `most`; none: nothing more, ever.
  [[nodiscard]] virtual std::optional<std::size_t> due(std::uint64_t now_cycles, std::size_t most) = 0;
  // The next frame; how many bytes (0: there is none any more).
  [[nodiscard]] virtual std::uint32_t write(std::uint64_t now_cycles, std::uint8_t* bytes) = 0;
  // Of a frame that came in: one of ours? `sent_cycles` is set where it is known.
  [[nodiscard]] virtual Recognised recognise(std::span<const std::uint8_t> frame,
                                             std::optional<std::uint64_t>& sent_cycles) = 0;
  // SIGINT or SIGTERM came: begins to end, as it would by itself. False: it has nothing to end, and is left where it
  // is.
  [[nodiscard]] virtual bool wind_up() { return false; }
  // When all is sent, for what is missing. RFC 2544 section 23: two seconds for frames that are late.
  [[nodiscard]] virtual std::chrono::milliseconds wait_for_late() const { return std::chrono::seconds(2); }
  // For people who wait; empty: how many packets were sent and received.
  [[nodiscard]] virtual std::string progress() const { return {}; }
};

class Traffic {
 public:
  // Port 0 sends; all receive. What comes in is the far side's first, where there is one, and goes back where it came
  // from.
  Traffic(dataplane::GeneratorPorts& ports, const CommonOptions& options, FarSide* far_side = nullptr);

  // The MAC address to send to: as given, or that of the gateway, asked for. None: nobody answered; or not wanted.
  [[nodiscard]] std::optional<dataplane::MacAddress> destination();
  // Until the source is at its end, the seconds are over, or SIGINT or SIGTERM came and the source has wound up; then
  // waits for what is on its way. A second signal ends it at once. Throws EnvironmentError where the device takes
  // nothing: all the seconds long, or for ten of them.
  void run(Source& source);
  // Stands in front of the progress line.
  void set_title(std::string title) { title_ = std::move(title); }
  // SIGINT or SIGTERM came, to this Traffic or one before.
  [[nodiscard]] static bool interrupted() noexcept;
  [[nodiscard]] Report take_report() { return std::move(report_); }

 private:
  using Clock = std::chrono::steady_clock;
  void send(Source& source, std::uint64_t now, std::size_t count);
  [[nodiscard]] std::size_t push(Source& source, std::span<const dataplane::Packet> ready);
  [[nodiscard]] bool wait_for_device(const Source& source);
  bool receive(Source* source);
  [[nodiscard]] static bool has_to_stop(Source& source);
  void take(Source& source, std::span<const std::uint8_t> frame);
  void send_control(std::size_t port, const Frame& frame);
  void send_answers(std::size_t port, std::span<const dataplane::Packet> answers);
  void drain(Source& source);
  void show_progress(const Source& source);

  dataplane::GeneratorPorts& ports_;
  const CommonOptions& options_;
  FarSide* const far_side_;
  const Neighbours neighbours_;
  const double nanoseconds_a_cycle_;
  std::optional<IpAddress> wanted_;
  std::optional<dataplane::MacAddress> found_;
  Report report_;
  const std::uint64_t missed_before_;
  std::string title_;
  bool terminal_;
  Clock::time_point shown_;
  Clock::time_point end_ = Clock::time_point::max();
  std::optional<Clock::time_point> refused_since_;  // the device takes nothing
  bool refused_for_good_ = false;
};

}  // namespace sallyport::pktgen
