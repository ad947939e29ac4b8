#include "src/command_trace.h"

#include <cstdio>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

#include "src/control_choice.h"
#include "src/tap_client.h"
#include "src/trace_text.h"

namespace sallyport {
namespace {

// As it comes, also into a pipe. False: nobody reads any more.
bool print(std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
}

bool print_sighting(const Json& sighting, bool as_json, const Style& style) {
  if (as_json) return print(sighting.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n');
  return print(trace_text(sighting, style) + '\n');
}

}  // namespace

ExitCode trace_command(const TraceOptions& options) {
  ExitCode refused{};
  const std::string socket = socket_of(options.follow.config, options.follow.control_socket, refused);
  if (socket.empty()) return refused;
  const Style style(STDOUT_FILENO);
  const TapLimits limits{options.follow.count, options.follow.seconds};
  const auto take = [&](const Json& line) -> std::optional<std::uint64_t> {
    if (text_at(line, "event_type") != "trace") {
      fmt::print(stderr, "following packets; Ctrl-C ends it\n");
      return 0;
    }
    if (!print_sighting(line, options.json, style)) return std::nullopt;
    return 1;
  };
  const End end = follow_packets(socket, {options.follow.filter, 0, false}, limits, take);
  if (end.status == ExitCode::done && !end.message.empty()) fmt::print(stderr, "{}\n", end.message);
  return tell(end);
}

}  // namespace sallyport
