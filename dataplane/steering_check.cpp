#include "dataplane/steering_check.h"

#include "dataplane/stages/parse.h"
#include "dataplane/steering.h"

namespace sallyport::dataplane {

// Of TCP and UDP alone: the rest, devices see in different ways.
void SteeringCheck::look(const Packet& packet, config::PortRole role, std::uint32_t worker, std::uint32_t workers,
                         std::uint32_t piece_ports) noexcept {
  ++seen_;
  Parsed parsed;
  Drop why{};
  ParseRules rules;
  rules.any_vlan = true;
  rules.verify_ip_checksum = false;
  if (parse(packet, rules, parsed, why) != ParseResult::ok || parsed.fragment) return;
  if (parsed.kind != PacketKind::tcp && parsed.kind != PacketKind::udp) return;
  const std::uint32_t bucket = role == config::PortRole::inside
                                   ? sender_bucket(parsed.key.source)
                                   : port_bucket(__builtin_bswap16(parsed.key.destination_port), piece_ports);
  OfFamily& family = parsed.key.family == Family::v4 ? v4_ : v6_;
  if (family.counted++ >= counted_max) return;
  (bucket_owner(bucket, workers) == worker ? family.as_told : family.elsewhere).add();
}

void SteeringCheck::add_to(SteeringSums& sums) const noexcept {
  sums.v4.as_told += v4_.as_told.get();
  sums.v4.elsewhere += v4_.elsewhere.get();
  sums.v6.as_told += v6_.as_told.get();
  sums.v6.elsewhere += v6_.elsewhere.get();
}

}  // namespace sallyport::dataplane
