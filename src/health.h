// Can this gateway forward, were it its turn? What keepalived and routing daemons ask before they let it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sallyport {

struct Health {
  bool policy_loaded = true;
  bool fenced = false;
  std::vector<unsigned> standing_workers;  // their numbers
  std::vector<std::string> dark_ports;     // without a link
};

// One short clause each; none: it can.
[[nodiscard]] std::vector<std::string> problems(const Health& health);

// What the senders' next hop ([ha] next_hop) depends on.
struct Offer {
  bool active = true;
  bool can_forward = true;
  bool draining = false;
  bool others_take_new_flows = false;  // [ha] drain_to
  std::uint64_t flows = 0;             // that live
};

// Should senders come here? Whoever drains needs them for what its flows say, and gives what is new to others; where
// there are no others, routing has to move it.
[[nodiscard]] constexpr bool takes_senders(const Offer& offer) noexcept {
  if (!offer.active || !offer.can_forward) return false;
  return !offer.draining || (offer.others_take_new_flows && offer.flows != 0);
}

}  // namespace sallyport
