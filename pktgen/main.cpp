// sallyport-pktgen: the other end of the wire.

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <new>
#include <span>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "dataplane/io/environment_error.h"
#include "dataplane/io/generator_ports.h"
#include "pktgen/capture_check.h"
#include "pktgen/captured_frames.h"
#include "pktgen/connect_source.h"
#include "pktgen/far_side.h"
#include "pktgen/host_names.h"
#include "pktgen/mixed.h"
#include "pktgen/options.h"
#include "pktgen/replay_source.h"
#include "pktgen/report.h"
#include "pktgen/search_run.h"
#include "pktgen/traffic.h"
#include "pktgen/udp_source.h"

namespace {

using namespace sallyport;
using namespace sallyport::pktgen;
using dataplane::EnvironmentError;
using dataplane::GeneratorPorts;

constexpr int done = 0;
constexpr int no = 1;
constexpr int wrong_usage = 2;
constexpr int environment = 3;

// What DPDK itself has to say stands in the error, where it led to one.
void log(dataplane::Severity severity, const std::string& text) {
  if (severity == dataplane::Severity::info || text.starts_with("DPDK: ")) return;
  fmt::print(stderr, "sallyport-pktgen: {}\n", text);
}

std::vector<std::string> devices(const CommonOptions& options) {
  std::vector<std::string> all = {options.device};
  if (!options.receive_device.empty()) all.push_back(options.receive_device);
  return all;
}

dataplane::MacAddress everybody() { return {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}; }

// `serve` speaks when it is spoken to.
class NothingToSend final : public Source {
 public:
  explicit NothingToSend(const FarSide& far_side) : far_side_(far_side) {}
  std::optional<std::size_t> due(std::uint64_t, std::size_t) override { return 0; }
  std::uint32_t write(std::uint64_t, std::uint8_t*) override { return 0; }
  Recognised recognise(std::span<const std::uint8_t>, std::optional<std::uint64_t>&) override {
    return Recognised::foreign;
  }
  [[nodiscard]] std::string progress() const override { return fmt::format("answered {}", far_side_.answered()); }

 private:
  const FarSide& far_side_;
};

// Two million a second: an endpoint that served a run before is told from then.
std::uint32_t sequence_clock() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count() << 11U);
}

// Where a gateway was named it has to answer.
std::optional<dataplane::MacAddress> destination(Traffic& traffic, const CommonOptions& options) {
  const auto found = traffic.destination();
  if (!found && options.gateway) {
    throw EnvironmentError(fmt::format("nobody answers for {} on {}: is it the gateway's address there?",
                                       to_string(*options.gateway), options.device));
  }
  return found;
}

// Tells what comes late from a run before, or from one beside this one.
std::uint64_t number_of_this_run() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return mixed(static_cast<std::uint64_t>(now.count())) ^ static_cast<std::uint64_t>(getpid());
}

int tell(const std::string& problem, int status) {
  if (problem.empty()) return done;
  fmt::print(stderr, "sallyport-pktgen: {}\n", problem);
  return status;
}

// Of a broken capture what stands before the break is sent, and the exit status says that this was not all.
int tell_capture(const CapturedFrames& frames, const std::string& path) {
  const bool unreadable = frames.error() && frames.error()->kind == CaptureError::Kind::unreadable;
  return tell(capture_error(frames, path), unreadable ? environment : no);
}

// What the devices cannot send is left out; `done` where something remains.
int prepare(CapturedFrames& frames, const ReplayOptions& options, const GeneratorPorts& ports) {
  frames.drop_larger_than(ports.frame_bytes_max());
  if (frames.all().empty()) return tell_capture(frames, options.capture);
  if (const int status = tell(copies_error(frames, options), wrong_usage); status != done) return status;
  (void)tell(duration_warning(frames, options), done);
  return done;
}

// Opened before the search, so that a path that will not do is found before hours have passed.
class Plot {
 public:
  explicit Plot(const std::string& path) : path_(path) {
    if (!path.empty()) file_.open(path);
  }
  [[nodiscard]] bool good() const { return path_.empty() || told(file_.is_open() && file_.good()); }
  [[nodiscard]] bool write(const SearchReport& report) {
    if (path_.empty()) return true;
    file_ << to_svg(report);
    file_.close();
    return told(file_.good());
  }

 private:
  [[nodiscard]] bool told(bool good) const {
    if (!good) {
      fmt::print(stderr, "sallyport-pktgen: {}: {}: name a file in a folder that is there and may be written\n", path_,
                 std::strerror(errno));
    }
    return good;
  }
  const std::string& path_;
  std::ofstream file_;
};

int print(Report report, const char* mode, std::string order, bool json) {
  report.mode = mode;
  report.order = std::move(order);
  fmt::print("{}{}", json ? to_json(report) : to_text(report), json ? "\n" : "");
  return done;
}

