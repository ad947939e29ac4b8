// Names that wait for DNS answers which the policy itself keeps from coming: told, as a policy that only names domains
// and forgets the resolver denies everything.
#pragma once

#include "classifier/policy_impl.h"
#include "config/diagnostics.h"

namespace sallyport::classifier {

// Warns of `domains` peers whose sources may ask none of [dns] trusted_servers, unless a rule lets somebody else ask (a
// resolver, for them), and of server_name_binding where nobody at all may ask.
void warn_of_unanswered_names(const Policy::Impl& policy, config::Diagnostics& diagnostics);

}  // namespace sallyport::classifier
