#include "classifier/decision.h"

namespace sallyport::classifier {

std::string_view to_string(Reason reason) noexcept {
  switch (reason) {
    case Reason::route:
      return "route";
    case Reason::network_default:
      return "network_default";
    case Reason::uncaptured:
      return "uncaptured";
    case Reason::network_policy:
      return "network_policy";
    case Reason::no_name:
      return "no_name";
    case Reason::name_not_allowed:
      return "name_not_allowed";
    case Reason::name_not_bound:
      return "name_not_bound";
    case Reason::ech_refused:
      return "ech_refused";
    case Reason::hello_timeout:
      return "hello_timeout";
    case Reason::hello_too_large:
      return "hello_too_large";
    case Reason::hello_malformed:
      return "hello_malformed";
    case Reason::hello_conflict:
      return "hello_conflict";
    case Reason::nat_ports_exhausted:
      return "nat_ports_exhausted";
    case Reason::no_egress_address:
      return "no_egress_address";
    case Reason::flows_exhausted:
      return "flows_exhausted";
    case Reason::source_limit:
      return "source_limit";
    case Reason::policy_removed:
      return "policy_removed";
  }
  return "";
}

std::string_view to_string(Layer layer) noexcept {
  switch (layer) {
    case Layer::none:
      return "";
    case Layer::network_policy:
      return "network_policy";
    case Layer::egress_network:
      return "egress_network";
  }
  return "";
}

}  // namespace sallyport::classifier
