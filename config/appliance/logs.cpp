// Where flow records go.
#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <string_view>
#include <utility>

#include "config/appliance/endpoint.h"
#include "config/appliance/readers.h"
#include "config/bounds.h"
#include "config/document/values.h"

namespace sallyport::config {
namespace {

// RFC 5424 section 6.2.1; the others are the kernel's, or of services that this is not.
constexpr std::array<Choice<std::uint8_t>, 12> facilities = {{{"user", 1},
                                                              {"daemon", 3},
                                                              {"auth", 4},
                                                              {"authpriv", 10},
                                                              {"local0", 16},
                                                              {"local1", 17},
                                                              {"local2", 18},
                                                              {"local3", 19},
                                                              {"local4", 20},
                                                              {"local5", 21},
                                                              {"local6", 22},
                                                              {"local7", 23}}};

std::optional<LogTarget> remote_target(std::string_view written, LogTarget::By by) {
  const auto endpoint = parse_endpoint(written);
  if (!endpoint) return std::nullopt;
  return LogTarget{by, {}, endpoint->address, endpoint->port};
}

// "unix:/dev/log", "udp:192.0.2.5:514"
std::optional<LogTarget> syslog_target(const Item& item, Diagnostics& diagnostics) {
  const auto written = filled_text(item, diagnostics);
  if (!written) return std::nullopt;
  const std::string_view text = *written;
  constexpr std::string_view local = "unix:";
  constexpr std::string_view remote = "udp:";
  if (text.starts_with(local)) {
    const std::string_view path = text.substr(local.size());
    if (path.starts_with('/') && path.size() <= bounds::socket_path_bytes)
      return LogTarget{LogTarget::By::unix_socket, std::string(path), {}, 0};
  } else if (text.starts_with(remote)) {
    if (auto target = remote_target(text.substr(remote.size()), LogTarget::By::udp)) return target;
  }
  report(item, diagnostics, "expected a socket, such as \"unix:/dev/log\", or a server, such as \"udp:192.0.2.5:514\"");
  return std::nullopt;
}

// "udp:192.0.2.5:4739", "tcp:[2001:db8::5]:4739"
std::optional<LogTarget> collector(const Item& item, Diagnostics& diagnostics) {
  const auto written = filled_text(item, diagnostics);
  if (!written) return std::nullopt;
  const std::string_view text = *written;
  for (const auto& [scheme, by] : {std::pair("udp:", LogTarget::By::udp), std::pair("tcp:", LogTarget::By::tcp)}) {
    if (!text.starts_with(scheme)) continue;
    if (auto target = remote_target(text.substr(std::string_view(scheme).size()), by)) return target;
  }
  report(item, diagnostics, "expected a collector, such as \"udp:192.0.2.5:4739\" or \"tcp:192.0.2.5:4739\"");
  return std::nullopt;
}

}  // namespace

void read_flow_log(const Item& item, FlowLogConfig& into, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  table.optional("file", into.file, filled_text);
  table.optional("journald", into.journald, boolean);
  table.optional("syslog", into.syslog, syslog_target);
  table.optional("syslog_facility", into.syslog_facility, one_of(facilities));
}

void read_ipfix(const Item& item, IpfixConfig& into, Diagnostics& diagnostics) {
  TableReader table(item, diagnostics);
  table.required("collector", into.collector, collector);
  table.optional("sessions", into.sessions, boolean);
  table.optional("template_refresh", into.template_refresh, duration(std::chrono::seconds(1), std::chrono::hours(24)));
  table.optional("observation_domain", into.observation_domain,
                 integer<std::uint32_t>(0, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace sallyport::config
