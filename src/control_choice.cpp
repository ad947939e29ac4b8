#include "src/control_choice.h"

#include <fmt/format.h>

#include "config/load.h"
#include "src/options.h"
#include "src/policy_source.h"

namespace sallyport {

ExitCode tell(const End& end) {
  if (end.status != ExitCode::done) fmt::print(stderr, "sallyport: {}\n", end.message);
  return end.status;
}

std::string socket_of(const std::string& config, const std::string& socket, ExitCode& refused) {
  if (!socket.empty()) return socket;
  if (config.empty()) return default_control_socket;
  const auto loaded = config::load_appliance_file(config);
  if (loaded.model) return loaded.model->control_socket;
  refused = refuse_document(loaded.diagnostics, loaded.files, config);
  return {};
}

}  // namespace sallyport
