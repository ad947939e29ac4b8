#include "src/flow_log/syslog_output.h"

#include <array>
#include <chrono>
#include <ctime>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <limits.h>
#include <unistd.h>

#include "src/flow_log/record_text.h"

namespace sallyport {
namespace {

// "-": RFC 5424's for a host that does not know its name.
std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return gethostname(name.data(), HOST_NAME_MAX) == 0 && name.front() != '\0' ? name.data() : "-";
}

struct Time {
  std::time_t seconds;
  std::uint64_t microseconds;  // of the second
};

Time time_of(const dataplane::FlowRecord& record) {
  constexpr std::uint64_t second_ns = 1'000'000'000;
  return {static_cast<std::time_t>(record.written_ns / second_ns), record.written_ns % second_ns / 1000};
}

}  // namespace

SyslogOutput::SyslogOutput(const config::LogTarget& target, unsigned facility)
    : socket_(target),
      local_(target.by == config::LogTarget::By::unix_socket),
      facility_(facility),
      host_(host_name()),
      process_(std::to_string(getpid())) {}

std::size_t SyslogOutput::write(const RecordBatch& batch) {
  std::size_t taken = 0;
  for (std::size_t i = 0; i < batch.records().size(); ++i) {
    if (batch.line(i).empty()) continue;
    std::string message = head(batch.records()[i]);
    message += batch.line(i);
    taken += socket_.send(message) ? 1 : 0;
  }
  return taken;
}

std::string SyslogOutput::head(const dataplane::FlowRecord& record) const {
  const unsigned priority = facility_ * 8 + static_cast<unsigned>(severity_of(record));
  const Time time = time_of(record);
  if (local_)
    return fmt::format("<{}>{:%b %e %H:%M:%S} sallyport[{}]: ", priority, fmt::localtime(time.seconds), process_);
  // No structured data: its names would want a number of our own from IANA, and the JSON has it all.
  return fmt::format("<{}>1 {:%Y-%m-%dT%H:%M:%S}.{:06}Z {} sallyport {} {} - ", priority, fmt::gmtime(time.seconds),
                     time.microseconds, host_, process_, event_of(record));
}

}  // namespace sallyport
