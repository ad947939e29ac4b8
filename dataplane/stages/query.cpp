#include "dataplane/stages/query.h"

namespace sallyport::dataplane {

classifier::FlowQuery query_of(const FlowKey& inside) noexcept {
  classifier::FlowQuery query;
  query.source.family = query.destination.family = inside.family;
  query.source.bytes = inside.source;
  query.destination.bytes = inside.destination;
  query.destination_port = __builtin_bswap16(inside.destination_port);
  switch (inside.protocol) {
    case IpProtocol::tcp:
      query.protocol = config::Protocol::tcp;
      break;
    case IpProtocol::udp:
      query.protocol = config::Protocol::udp;
      break;
    case IpProtocol::sctp:
      query.protocol = config::Protocol::sctp;
      break;
    case IpProtocol::icmp:
    case IpProtocol::icmp6:
      query.protocol = config::Protocol::icmp;
      break;
  }
  if (is_portless(inside.protocol)) query.protocol = config::Protocol::other;
  return query;
}

}  // namespace sallyport::dataplane
