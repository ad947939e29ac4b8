#include "src/options_follow.h"

#include <charconv>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "src/explain_words.h"

namespace sallyport {
namespace {

using Wrong = WrongOption;

constexpr std::uint64_t seconds_max = std::uint64_t{7} * 24 * 3600;
constexpr std::uint64_t count_max = 1'000'000'000'000;
constexpr std::uint64_t snap_bytes_max = 65535;

constexpr const char* filter_help =
    "\nFILTER is an expression as tcpdump takes it (pcap-filter(7)), of IP packets: \"host 10.1.2.3 and tcp port "
    "443\".\n"
    "A packet matches as it is on a wire, or as its client knows it: an answer is found by the client's address, "
    "too.\n";

void add_follow(Grammar& grammar) {
  grammar.text("count", "N", "end after so many")
      .text("seconds", "S", "end after so long")
      .text("config", "FILE", "the appliance: its control socket is asked")
      .text("socket", "PATH", "control socket (default: that of --config, or /run/sallyport/control.sock)");
  grammar.hidden.add_options()("filter", po::value<Arguments>());
  grammar.positions.add("filter", -1);
}

std::uint64_t number(const Values& values, const Grammar& grammar, const char* name, std::uint64_t most) {
  const std::string text = values.text(name);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0 || value > most) {
    throw Wrong{fmt::format("{}: --{}: \"{}\" is no number from 1 to {}", grammar.command, name, text, most)};
  }
  return value;
}

FollowOptions follow_options(const Values& values, const Grammar& grammar) {
  FollowOptions options;
  options.config = values.text("config");
  options.control_socket = values.text("socket");
  for (const std::string& word : values.texts("filter")) options.filter += (options.filter.empty() ? "" : " ") + word;
  if (values.has("count")) options.count = number(values, grammar, "count", count_max);
  if (values.has("seconds"))
    options.seconds = static_cast<std::uint32_t>(number(values, grammar, "seconds", seconds_max));
  return options;
}

void choose_sides(const Arguments& sides, CaptureOptions& options) {
  if (sides.empty()) return;
  options.inside = options.outside = options.dropped = false;
  for (const std::string& side : sides) {
    if (side == "inside") {
      options.inside = true;
    } else if (side == "outside") {
      options.outside = true;
    } else if (side == "dropped") {
      options.dropped = true;
    } else {
      throw Wrong{fmt::format("capture: --side: \"{}\" is none of inside, outside, dropped", side)};
    }
  }
}

}  // namespace

CommandLine parse_top(const Arguments& arguments) {
  Grammar grammar("top");
  grammar.flag("once", "one picture, as it is without a terminal")
      .text("config", "FILE", "the appliance: its control socket is asked")
      .text("socket", "PATH", "control socket (default: that of --config, or /run/sallyport/control.sock)");
  const Values values(grammar, arguments);
  if (auto help = help_asked(grammar, values)) return *help;
  return TopOptions{values.text("config"), values.text("socket"), values.has("once")};
}

CommandLine parse_trace(const Arguments& arguments) {
  Grammar grammar("trace");
  grammar.flag("json", "one object a line");
  add_follow(grammar);
  const Values values(grammar, arguments);
  if (auto help = help_asked(grammar, values)) {
    help->text += filter_help;
    return *help;
  }
  return TraceOptions{follow_options(values, grammar), values.has("json")};
}

CommandLine parse_capture(const Arguments& arguments) {
  Grammar grammar("capture");
  grammar.text("out", "FILE|-", "where to (default: -, the standard output)")
      .list("side", "inside|outside|dropped",
            "frames on the inside or outside wires, or of packets that ended under a reason; may be given again "
            "(default: inside and outside)")
      .text("snaplen", "N", "bytes of a frame at most (default: 65535)");
  add_follow(grammar);
  const Values values(grammar, arguments);
  if (auto help = help_asked(grammar, values)) {
    help->text += filter_help;
    return *help;
  }
  CaptureOptions options;
  options.follow = follow_options(values, grammar);
  options.out = values.text("out", options.out);
  choose_sides(values.texts("side"), options);
  if (values.has("snaplen")) {
    options.snap_bytes = static_cast<std::uint32_t>(number(values, grammar, "snaplen", snap_bytes_max));
  }
  return options;
}

}  // namespace sallyport
