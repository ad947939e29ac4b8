// Sallyport. The command line says which command; each has a file of its own (command_*.h).

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <span>
#include <string>
#include <system_error>
#include <variant>

#include <fmt/format.h>

#include "src/command_capture.h"
#include "src/command_check.h"
#include "src/command_diff.h"
#include "src/command_explain.h"
#include "src/command_import.h"
#include "src/command_run.h"
#include "src/command_setup.h"
#include "src/command_show.h"
#include "src/command_top.h"
#include "src/command_trace.h"
#include "src/command_version.h"
#include "src/exit_code.h"
#include "src/options.h"
#include "src/replay.h"

namespace {

using namespace sallyport;

struct Dispatch {
  int operator()(const CheckOptions& options) const { return status(check_command(options)); }
  int operator()(const ExplainOptions& options) const { return status(explain_command(options)); }
  int operator()(const ImportOptions& options) const { return status(import_command(options)); }
  int operator()(const DiffOptions& options) const { return status(diff_command(options)); }
  int operator()(const RunOptions& options) const { return status(run_command(options)); }
  int operator()(const ReplayOptions& options) const { return replay_command(options); }
  int operator()(const ShowOptions& options) const { return status(show_command(options)); }
  int operator()(const ReloadOptions& options) const { return status(reload_command(options)); }
  int operator()(const SetupOptions& options) const { return status(setup_command(options)); }
  int operator()(const HaOptions& options) const { return status(ha_command(options)); }
  int operator()(const TopOptions& options) const { return status(top_command(options)); }
  int operator()(const TraceOptions& options) const { return status(trace_command(options)); }
  int operator()(const CaptureOptions& options) const { return status(capture_command(options)); }
  int operator()(const VersionOptions&) const { return status(version_command()); }
  int operator()(const HelpText& help) const {
    fmt::print("{}", help.text);
    return status(ExitCode::done);
  }
  int operator()(const UsageError& error) const {
    fmt::print(stderr, "sallyport: {}\n", error.message);
    return status(ExitCode::usage);
  }
};

void tell_of_lost_output(const std::string& why) {
  fmt::print(stderr, "sallyport: the output could not be written: {}: make room and try again\n", why);
}

}  // namespace

int main(int count, char** words) {
  try {
    const std::span<const char* const> arguments(words, static_cast<std::size_t>(count));
    const int answer = std::visit(Dispatch{}, parse_command_line(arguments.subspan(count > 0 ? 1 : 0)));
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return answer;
    tell_of_lost_output(std::strerror(errno));
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "sallyport: not enough memory: free some and try again\n");
  } catch (const std::system_error& error) {
    if (std::ferror(stdout) != 0)
      tell_of_lost_output(error.code().message());
    else
      fmt::print(stderr, "sallyport: {}: see the limits of this user (ulimit -a)\n", error.what());
  }
  return status(ExitCode::environment);
}
