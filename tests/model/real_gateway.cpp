#include "real_gateway.h"

#include <algorithm>

namespace sallyport::model {
namespace {

constexpr std::uint64_t ns_a_ms = 1'000'000;

}  // namespace

RealGateway::RealGateway(const Site& site, std::uint64_t now, dataplane::test::VectorWorld& world)
    : world_(world),
      pipeline_(site.settings, world_),
      routing_(std::make_shared<const dataplane::Routing>(site.routes, site.neighbours, site.locals, 1U)),
      now_(now * ns_a_ms),
      snapshot_(dataplane::make_snapshot(nullptr, routing_, 0, 1)) {}

bool RealGateway::load(const config::PolicyModel& policy) {
  auto compiled = classifier::Policy::compile(config::PolicyModel(policy), identities_);
  if (!compiled.policy) return false;
  snapshot_ = dataplane::make_snapshot(std::shared_ptr<const classifier::Policy>(std::move(compiled.policy)), routing_,
                                       ++generation_, 1, nullptr, &snapshot_);
  return true;
}

Outcome RealGateway::advance(std::uint64_t now) {
  now_ = now * ns_a_ms;
  pipeline_.advance(now_, snapshot_);
  return outcome();
}

Outcome RealGateway::receive(unsigned port, const Bytes& frame) {
  dataplane::Packet packet;
  if (!world_.allocate(static_cast<std::uint32_t>(frame.size()), packet)) return {};
  std::copy(frame.begin(), frame.end(), packet.data);
  pipeline_.process(static_cast<dataplane::PortIndex>(port), {&packet, 1}, now_, snapshot_);
  return outcome();
}

void RealGateway::finish() {
  pipeline_.finish(now_, snapshot_);
  (void)outcome();
}

std::optional<End> RealGateway::translation(const FlowName& name) const {
  dataplane::FlowKey key;
  key.family = name.client.ip.family;
  key.source = name.client.ip.bytes;
  key.destination = name.server.ip.bytes;
  key.source_port = __builtin_bswap16(name.client.port);
  key.destination_port = __builtin_bswap16(name.server.port);
  key.protocol = static_cast<dataplane::IpProtocol>(name.protocol);
  const auto found = pipeline_.translation(key);
  if (!found) return std::nullopt;
  return End{found->address, __builtin_bswap16(found->port)};
}

std::uint64_t RealGateway::held() const { return pipeline_.counters().held.get(); }

bool RealGateway::balances() const {
  const dataplane::Counters& counters = pipeline_.counters();
  std::uint64_t ends = counters.transmitted.get() + counters.held.get();
  for (const dataplane::Counter& drop : counters.drops) ends += drop.get();
  return counters.received.get() == ends;
}

Outcome RealGateway::outcome() {
  Outcome outcome;
  for (const unsigned port : {inside, outside}) {
    outcome.sent.at(port).swap(world_.sent.at(port));
    outcome.kernel.at(port).swap(world_.kernel.at(port));
  }
  world_.records.clear();
  world_.asked.clear();
  world_.passed.clear();
  for (std::size_t i = 0; i < dataplane::drop_count; ++i) {
    const std::uint64_t count = pipeline_.counters().drops.at(i).get();
    if (count != dropped_.at(i)) outcome.dropped[static_cast<Drop>(i)] = static_cast<unsigned>(count - dropped_.at(i));
    dropped_.at(i) = count;
  }
  return outcome;
}

}  // namespace sallyport::model
