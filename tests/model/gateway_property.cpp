// The pipeline and the model gateway, side by side under the same random packets, pauses and reloads.
//
// SALLYPORT_SEED replays a run, SALLYPORT_PACKETS says how many packets; without them it is always the same small run,
// and with SALLYPORT_PACKETS alone another one each time. A failure prints the seed of its sequence:
// with it in SALLYPORT_SEED that sequence is the first one.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "classifier/policy.h"
#include "dataplane/pipeline.h"
#include "gateway_model.h"
#include "random_traffic.h"
#include "tests/unit/dataplane/vector_world.h"

namespace sallyport::model {
namespace {

using dataplane::Instant;

constexpr std::uint64_t ns_a_ms = 1'000'000;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string hexadecimal(const Bytes& frame) {
  static constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < frame.size(); ++i) {
    if (i == 14 || (i > 14 && (i - 14) % 20 == 0)) text += ' ';
    text += digits[frame[i] >> 4U];
    text += digits[frame[i] & 15U];
  }
  return text;
}

std::string summary(const Bytes& frame) {
  const Reading is = read_frame(frame);
  if (is.fate == Reading::Fate::kernel) return "(the kernel's) " + hexadecimal(frame);
  if (is.fate == Reading::Fate::dropped) return "(" + std::string(to_string(is.why)) + ") " + hexadecimal(frame);
  std::string text = to_string(FlowName{is.at.protocol, is.from, is.to}) + " ttl " + std::to_string(is.ttl);
  static constexpr std::array marks{"FIN", "SYN", "RST", "PSH", "ACK", "URG"};
  for (unsigned bit = 0; is.is_tcp() && bit < marks.size(); ++bit)
    if ((is.flags >> bit & 1U) != 0) text += std::string(" ") + marks.at(bit);
  return text + "\n      " + hexadecimal(frame);
}

void describe(std::ostream& out, const char* whose, const Outcome& outcome) {
  static constexpr std::array sides{"inside", "outside"};
  for (const unsigned port : {inside, outside}) {
    for (const Bytes& frame : outcome.sent.at(port))
      out << "  " << whose << " sends " << sides.at(port) << " " << summary(frame) << "\n";
    for (const Bytes& frame : outcome.kernel.at(port))
      out << "  " << whose << " hands to the kernel of " << sides.at(port) << " " << summary(frame) << "\n";
  }
  for (const auto& [why, count] : outcome.dropped)
    out << "  " << whose << " drops " << count << " " << to_string(why) << "\n";
}

// The real one.
class Real {
 public:
  Real(const Site& site, Instant now)
      : pipeline_(site.settings, world_),
        routing_(std::make_shared<const dataplane::Routing>(site.routes, site.neighbours, site.locals, 1U)),
        now_(now),
        snapshot_(dataplane::make_snapshot(nullptr, routing_, 0, 1)) {}

  void load(const config::PolicyModel& policy) {
    auto compiled = classifier::Policy::compile(config::PolicyModel(policy), identities_);
    ASSERT_TRUE(compiled.policy);
    snapshot_ = dataplane::make_snapshot(std::shared_ptr<const classifier::Policy>(std::move(compiled.policy)),
                                         routing_, ++generation_, 1, nullptr, &snapshot_);
  }
  Outcome advance(std::uint64_t ms) {
    now_ = ms * ns_a_ms;
    pipeline_.advance(now_, snapshot_);
    return outcome();
  }
  Outcome receive(unsigned port, const Bytes& frame) {
    dataplane::Packet packet;
    if (!world_.allocate(static_cast<std::uint32_t>(frame.size()), packet)) return {};
    std::copy(frame.begin(), frame.end(), packet.data);
    pipeline_.process(static_cast<dataplane::PortIndex>(port), {&packet, 1}, now_, snapshot_);
    return outcome();
  }
  Outcome finish() {
    pipeline_.finish(now_, snapshot_);
    return outcome();
  }
  [[nodiscard]] std::optional<End> translation(const FlowName& name) const {
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
  [[nodiscard]] int buffers() const { return world_.buffers; }
  [[nodiscard]] std::uint64_t held() const { return pipeline_.counters().held.get(); }
  [[nodiscard]] bool balances() const {
    const dataplane::Counters& counters = pipeline_.counters();
    std::uint64_t ends = counters.transmitted.get() + counters.held.get();
    for (const dataplane::Counter& drop : counters.drops) ends += drop.get();
    return counters.received.get() == ends;
  }

 private:
  // What has come of the last call.
  Outcome outcome() {
    Outcome outcome;
    for (const unsigned port : {inside, outside}) {
      outcome.sent.at(port).swap(world_.sent.at(port));
      outcome.kernel.at(port).swap(world_.kernel.at(port));
    }
    world_.records.clear();
    world_.asked.clear();
    for (std::size_t i = 0; i < dataplane::drop_count; ++i) {
      const std::uint64_t count = pipeline_.counters().drops.at(i).get();
      if (count != dropped_.at(i))
        outcome.dropped[static_cast<Drop>(i)] = static_cast<unsigned>(count - dropped_.at(i));
      dropped_.at(i) = count;
    }
    return outcome;
  }

  dataplane::test::VectorWorld world_;
  classifier::Identities identities_;
  dataplane::Pipeline pipeline_;
  std::shared_ptr<const dataplane::Routing> routing_;
  Instant now_;
  dataplane::Snapshot snapshot_;
  std::uint32_t generation_ = 0;
  std::array<std::uint64_t, dataplane::drop_count> dropped_{};
};

// What came up; a run that misses some of it proves little.
using Tally = std::map<std::string, std::uint64_t>;

class Sequence {
 public:
  explicit Sequence(std::uint64_t seed)
      : traffic_(seed), site_(traffic_.site()), now_(begin(seed)), real_(site_, now_ * ns_a_ms), model_(site_) {
    (void)model_.advance(now_);
    reload();
  }

