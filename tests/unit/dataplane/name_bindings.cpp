#include "dataplane/flow/name_bindings.h"

#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "dataplane/flow/dns_book.h"

namespace sallyport::dataplane {
namespace {

using classifier::Domain;

constexpr Instant second = 1'000'000'000;
constexpr Instant start = 1'700'000'000 * second;
constexpr std::uint32_t plenty = 1000;

IpAddress ip(const char* text) { return parse_address(text).value(); }
Domain exact(std::string_view text) { return {Domain::Kind::exact, text}; }
Domain below(std::string_view text) { return {Domain::Kind::below, text}; }
Domain apex(std::string_view text) { return {Domain::Kind::apex, text}; }

TEST(NameBindings, HoldUntilTheirTimeForEveryWorker) {
  NameBindings names(3, plenty, 1);
  ASSERT_TRUE(names.learn({1, {}}, "www.example.com", ip("198.51.100.7"), start + 60 * second, start, plenty));
  EXPECT_TRUE(names.knows(ip("198.51.100.7"), start));
  EXPECT_TRUE(names.binds(exact("www.example.com"), ip("198.51.100.7"), start + 60 * second - 1));
  EXPECT_FALSE(names.binds(exact("www.example.com"), ip("198.51.100.7"), start + 60 * second));
  EXPECT_FALSE(names.binds(exact("www.example.com"), ip("198.51.100.8"), start));
  EXPECT_FALSE(names.binds(exact("example.com"), ip("198.51.100.7"), start));
  EXPECT_FALSE(names.knows(ip("::c633:6407"), start)) << "another family";
  EXPECT_EQ(names.names(), 1U);
}

TEST(NameBindings, NamesAboveAreKnownToHaveOneBelow) {
  NameBindings names(1, plenty, 1);
  ASSERT_TRUE(names.learn({0, {}}, "a.b.example.com", ip("2001:db8::7"), start + second, start, plenty));
  for (const char* above : {"b.example.com", "example.com", "com"}) {
    EXPECT_TRUE(names.binds(below(above), ip("2001:db8::7"), start)) << above;
    EXPECT_TRUE(names.binds(apex(above), ip("2001:db8::7"), start)) << above;
    EXPECT_FALSE(names.binds(exact(above), ip("2001:db8::7"), start)) << above;
  }
  EXPECT_FALSE(names.binds(below("a.b.example.com"), ip("2001:db8::7"), start));
  EXPECT_TRUE(names.binds(apex("a.b.example.com"), ip("2001:db8::7"), start));
}

TEST(NameBindings, AreProlongedNeverShortened) {
  NameBindings names(1, plenty, 1);
  const auto learn = [&](Instant until) {
    return names.learn({0, {}}, "a.example", ip("10.0.0.1"), until, start, plenty);
  };
  ASSERT_TRUE(learn(start + 60 * second));
  ASSERT_TRUE(learn(start + 5 * second));
  EXPECT_TRUE(names.binds(exact("a.example"), ip("10.0.0.1"), start + 30 * second));
  ASSERT_TRUE(learn(start + 90 * second));
  EXPECT_TRUE(names.binds(exact("a.example"), ip("10.0.0.1"), start + 80 * second));
  EXPECT_EQ(names.names(), 1U);
}

// Each for a client of its own.
NameBindings::Learner for_nth(int i, std::uint32_t worker = 0) { return {worker, {static_cast<std::uint16_t>(i)}}; }
std::string nth(int i) { return "host" + std::to_string(i) + ".zone.example.com"; }

TEST(NameBindings, NamesMaxKeepsTheOldOnes) {
  NameBindings names(2, 100, 1);
  for (int i = 0; i < 100; ++i) {
    const auto worker = static_cast<std::uint32_t>(i % 2);
    ASSERT_TRUE(names.learn(for_nth(i, worker), nth(i), ip("10.0.0.1"), start + 60 * second, start, 100));
  }
  EXPECT_FALSE(names.learn({0, {}}, nth(100), ip("10.0.0.1"), start + 60 * second, start, 100));
  EXPECT_TRUE(names.learn({0, {}}, nth(0), ip("10.0.0.1"), start + 90 * second, start, 100)) << "it is there already";
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(names.binds(exact(nth(i)), ip("10.0.0.1"), start)) << i;
}

// Whoever binds a zone of their own to everything leaves the others room; what is over counts for them no more.
TEST(NameBindings, AClientHasAsManyAsItLeaves) {
  NameBindings names(1, 900, 1);
  int number = 0;
  const auto learn = [&](std::uint16_t asker, int name, Instant now) {
    return names.learn({0, {asker}}, nth(name), ip("10.0.0.1"), now + 60 * second, now, 900);
  };
  const auto learn_all = [&](std::uint16_t asker, Instant now) {
    int learned = 0;
    for (; learned < 900 && learn(asker, number, now); ++learned) ++number;
    return learned;
  };
  EXPECT_EQ(learn_all(1, start), 450);
  EXPECT_TRUE(learn(1, 0, start)) << "it is there already";
  EXPECT_EQ(learn_all(2, start), 225);
  EXPECT_EQ(learn_all(3, start), 113);
  EXPECT_EQ(learn_all(1, start), 0);
  const Instant later = start + 61 * second;
  for (int i = 0; i < 64; ++i) names.sweep(0, later);
  number = 0;
  EXPECT_EQ(learn_all(4, later), 450) << "the same names, for another one";
  EXPECT_EQ(learn_all(1, later), 225);
}

TEST(NameBindings, WhatIsOverMakesRoom) {
  NameBindings names(1, 100, 1);
  Instant now = start;
  for (int round = 0; round < 50; ++round, now += 10 * second) {
    for (int i = 0; i < 64; ++i) names.sweep(0, now);
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(names.learn(for_nth(i), nth(1000 * round + i), ip("10.0.0.1"), now + second, now, 100))
          << round << " " << i;
    }
    ASSERT_EQ(names.names(), 100U);
  }
}

TEST(NameBindings, ALargerTableTakesOverTheOldOne) {
  NameBindings small(2, 50, 1);
  for (int i = 0; i < 50; ++i) {
    const auto worker = static_cast<std::uint32_t>(i % 2);
    ASSERT_TRUE(small.learn(for_nth(i, worker), nth(i), ip("10.0.0.1"), start + second, start, 50));
  }
  NameBindings large(small, 200);
  large.take_over(small);
  EXPECT_EQ(large.names(), 50U);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(large.binds(exact(nth(i)), ip("10.0.0.1"), start)) << i;
  EXPECT_TRUE(large.binds(below("zone.example.com"), ip("10.0.0.1"), start));
  for (int i = 50; i < 200; ++i) {
    ASSERT_TRUE(large.learn(for_nth(i), nth(i), ip("10.0.0.1"), start + second, start, 200)) << i;
  }
}

// What was taken over is swept by nobody: when the last of it is over it makes room for new ones.
TEST(NameBindings, WhatWasTakenOverCountsUntilItIsOver) {
  NameBindings small(1, 900, 1);
  for (int i = 0; i < 900; ++i)
    ASSERT_TRUE(small.learn(for_nth(i), nth(i), ip("10.0.0.1"), start + second, start, 900));
  NameBindings large(small, 1000);
  large.take_over(small);
  const auto learn = [&](int i, Instant now) {
    return large.learn(for_nth(0), nth(i), ip("10.0.0.1"), now + second, now, 1000);
  };
  for (int i = 1000; i < 1064; ++i) ASSERT_TRUE(learn(i, start));
  EXPECT_FALSE(learn(1064, start)) << "as many as are left, and no less than 64";
  for (int i = 0; i < 64; ++i) large.sweep(0, start + second);
  for (int i = 2000; i < 2500; ++i) ASSERT_TRUE(learn(i, start + second)) << i;
  EXPECT_FALSE(learn(2500, start + second)) << "half";
}

// One writer takes the places of what is over; a reader must never see a name that is over hold again.
TEST(NameBindings, ReadersSeeNoMixtures) {
  NameBindings names(1, 4, 1);
  std::atomic<Instant> clock{start};
  std::atomic<bool> done{false};
  ASSERT_TRUE(names.learn({0, {}}, "old.example", ip("10.0.0.1"), start, start - 1, 4));
  std::thread reader([&] {
    while (!done) ASSERT_FALSE(names.binds(exact("old.example"), ip("10.0.0.1"), clock));
  });
  for (int i = 0; i < 20'000; ++i) {
    clock = clock + second;
    names.sweep(0, clock);
    ASSERT_TRUE(names.learn({0, {}}, nth(i), ip("10.0.0.1"), clock + second, clock, 4));
    ASSERT_TRUE(names.binds(exact(nth(i)), ip("10.0.0.1"), clock));
  }
  done = true;
  reader.join();
}

TEST(BoundNamesNow, AskBothTablesAndTheFlowsOwnMark) {
  NameBindings before(1, plenty, 1);
  ASSERT_TRUE(before.learn({0, {}}, "a.example", ip("10.0.0.1"), start + second, start, plenty));
  const NameBindings present(before, 2 * plenty);
  EXPECT_TRUE(BoundNamesNow(&present, &before, start).binds(exact("a.example"), ip("10.0.0.1")));
  EXPECT_FALSE(BoundNamesNow(&present, nullptr, start).binds(exact("a.example"), ip("10.0.0.1")));
  EXPECT_FALSE(BoundNamesNow(nullptr, nullptr, start).knows(ip("10.0.0.1")));
  const std::uint32_t mark = present.mark(below("example"));
  const BoundNamesNow marked(&present, nullptr, start + 3600 * second, mark);
  EXPECT_TRUE(marked.knows(ip("10.0.0.9")) && marked.binds(below("example"), ip("10.0.0.9")));
  EXPECT_FALSE(marked.binds(exact("example"), ip("10.0.0.9")));
}

TEST(PendingQueries, WaitForSoLongAndAreTakenOnce) {
  PendingQueries queries;
  EXPECT_TRUE(queries.add(77, 1000));
  EXPECT_FALSE(queries.take(78, 1000));
  EXPECT_TRUE(queries.take(77, 1000 + PendingQueries::timeout_ms - 1));
  EXPECT_FALSE(queries.take(77, 1000)) << "once";
  EXPECT_TRUE(queries.add(77, 1000));
  EXPECT_FALSE(queries.take(77, 1000 + PendingQueries::timeout_ms)) << "too late";
}

TEST(PendingQueries, TheOldestGivesWay) {
  PendingQueries queries;
  const auto key = [](std::uint64_t i) { return 5 + 1024 * i; };  // all in one set
  for (std::uint64_t i = 0; i < 8; ++i) EXPECT_TRUE(queries.add(key(i), static_cast<Tick>(100 + i)));
  EXPECT_TRUE(queries.add(key(0), 200)) << "asked again: it is the newest now";
  EXPECT_FALSE(queries.add(key(8), 201));
  EXPECT_FALSE(queries.take(key(1), 202));
  EXPECT_TRUE(queries.take(key(0), 202));
  EXPECT_TRUE(queries.take(key(8), 202));
}

using Bytes = std::vector<std::uint8_t>;

using Added = DnsStreams::Added;

struct Streams {
  DnsStreams all;
  DnsStream stream{0, 0, true};
  std::vector<std::string> read;
  Added add(std::uint32_t sequence, const std::string& bytes) {
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    return all.add(stream, {1, 1, 0}, sequence, {data, bytes.size()},
                   [&](std::span<const std::uint8_t> message) { read.emplace_back(message.begin(), message.end()); });
  }
};

const std::string two_messages("\0\5first\0\6second", 15);

TEST(DnsStreams, MessagesComeWholeHoweverTheyAreCut) {
  for (std::size_t cut = 0; cut <= two_messages.size(); ++cut) {
    for (const bool turned : {false, true}) {
      Streams s;
      const std::string front = two_messages.substr(0, cut), back = two_messages.substr(cut);
      const auto at = static_cast<std::uint32_t>(cut);
      ASSERT_EQ(turned ? s.add(at, back) : s.add(0, front), Added::read) << cut;
      ASSERT_EQ(turned ? s.add(0, front) : s.add(at, back), Added::read) << cut;
      EXPECT_EQ(s.read, (std::vector<std::string>{"first", "second"})) << cut << turned;
      EXPECT_EQ(s.stream.buffer, 0U) << "nothing is kept";
    }
  }
}

TEST(DnsStreams, ByteByByteAcrossTheEndOfSequenceNumbers) {
  Streams s;
  const std::uint32_t first = 0xfffffffa;
  s.stream.next = first;
  for (std::size_t i = 0; i < two_messages.size(); ++i) {
    ASSERT_EQ(s.add(first + static_cast<std::uint32_t>(i), two_messages.substr(i, 1)), Added::read);
    ASSERT_EQ(s.add(first + static_cast<std::uint32_t>(i), two_messages.substr(i, 1)), Added::read) << "retransmitted";
  }
  EXPECT_EQ(s.read, (std::vector<std::string>{"first", "second"}));
}

TEST(DnsStreams, OutOfStep) {
  EXPECT_EQ(Streams().add(0, std::string(3, '\0')), Added::lost) << "no messages";
  EXPECT_EQ(Streams().add(DnsStreams::stream_bytes, "x"), Added::lost) << "too far ahead";
  Streams conflicting;
  EXPECT_EQ(conflicting.add(4, "abc"), Added::read);
  EXPECT_EQ(conflicting.add(3, "xxx"), Added::lost);
}

// Flows of four for each sender, one a millisecond, each with a message that is not whole.
struct Unfinished {
  DnsStreams all;
  std::vector<DnsStream> streams = std::vector<DnsStream>(DnsStreams::kept_max + 2, {0, 0, true});
  Added begin(FlowNumber flow, std::uint32_t sender) {
    const std::uint8_t half[] = {0, 9, 1};
    return all.add(streams[flow], {flow, sender, flow}, 0, half, [](std::span<const std::uint8_t>) {});
  }
};

TEST(DnsStreams, TheOldestOfASenderIsInItsWayAndTheOldestOfAllInAnybodys) {
  Unfinished u;
  for (FlowNumber flow = 1; flow <= DnsStreams::kept_max; ++flow) ASSERT_EQ(u.begin(flow, (flow - 1) / 4), Added::read);
  EXPECT_EQ(u.begin(DnsStreams::kept_max + 1, 3), Added::full);
  EXPECT_EQ(u.all.in_the_way(3), 13U);
  EXPECT_EQ(u.all.in_the_way(99), 1U);
  u.all.forget(u.streams[1]);
  EXPECT_EQ(u.all.in_the_way(99), 0U);
  EXPECT_EQ(u.begin(DnsStreams::kept_max + 1, 3), Added::full) << "it has its four";
  EXPECT_EQ(u.begin(DnsStreams::kept_max + 1, 99), Added::read);
}

}  // namespace
}  // namespace sallyport::dataplane
