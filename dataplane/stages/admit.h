// What is refused before any policy is asked. Pure functions of addresses, so that `sallyport explain` asks the very
// same ones.
#pragma once

#include <span>

#include "classifier/decision.h"
#include "config/address.h"
#include "dataplane/drop.h"
#include "dataplane/flow/flow_key.h"

namespace sallyport::dataplane {

// Addresses that no packet may carry across a gateway: this network, loopback, link-local, multicast, reserved, the
// unspecified one, IPv4-mapped (RFC 1812 section 5.3.7, RFC 4291 section 2.5); a source that is its own destination.
[[nodiscard]] bool martian_addresses(const FlowKey& key, Drop& why) noexcept;

// RFC 2827: is a sender's address one that can be inside: that of a workload, a namespace or a network of an inside
// port?
[[nodiscard]] bool passes_source_check(const classifier::Source& source, const IpAddress& address,
                                       std::span<const Prefix> inside_networks) noexcept;

}  // namespace sallyport::dataplane