  void run(std::uint64_t packets, Tally& tally) {
    for (std::uint64_t i = 0; i < packets && !testing::Test::HasFatalFailure(); ++i) {
      step();
      if (traffic_.chance_in(400)) reload();
    }
    for (const auto& [what, count] : tally_) tally[what] += count;
    if (testing::Test::HasFatalFailure()) return;
    (void)real_.finish();
    ASSERT_EQ(real_.buffers(), 0) << "buffers that did not come back";
    ASSERT_EQ(real_.held(), 0U);
    ASSERT_TRUE(real_.balances());
  }

 private:
  // A gateway's clock, in milliseconds, may be anywhere in its wrap.
  static std::uint64_t begin(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const std::uint64_t somewhere = 1'700'000'000'000 + random() % (1ULL << 33U);
    return random() % 4 != 0 ? somewhere : (somewhere | 0xffffffffU) - random() % 10'000'000;
  }

  void note(const std::string& what) {
    last_.push_back(what);
    if (last_.size() > 24) last_.pop_front();
  }

  void reload() {
    const auto policy = traffic_.policy();
    real_.load(*policy);
    model_.load(policy);
    note("reload");
    ++tally_["reload"];
  }

  void step() {
    if (const std::uint64_t pause = traffic_.pause(now_, model_); pause != 0) {
      now_ += pause;
      note(std::to_string(pause) + " ms pass");
      compare(model_.advance(now_), real_.advance(now_));
    }
    const Arrival arrival = traffic_.packet();
    note((arrival.port == inside ? "from inside " : "from outside ") + summary(arrival.frame));
    const Outcome seen = real_.receive(arrival.port, arrival.frame);
    const Chosen chosen{[&](const FlowName& name) { return real_.translation(name); },
                        [&](Drop why) { return seen.dropped.contains(why); }};
    try {
      Outcome expected = model_.receive(arrival.port, arrival.frame, chosen);
      identify(expected, seen);
      compare(expected, seen);
    } catch (const NotPermitted& error) {
      FAIL() << "not permitted: " << error.what() << history(nullptr, seen);
    }
    for (const unsigned port : {inside, outside})
      for (const Bytes& frame : seen.sent.at(port)) traffic_.saw(port, frame);
  }

  // The pieces of a datagram have one identification, and it is not the last one's.
  void identify(Outcome& expected, const Outcome& seen) {
    if (expected.identified_freely.empty()) return;
    std::optional<std::uint16_t> identification;
    for (const auto& [port, place] : expected.identified_freely) {
      if (place >= seen.sent.at(port).size() || seen.sent.at(port)[place].size() < 34) return;
      if (!identification) identification = get16(seen.sent.at(port)[place], 18);
      Bytes& frame = expected.sent.at(port)[place];
      put16(frame, 18, *identification);
      settle_header(frame, {.family = Family::v4, .protocol = 0, .ip = 14, .transport = 0, .end = 0});
    }
    EXPECT_NE(identification, last_identification_);
    last_identification_ = identification;
  }

  void compare(const Outcome& expected, const Outcome& seen) {
    for (const auto& [why, count] : seen.dropped) tally_[std::string(to_string(why))] += count;
    for (const unsigned port : {inside, outside})
      tally_[port == inside ? "sent inside" : "sent outside"] += seen.sent.at(port).size();
    const bool equal = expected.sent == seen.sent && expected.kernel == seen.kernel && expected.dropped == seen.dropped;
    ASSERT_TRUE(equal && real_.balances()) << history(&expected, seen);
  }

  std::string history(const Outcome* expected, const Outcome& seen) const {
    std::ostringstream out;
    out << "\n";
    for (const std::string& what : last_) out << "  " << what << "\n";
    out << "\n";
    if (expected != nullptr) describe(out, "model", *expected);
    describe(out, "pipeline", seen);
    return out.str();
  }

  RandomTraffic traffic_;
  Site site_;
  std::uint64_t now_;
  Real real_;
  GatewayModel model_;
  std::deque<std::string> last_;
  std::optional<std::uint16_t> last_identification_;
  Tally tally_;
};

TEST(GatewayProperty, PipelineAndModelAgree) {
  const bool given = std::getenv("SALLYPORT_PACKETS") != nullptr;
  const std::uint64_t first_seed = from_environment("SALLYPORT_SEED", given ? std::random_device{}() : 1);
  const std::uint64_t packets = from_environment("SALLYPORT_PACKETS", 200'000);
  constexpr std::uint64_t packets_a_sequence = 5'000;
  Tally tally;
  for (std::uint64_t sent = 0, seed = first_seed; sent < packets; sent += packets_a_sequence, ++seed) {
    SCOPED_TRACE("replay: SALLYPORT_SEED=" + std::to_string(seed) + " SALLYPORT_PACKETS=1 tests/model/model_gateway");
    Sequence(seed).run(packets_a_sequence, tally);
    if (HasFatalFailure()) return;
  }
  for (const auto& [what, count] : tally) std::cout << what << ": " << count << "\n";
}

}  // namespace
}  // namespace sallyport::model
