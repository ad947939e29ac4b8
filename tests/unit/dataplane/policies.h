// Policies of the pipeline's tests.
#pragma once

#include <string>

namespace sallyport::dataplane::test {

inline constexpr const char* allow_all = R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Allow"
[snat]
addresses = ["203.0.113.1", "2001:db8:ffff::1"]
)";

inline constexpr const char* deny_all = R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Deny"
[snat]
addresses = ["203.0.113.1", "2001:db8:ffff::1"]
)";

// The Linkerd example: nothing but TLS to one name.
inline constexpr const char* httpbin_only = R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "all-egress-traffic"
traffic_policy = "Deny"
[[tls_route]]
namespace = "linkerd-egress"
name = "tls-egress"
parent_refs = [ { name = "all-egress-traffic", namespace = "linkerd-egress", port = 443 } ]
hostnames = ["httpbin.org", "*.example.com"]
[snat]
addresses = ["203.0.113.1", "2001:db8:ffff::1"]
)";

// Of plaintext HTTP to httpbin.org what is below /get, and nothing else.
inline constexpr const char* httpbin_get_only = R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Deny"
[[http_route]]
namespace = "linkerd-egress"
name = "get"
parent_refs = [ { name = "all", namespace = "linkerd-egress", port = 80 } ]
hostnames = ["httpbin.org"]
[[http_route.rules]]
matches = [ { path = { type = "PathPrefix", value = "/get" } } ]
[snat]
addresses = ["203.0.113.1", "2001:db8:ffff::1"]
)";

// IPv6 of one /48 leaves under an address, or under the addresses of another /48.
inline std::string six_to(const std::string& egress_ip) {
  return R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Allow"
networks = [ { cidr = "::/0" } ]
[[egress]]
name = "six"
sources = ["fd01:203:405::/48"]
egress_ip = ")" +
         egress_ip + "\"\n";
}

}  // namespace sallyport::dataplane::test
