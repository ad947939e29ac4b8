#include "src/command_show.h"

#include <chrono>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "src/control_choice.h"
#include "src/control_client.h"
#include "src/show_text.h"
#include "src/terminal.h"

namespace sallyport {
namespace {

// False: nobody reads any more (`sallyport show flows | head`).
bool print(std::string_view text) { return std::fwrite(text.data(), 1, text.size(), stdout) == text.size(); }

// A line a flow, as it comes: a million flows are never all in memory, neither here nor where they are read.
End show_flows_json(const ShowOptions& options, const Request& request) {
  return ask_gateway(options.control_socket, request,
                     [&](std::string_view record) { return print(record) && print("\n"); });
}

End show_flows_text(const ShowOptions& options, const Request& request) {
  const Style style(STDOUT_FILENO);
  bool first = true;
  return ask_gateway(options.control_socket, request, [&](std::string_view record) {
    if (std::exchange(first, false) && !print(flow_headings(style))) return false;
    return print(flow_text(record));
  });
}

End show_one(const ShowOptions& options, const Request& request) {
  return ask_gateway(options.control_socket, request, [&](std::string_view line) {
    if (!options.json) return print(show_text(options.topic, line, Style(STDOUT_FILENO)));
    return print(nlohmann::ordered_json::parse(line, nullptr, false).dump(2) + '\n');
  });
}

}  // namespace

ExitCode show_command(ShowOptions options) {
  ExitCode refused{};
  options.control_socket = socket_of(options.config, options.control_socket, refused);
  if (options.control_socket.empty()) return refused;
  const Request request{std::string(to_string(options.topic))};
  if (options.topic != ShowTopic::flows) return tell(show_one(options, request));
  return tell(options.json ? show_flows_json(options, request) : show_flows_text(options, request));
}

ExitCode reload_command(const ReloadOptions& options) {
  ExitCode refused{};
  const std::string socket = socket_of(options.config, options.control_socket, refused);
  if (socket.empty()) return refused;
  const End end = ask_gateway(socket, {"reload"}, [](std::string_view line) {
    const auto note = nlohmann::json::parse(line, nullptr, false);
    if (!note.is_object()) return true;
    const std::string text = note.value("text", "") + '\n';
    std::fwrite(text.data(), 1, text.size(), note.value("problem", false) ? stderr : stdout);
    return true;
  });
  if (end.status == ExitCode::done) print(end.message + '\n');
  return tell(end);
}

ExitCode ha_command(const HaOptions& options) {
  using namespace std::chrono_literals;
  ExitCode refused{};
  const std::string socket = socket_of(options.config, options.control_socket, refused);
  if (socket.empty()) return refused;
  const bool status = options.word == HaWord::status;
  const auto take = [&](std::string_view line) {
    const auto answer = nlohmann::ordered_json::parse(line, nullptr, false);
    if (options.json) return print(answer.dump(2) + '\n');
    if (!answer.is_object()) return print("\n");
    if (!print((answer.value("draining", false) ? "draining" : answer.value("state", "")) + '\n')) return false;
    const auto replication = answer.find("replication");
    return replication == answer.end() || !replication->is_object() || print(replication->value("text", "") + '\n');
  };
  const std::string ask = fmt::format("ha {}", to_string(options.word));
  const End end = ask_gateway(socket, {ask}, take, status ? 2s : 5s);
  if (!status && end.status == ExitCode::done) print(end.message + '\n');
  return tell(end);
}

}  // namespace sallyport
