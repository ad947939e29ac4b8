// Which worker a packet belongs to: the same answer on every worker, without asking anybody.
#include <cstring>

#include "dataplane/flow/flow_table.h"
#include "dataplane/flow/port_choice.h"
#include "dataplane/pipeline.h"
#include "dataplane/stages/icmp_error.h"
#include "dataplane/stages/parse.h"

namespace sallyport::dataplane {
namespace {

[[nodiscard]] std::uint32_t spread(const std::array<std::uint8_t, 16>& address, std::uint64_t salt) noexcept {
  std::uint64_t words[2];
  std::memcpy(words, address.data(), sizeof words);
  Random mix(words[0] * 0x9e3779b97f4a7c15U ^ words[1] ^ salt);
  return static_cast<std::uint32_t>(mix.next() >> 32U);
}

}  // namespace

std::uint32_t Pipeline::owner(const Packet& packet, bool from_inside, std::uint32_t workers, std::uint32_t self,
                              const Snapshot& snapshot) noexcept {
  if (workers == 1) return 0;
  Parsed parsed;
  Drop why{};
  ParseRules rules;
  rules.any_vlan = true;
  rules.verify_ip_checksum = false;
  if (parse(packet, rules, parsed, why) != ParseResult::ok) return self;
  if (from_inside) return spread(parsed.key.source, 0) % workers;

  const bool translated = snapshot.policy != nullptr && snapshot.policy->gives_out(parsed.key.destination_address());
  if (!translated) return spread(parsed.key.destination, 0) % workers;
  if (parsed.fragment) return spread(parsed.key.source, parsed.identification) % workers;
  if (parsed.kind != PacketKind::icmp_error) {
    const bool echo = FlowTable::is_echo(parsed.key.protocol);
    return port_owner(__builtin_bswap16(echo ? parsed.key.source_port : parsed.key.destination_port), workers);
  }
  Parsed quoted;
  if (!parse_quoted(false, packet, parsed, quoted)) return self;
  return port_owner(__builtin_bswap16(quoted.key.source_port), workers);
}

}  // namespace sallyport::dataplane
