#include "dataplane/io/kernel_places.h"

#include "dataplane/io/announce.h"

namespace sallyport::dataplane {
namespace {

// 0: there is none.
unsigned first_inside(const std::vector<std::unique_ptr<TwinLane>>& lanes) {
  for (const auto& lane : lanes) {
    if (lane->port.config().role != config::PortRole::outside) return lane->twin->interface();
  }
  return 0;
}

}  // namespace

AddressOwner::Places kernel_places(const config::HaConfig& ha, const std::vector<std::unique_ptr<TwinLane>>& lanes,
                                   TwinPump& pump) {
  AddressOwner::Places places{{}, {}, {first_inside(lanes), ha.next_hop}, {}};
  for (const auto& lane : lanes) {
    if (lane->port.config().role == config::PortRole::inside) continue;
    places.answers.emplace_back(lane->twin->interface(), [&pump, lane = lane.get()](const IpAddress& address) {
      pump.send(*lane, announcement(address, lane->port.mac()));
    });
    if (ha.egress_routes) places.routes.emplace_back(lane->twin->interface(), route_metric + lane->port.index());
  }
  if (ha.egress_routes || !ha.next_hop.empty()) {
    places.tell_again = [&lanes](Netlink& netlink) {
      for (const auto& lane : lanes) lane->twin->tell_addresses(lane->port.config(), netlink);
    };
  }
  return places;
}

}  // namespace sallyport::dataplane
