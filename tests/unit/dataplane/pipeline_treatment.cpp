// What an egress does to its packets beside translating them: bandwidth and DSCP.
#include <algorithm>
#include <thread>

#include "dataplane/token_bucket.h"
#include "tests/unit/dataplane/pipeline_harness.h"

namespace sallyport::dataplane::test {
namespace {

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t start = 1'700'000'000 * second;
constexpr std::uint64_t megabit = 1'000'000;

const End slow_pod{"10.0.10.5", 5000};
const End fast_pod{"10.0.20.5", 5000};
const End server{"198.51.100.7", 53};

std::string policy(const std::string& slow) {
  return R"(
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Allow"
[snat]
addresses = ["203.0.113.1", "2001:db8:ffff::1"]
[[egress]]
name = "slow"
sources = ["10.0.10.0/24", "fd00:10::/64"]
egress_ips = ["203.0.113.8", "2001:db8:ffff::8"]
)" + slow +
         "\n";
}

// Bytes that pass of `offered` bits a second in packets of 1500 bytes, from `from` to `to`.
std::uint64_t passed(const TokenBucket& bucket, TokenBucket::Level& level, std::uint64_t offered, std::uint64_t from,
                     std::uint64_t to) {
  const std::uint64_t gap = 12'000 * second / offered;
  std::uint64_t bytes = 0;
  for (std::uint64_t now = from; now < to; now += gap) bytes += bucket.draw(level, 1500, now) ? 1500 : 0;
  return bytes;
}

void expect_rate(std::uint64_t bytes, std::uint64_t seconds, std::uint64_t wanted) {
  const double rate = 8.0 * static_cast<double>(bytes) / static_cast<double>(seconds);
  EXPECT_NEAR(rate, static_cast<double>(wanted), 0.001 * static_cast<double>(wanted));
}

// Antrea's testEgressUpdateBandwidth: rate 100M, burst 200M; some 300 Mbit in the first second, then 100 a second.
TEST(TokenBucket, Case134TheBurstAndThenTheRate) {
  const TokenBucket bucket({100 * megabit, 200 * megabit});
  TokenBucket::Level level;
  expect_rate(passed(bucket, level, 1000 * megabit, start, start + second), 1, 300 * megabit);
  expect_rate(passed(bucket, level, 1000 * megabit, start + second, start + 11 * second), 10, 100 * megabit);
  // Rested for a second, it has the rate of a second to give at once; after two it is full, and no fuller after twenty.
  expect_rate(passed(bucket, level, 1000 * megabit, start + 12 * second, start + 13 * second), 1, 200 * megabit);
  expect_rate(passed(bucket, level, 1000 * megabit, start + 33 * second, start + 34 * second), 1, 300 * megabit);
}

TEST(TokenBucket, LessThanTheRatePassesWhole) {
  const TokenBucket bucket({100 * megabit, 12'000});
  TokenBucket::Level level;
  expect_rate(passed(bucket, level, 99 * megabit, start, start + 5 * second), 5, 99 * megabit);
}

TEST(TokenBucket, RatesOfAllSizesAreKept) {
  for (const std::uint64_t rate : {std::uint64_t{8'000}, 64 * megabit, 10'000 * megabit, 100'000 * megabit}) {
    const TokenBucket bucket({rate, 12'000});
    TokenBucket::Level level;
    const std::uint64_t gap = std::max<std::uint64_t>(12'000 * second / rate / 2, 1);
    std::uint64_t bytes = 0;
    for (unsigned i = 0; i < 20'000; ++i) bytes += bucket.draw(level, 1500, start + i * gap) ? 1500 : 0;
    const double seconds = 20'000.0 * static_cast<double>(gap) / static_cast<double>(second);
    EXPECT_NEAR(8.0 * static_cast<double>(bytes) / seconds / static_cast<double>(rate), 1.0, 0.01) << rate;
  }
}

TEST(TokenBucket, APacketOverTheBurstNeverPasses) {
  const TokenBucket bucket({100 * megabit, 8 * 1000});
  TokenBucket::Level level;
  EXPECT_FALSE(bucket.draw(level, 1001, start));
  EXPECT_TRUE(bucket.draw(level, 1000, start));
}

TEST(TokenBucket, ClocksThatDifferALittleDrawAlike) {
  const TokenBucket bucket({100 * megabit, 3 * 12'000});
  TokenBucket::Level level;
  EXPECT_TRUE(bucket.draw(level, 1500, start + 1000));
  EXPECT_TRUE(bucket.draw(level, 1500, start));
  EXPECT_FALSE(bucket.draw(level, 1500, start));
  EXPECT_TRUE(bucket.draw(level, 1500, start + 121'100));
}

// Four workers at once get what one would: not a packet more, not a packet less.
TEST(TokenBucket, SeveralWorkersDrawExactlyOneBurst) {
  constexpr std::uint64_t packets = 100'000;
  const TokenBucket bucket({100 * megabit, packets * 12'000});
  TokenBucket::Level level;
  std::array<std::uint64_t, 4> got{};
  std::vector<std::thread> workers;
  for (std::uint64_t& mine : got) {
    workers.emplace_back([&] {
      for (std::uint64_t i = 0; i < packets / 2; ++i) mine += bucket.draw(level, 1500, start) ? 1 : 0;
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(got[0] + got[1] + got[2] + got[3], packets);
}

// Bits of IP that pass a second of 1 Gbit/s each way, in packets of 1000 bytes.
struct Rates {
  double out = 0, back = 0;
};
Rates measure(Gateway& g, const End& pod, const End& outside, unsigned seconds) {
  const Frame question = udp(pod, server, Frame(972));
  const Frame answer = udp(server, outside, Frame(972));
  Rates rates;
  for (unsigned i = 0; i < 1000 * seconds; ++i) {  // 125 packets a millisecond
    for (unsigned k = 0; k < 125; ++k) {
      rates.out += 8000.0 * static_cast<double>(g.from_inside(question).outside.size());
      rates.back += 8000.0 * static_cast<double>(g.from_outside(answer).inside.size());
    }
    g.now += 1'000'000;
  }
  return {rates.out / seconds, rates.back / seconds};
}

TEST(PipelineBandwidth, EachDirectionHasTheRateAndOtherEgressesTheirs) {
  Gateway g(policy("bandwidth = { rate = \"10M\", burst = \"1M\" }"));
  const End outside("203.0.113.8", 5000);
  (void)measure(g, slow_pod, outside, 1);  // the burst
  const Rates slow = measure(g, slow_pod, outside, 2);
  EXPECT_NEAR(slow.out, 10e6, 0.05 * 10e6);
  EXPECT_NEAR(slow.back, 10e6, 0.05 * 10e6);
  const std::uint64_t over = g.dropped(Drop::bandwidth_exceeded);
  EXPECT_GT(over, 0U);
  const auto dropped = g.snapshot.meters->dropped();
  ASSERT_EQ(dropped.size(), 1U);
  EXPECT_EQ(g.name_of(dropped[0].egress), "slow");
  EXPECT_EQ(dropped[0].packets[to_server] + dropped[0].packets[to_client], over);
  EXPECT_GT(dropped[0].packets[to_client], 0U);
  for (const Direction way : {to_server, to_client}) EXPECT_EQ(dropped[0].bytes[way], 1000 * dropped[0].packets[way]);
  const Rates fast = measure(g, fast_pod, End("203.0.113.1", 5000), 1);
  EXPECT_DOUBLE_EQ(fast.out, 1e9);
  EXPECT_DOUBLE_EQ(fast.back, 1e9);
  EXPECT_EQ(g.dropped(Drop::bandwidth_exceeded), over);
}

TEST(PipelineBandwidth, IsOfTheEgressNotOfASource) {
  Gateway g(policy("bandwidth = { rate = \"8K\", burst = \"16K\" }"));
  std::size_t sent = 0;
  for (std::uint8_t i = 1; i <= 10; ++i) {
    const End pod("10.0.10." + std::to_string(i), 5000);
    sent += g.from_inside(udp(pod, server, Frame(972))).outside.size();
  }
  EXPECT_EQ(sent, 2U);
}

TEST(PipelineBandwidth, AReloadGivesNoSecondBurst) {
  const std::string limited = policy("bandwidth = { rate = \"8K\", burst = \"16K\" }");
  Gateway g(limited);
  const Frame question = udp(slow_pod, server, Frame(972));
  EXPECT_EQ(g.from_inside(question).outside.size(), 1U);
  EXPECT_EQ(g.from_inside(question).outside.size(), 1U);
  EXPECT_EQ(g.from_inside(question).outside.size(), 0U);
  g.reload(limited + "# changed\n");
  EXPECT_EQ(g.from_inside(question).outside.size(), 0U);
  EXPECT_EQ(g.dropped(Drop::bandwidth_exceeded), 2U);
}

TEST(PipelineBandwidth, Case134AReloadChangesItForFlowsThatLive) {
  Gateway g(policy(""));
  const Frame question = udp(slow_pod, server, Frame(972));
  for (unsigned i = 0; i < 5; ++i) EXPECT_EQ(g.from_inside(question).outside.size(), 1U);
  g.reload(policy("bandwidth = { rate = \"8K\", burst = \"16K\" }"));
  EXPECT_EQ(g.from_inside(question).outside.size(), 1U);
  EXPECT_EQ(g.from_inside(question).outside.size(), 1U);
  EXPECT_EQ(g.from_inside(question).outside.size(), 0U);
  g.reload(policy(""));
  for (unsigned i = 0; i < 5; ++i) EXPECT_EQ(g.from_inside(question).outside.size(), 1U);
}

TEST(PipelineBandwidth, WorkersShareOneBucket) {
  Gateway one(policy("bandwidth = { rate = \"8K\", burst = \"80K\" }"));
  Gateway other(policy(""));
  other.snapshot = one.snapshot;
  std::size_t sent = 0;
  for (unsigned i = 0; i < 10; ++i) {
    sent += one.from_inside(udp(slow_pod, server, Frame(972))).outside.size();
    sent += other.from_inside(udp(End("10.0.10.6", 1), server, Frame(972))).outside.size();
  }
  EXPECT_EQ(sent, 10U);
}

std::uint8_t traffic_class(const Frame& frame) {
  const std::uint8_t* l3 = frame.data() + 14;
  return l3[0] >> 4U == 4 ? l3[1] : static_cast<std::uint8_t>(l3[0] << 4U | l3[1] >> 4U);
}

void set_traffic_class(Frame& frame, std::uint8_t value) {
  std::uint8_t* l3 = frame.data() + 14;
  if (l3[0] >> 4U == 6) {
    l3[0] = static_cast<std::uint8_t>(0x60U | value >> 4U);
    l3[1] = static_cast<std::uint8_t>(unsigned{value} << 4U | (l3[1] & 0x0fU));
    return;
  }
  l3[1] = value;
  auto& ip = wire::at<wire::Ipv4>(l3);
  ip.checksum.set_raw(0);
  ip.checksum.set_raw(wire::finish(wire::sum_words(l3, sizeof ip)));
}

TEST(PipelineDscp, Case135EveryValueIsWrittenAndEcnStays) {
  for (const unsigned dscp : {0U, 1U, 46U, 63U}) {
    Gateway g(policy("dscp = " + std::to_string(dscp)));
    for (const End& pod : {slow_pod, End("fd00:10::5", 5000)}) {
      const End to = pod.ip.family == Family::v4 ? server : End("2001:db8::7", 53);
      for (const unsigned before : {0U, 0xb9U, 0xffU, 0x02U}) {
        Frame question = udp(pod, to);
        set_traffic_class(question, static_cast<std::uint8_t>(before));
        const Gateway::Out out = g.from_inside(question);
        ASSERT_EQ(out.outside.size(), 1U);
        EXPECT_EQ(traffic_class(out.outside[0]), dscp << 2U | (before & 3U));
        EXPECT_TRUE(look_at(out.outside[0]).l4_checksum_right());  // look_at() verifies the header's
      }
    }
  }
}

TEST(PipelineDscp, AnswersAndOtherEgressesKeepTheirs) {
  Gateway g(policy("dscp = 46"));
  Frame other = udp(fast_pod, server);
  set_traffic_class(other, 0x28);
  EXPECT_EQ(traffic_class(g.from_inside(other).outside.at(0)), 0x28);
  (void)g.from_inside(udp(slow_pod, server));
  Frame answer = udp(server, End("203.0.113.8", 5000));
  set_traffic_class(answer, 0x28);
  EXPECT_EQ(traffic_class(g.from_outside(answer).inside.at(0)), 0x28);
}

}  // namespace
}  // namespace sallyport::dataplane::test
