// What to change if a denied flow is to pass.
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "src/explain_words.h"
#include "src/explanation.h"

namespace sallyport {
namespace {

// No kind of route is of it.
bool has_no_route(config::Protocol protocol) {
  return protocol == config::Protocol::other || protocol == config::Protocol::sctp;
}

// What to do about no_name: it depends on what decides on the port, and on what the flow was.
std::string_view how_to_show_a_name(const FlowAnswer& answer, const ExplainOptions& flow) {
  if (!answer.reads_requests && flow.protocol == config::Protocol::udp)
    return "what is QUIC has to show a server name here; a udp_route on the port takes what is none";
  if (!answer.reads_requests)
    return "the flow has to show a server name in TLS; beside a tls_route no tcp_route counts, so give what shows none "
           "another port, or its servers an egress network of their own";
  if (!flow.http)
    return "requests in the clear decide on this port (--http); give what is none another port, or its servers an "
           "egress network of their own";
  if (!flow.host) return "the request has to say whom it is for, by its Host (--host)";
  return "a grpc_route decides on this port, and takes a POST over HTTP/2 to /SERVICE/METHOD alone";
}

std::string what_lets_it_pass(const FlowAnswer& answer, const ExplainOptions& flow) {
  if (has_no_route(flow.protocol)) {
    return fmt::format("there are no routes of this protocol: {} has to have traffic_policy = \"Allow\"",
                       answer.network);
  }
  return fmt::format("give {} a route for this protocol{}", answer.network,
                     has_ports(flow.protocol) ? " and port" : "");
}

}  // namespace

std::string advice(const FlowAnswer& answer, const ExplainOptions& flow) {
  const auto denied = [&](const std::string& what) { return fmt::format("denied ({}): {}", answer.reason, what); };
  if (answer.reason == "network_policy" && answer.by_dns) {
    return denied(fmt::format("unless DNS has bound one of the rule's domains to {0}; ask with --resolved NAME={0}",
                              to_string(flow.to)));
  }
  if (answer.reason == "network_policy")
    return denied("let an egress rule of a network policy of this workload allow it");
  if (answer.reason == "uncaptured") {
    return denied(fmt::format("give it an egress network that contains {}", to_string(flow.to)));
  }
  if (answer.reason == "network_default") return denied(what_lets_it_pass(answer, flow));
  if (answer.reason == "name_not_allowed") {
    return denied(fmt::format("let a route of {} take {}{}", answer.network, flow.host.value_or("the name"),
                              flow.http ? " and this request" : ""));
  }
  if (answer.reason == "no_name") return denied(std::string(how_to_show_a_name(answer, flow)));
  if (answer.reason == "route") return denied(fmt::format("change the action of {}", answer.rule));
  if (answer.reason == "no_egress_address") return denied("give the egress, or [snat], an address of this family");
  if (answer.reason == "source_check") {
    return denied(fmt::format("name {} in a workload or a namespace", to_string(flow.from)));
  }
  if (answer.reason == "name_not_bound") {
    return denied(
        fmt::format("the client has to look {} up at one of [dns] trusted_servers", flow.host.value_or("it")));
  }
  if (answer.reason == "ech_refused") return denied("the outer name is one of ech_public_names, and ech = \"deny\"");
  return denied("no policy can allow such a flow");
}

}  // namespace sallyport
