// Routes and host names that never decide, because others that say the same come first wherever they stand: deny before
// allow, then the file.
#pragma once

#include "config/diagnostics.h"
#include "config/policy_model.h"

namespace sallyport::classifier {

// Warns of tcp_routes, udp_routes, icmp_routes and of host names of tls_routes. Audit routes decide nothing anyway.
void warn_of_shadowed_routes(const config::PolicyModel& model, config::Diagnostics& diagnostics);

}  // namespace sallyport::classifier
