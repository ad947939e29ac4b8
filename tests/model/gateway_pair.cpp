#include "gateway_pair.h"

#include <array>
#include <cstdlib>
#include <iostream>
#include <random>
#include <sstream>

#include <gtest/gtest.h>

namespace sallyport::model {
namespace {

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

// Of a fragment.
void put_identification(Bytes& frame, std::uint32_t identification) {
  if (frame[12] == 0x08) {
    put16(frame, 18, static_cast<std::uint16_t>(identification));
    settle_header(frame, {.family = Family::v4, .protocol = 0, .ip = 14, .transport = 0, .end = 0});
    return;
  }
  constexpr std::uint8_t fragment = 44;
  std::size_t at = 14 + 40;
  for (std::uint8_t next = frame[20]; next != fragment; at += (frame[at + 1] + 1U) * 8U) next = frame[at];
  put16(frame, at + 4, static_cast<std::uint16_t>(identification >> 16U));
  put16(frame, at + 6, static_cast<std::uint16_t>(identification));
}

// A gateway's clock, in milliseconds, may be anywhere in its wrap.
std::uint64_t begin(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const std::uint64_t somewhere = 1'700'000'000'000 + random() % (1ULL << 33U);
  return random() % 4 != 0 ? somewhere : (somewhere | 0xffffffffU) - random() % 10'000'000;
}

}  // namespace

GatewayPair::GatewayPair(std::uint64_t seed, dataplane::test::VectorWorld& world)
    : traffic_(seed),
      site_(traffic_.site()),
      now_(begin(seed)),
      world_(world),
      real_(site_, now_, world),
      model_(site_) {
  (void)model_.advance(now_);
  reload();
}

void GatewayPair::run(std::uint64_t packets, Tally& tally) {
  for (std::uint64_t i = 0; i < packets && !testing::Test::HasFatalFailure(); ++i) {
    step();
    if (traffic_.chance_in(400)) reload();
  }
  for (const auto& [what, count] : tally_) tally[what] += count;
  if (testing::Test::HasFatalFailure()) return;
  real_.finish();
  ASSERT_EQ(world_.buffers, 0) << "buffers that did not come back";
  ASSERT_EQ(real_.held(), 0U);
  ASSERT_TRUE(real_.balances());
}

void GatewayPair::note(const std::string& what) {
  last_.push_back(what);
  if (last_.size() > 24) last_.pop_front();
}

void GatewayPair::reload() {
  const auto policy = traffic_.policy();
  ASSERT_TRUE(real_.load(*policy));
  model_.load(policy);
  note("reload");
  ++tally_["reload"];
}

void GatewayPair::step() {
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

void GatewayPair::identify(Outcome& expected, const Outcome& seen) {
  if (expected.identified_freely.empty()) return;
  std::optional<std::uint32_t> identification;
  for (const auto& [port, place] : expected.identified_freely) {
    if (place >= seen.sent.at(port).size()) return;
    const Reading is = read_frame(seen.sent.at(port)[place]);
    if (is.fate != Reading::Fate::packet || is.kind != Kind::fragment) return;
    if (!identification) identification = is.identification;
    put_identification(expected.sent.at(port)[place], *identification);
  }
  EXPECT_NE(identification, last_identification_);
  last_identification_ = identification;
}

void GatewayPair::compare(const Outcome& expected, const Outcome& seen) {
  for (const auto& [why, count] : seen.dropped) tally_[std::string(to_string(why))] += count;
  for (const unsigned port : {inside, outside})
    tally_[port == inside ? "sent inside" : "sent outside"] += seen.sent.at(port).size();
  const bool equal = expected.sent == seen.sent && expected.kernel == seen.kernel && expected.dropped == seen.dropped;
  ASSERT_TRUE(equal && real_.balances()) << history(&expected, seen);
}

std::string GatewayPair::history(const Outcome* expected, const Outcome& seen) const {
  std::ostringstream out;
  out << "\n";
  for (const std::string& what : last_) out << "  " << what << "\n";
  out << "\n";
  if (expected != nullptr) describe(out, "model", *expected);
  describe(out, "pipeline", seen);
  return out.str();
}

void run_sequences(std::uint64_t first_seed, std::uint64_t packets, dataplane::test::VectorWorld& world) {
  constexpr std::uint64_t packets_a_sequence = 5'000;
  std::cout << "first seed: " << first_seed << std::endl;
  Tally tally;
  for (std::uint64_t sent = 0, seed = first_seed; sent < packets; sent += packets_a_sequence, ++seed) {
    SCOPED_TRACE("replay: SALLYPORT_SEED=" + std::to_string(seed) + " SALLYPORT_PACKETS=1 tests/model/model_gateway");
    GatewayPair(seed, world).run(packets_a_sequence, tally);
    if (testing::Test::HasFatalFailure()) return;
  }
  for (const auto& [what, count] : tally) std::cout << what << ": " << count << "\n";
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace sallyport::model