struct Run {
  int operator()(UdpOptions options) const {
    options.run = number_of_this_run();
    GeneratorPorts ports(devices(options.common), options.common.mtu, log);
    Traffic traffic(ports, options.common);
    UdpSource source(options, ports.mac(0), destination(traffic, options.common).value_or(everybody()));
    traffic.run(source);
    Report report = traffic.take_report();
    report.reordered = report.reordered.value_or(0);
    return print(std::move(report), "udp", options.random_order ? "random" : "cyclic", options.common.json);
  }
  int operator()(const ReplayOptions& options) const {
    CapturedFrames frames(options.capture);
    const int broken = tell_capture(frames, options.capture);
    if (frames.all().empty()) return broken;
    GeneratorPorts ports(devices(options.common), options.common.mtu, log);
    if (const int status = prepare(frames, options, ports); status != done) return status;
    Traffic traffic(ports, options.common);
    ReplaySource source(options, frames, ports.mac(0), destination(traffic, options.common));
    traffic.run(source);
    Report report = traffic.take_report();
    report.skipped = frames.skipped();
    report.skipped_control = frames.control();
    (void)print(std::move(report), "replay", "", options.common.json);
    return broken;
  }
  int operator()(ConnectOptions options) const {
    const auto names = read_host_names(options.names);
    if (const auto* error = std::get_if<HostNamesError>(&names)) {
      fmt::print(stderr, "sallyport-pktgen: {}\n", error->message);
      return error->unreadable ? environment : no;
    }
    GeneratorPorts ports(devices(options.common), options.common.mtu, log);
    FarSide far_side(options.to, options.port, options.common.mtu);
    options.sequence_base = sequence_clock();
    // The source ends by itself: it has to close what it has opened.
    CommonOptions common = options.common;
    common.seconds.reset();
    Traffic traffic(ports, common, options.far_side_here ? &far_side : nullptr);
    ConnectSource source(options, std::get<std::vector<std::string>>(names), ports.mac(0),
                         destination(traffic, options.common).value_or(everybody()));
    traffic.run(source);
    ConnectReport report = source.report();
    report.missed = traffic.take_report().missed;
    fmt::print("{}{}", options.common.json ? to_json(report) : to_text(report), options.common.json ? "\n" : "");
    return done;
  }
  int operator()(SearchOptions options) const {
    std::optional<CapturedFrames> frames;
    int broken = done;
    if (const auto* replay = std::get_if<ReplayOptions>(&options.traffic)) {
      broken = tell_capture(frames.emplace(replay->capture), replay->capture);
      if (frames->all().empty()) return broken;
    } else {
      std::get<UdpOptions>(options.traffic).run = number_of_this_run();
    }
    Plot plot(options.plot);
    if (!plot.good()) return environment;
    const CommonOptions& common = common_of(options);
    GeneratorPorts ports(devices(common), common.mtu, log);
    if (frames) {
      const int status = prepare(*frames, std::get<ReplayOptions>(options.traffic), ports);
      if (status != done) return status;
    }
    Traffic traffic(ports, common);
    SearchRun search(ports, options, frames ? &*frames : nullptr, destination(traffic, common));
    const SearchReport report = search.run();
    fmt::print("{}{}", common.json ? to_json(report) : to_text(report), common.json ? "\n" : "");
    if (!plot.write(report)) return environment;
    return report.finished() ? broken : tell("interrupted before every limit had its rate", no);
  }
  int operator()(const ServeOptions& options) const {
    GeneratorPorts ports(devices(options.common), options.common.mtu, log);
    FarSide far_side(options.common.mtu);
    Traffic traffic(ports, options.common, &far_side);
    NothingToSend source(far_side);
    traffic.run(source);
    const char* form =
        options.common.json ? "{{\"mode\": \"serve\", \"answered\": {}}}\n" : "serve\nanswered {} packets\n";
    fmt::print(fmt::runtime(form), far_side.answered());
    return done;
  }
  int operator()(const HelpText& help) const {
    fmt::print("{}", help.text);
    return done;
  }
  int operator()(const UsageError& error) const {
    fmt::print(stderr, "sallyport-pktgen: {}\n", error.message);
    return wrong_usage;
  }
};

void tell_of_lost_output(const std::string& why) {
  fmt::print(stderr, "sallyport-pktgen: the output could not be written: {}: make room and try again\n", why);
}

}  // namespace

int main(int count, char** words) {
  try {
    const std::span<const char* const> arguments(words, static_cast<std::size_t>(count));
    const int answer = std::visit(Run{}, parse_command_line(arguments.subspan(count > 0 ? 1 : 0)));
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return answer;
    tell_of_lost_output(std::strerror(errno));
  } catch (const EnvironmentError& error) {
    fmt::print(stderr, "sallyport-pktgen: {}\n", error.what());
  } catch (const std::system_error& error) {
    tell_of_lost_output(error.code().message());
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "sallyport-pktgen: not enough memory: free some and try again\n");
  }
  return environment;
}
