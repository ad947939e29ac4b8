#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "classifier/names/dns_answer.h"
#include "tests/unit/classifier/guard_page.h"
#include "tests/unit/classifier/names_dns_builder.h"

namespace sallyport::classifier::names {
namespace {

const DnsBytes one{198, 51, 100, 7}, two{198, 51, 100, 8};
const DnsBytes six{0x20, 1, 0x0d, 0xb8, 0, 0x51, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7};

IpAddress v4(const DnsBytes& bytes) {
  IpAddress address;
  std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
  return address;
}

struct Read {
  Parse parse = Parse::malformed;
  DnsAnswer answer;
  std::vector<DnsAddress> addresses;
};

Read read(const DnsBytes& message, std::size_t room = 256) {
  Read out;
  out.addresses.resize(room);
  out.parse = parse_dns_answer(message, out.answer, out.addresses);
  out.addresses.resize(out.answer.addresses);
  return out;
}

std::string name_of(const DnsQuestion& question) {
  std::array<char, DnsName::bytes_max> room;
  return std::string(question.name.text(room));
}

DnsMessage answer_to(std::string_view name, std::uint16_t type = dns_a) {
  return DnsMessage(7, dns_answer_flags).question(name, type);
}

TEST(DnsQuery, IsReadWithItsOptionsBehindIt) {
  const DnsBytes message = DnsMessage(0x1234, dns_query_flags).question("WwW.Example.COM", dns_aaaa).opt().bytes();
  DnsQuestion question;
  ASSERT_EQ(parse_dns_query(message, question), Parse::done);
  EXPECT_EQ(question.id, 0x1234);
  EXPECT_EQ(question.type, dns_aaaa);
  EXPECT_EQ(name_of(question), "www.example.com");
  EXPECT_EQ(question.as_sent.size(), 17U + 4U);
  EXPECT_EQ(question.as_sent[1], 'W') << "as it was sent";
}

TEST(DnsQuery, OthersAreNone) {
  DnsQuestion question;
  EXPECT_EQ(parse_dns_query(answer_to("a.example").bytes(), question), Parse::not_this);
  EXPECT_EQ(parse_dns_query(DnsMessage(1, 0x2800).question("a.example").bytes(), question), Parse::not_this)
      << "UPDATE";
  EXPECT_EQ(parse_dns_query(DnsMessage(1, 0x0100).question("a.example", dns_a, 3).bytes(), question), Parse::not_this);
  EXPECT_EQ(parse_dns_query(DnsMessage(1, 0x0100).bytes(), question), Parse::malformed) << "no question";
  EXPECT_EQ(parse_dns_query(DnsMessage(1, 0x0100).question("a").question("b").bytes(), question), Parse::malformed);
  EXPECT_EQ(parse_dns_query(DnsBytes{1, 2, 3}, question), Parse::malformed);
}

TEST(DnsAnswer, GivesTheAddressesOfTheQuestion) {
  const Read r = read(answer_to("www.example.com").answer(dns_a, 60, one).answer(dns_a, 30, two).opt().bytes());
  ASSERT_EQ(r.parse, Parse::done);
  EXPECT_EQ(r.answer.question.id, 7);
  ASSERT_EQ(r.addresses.size(), 2U);
  EXPECT_EQ(r.addresses[0].address, v4(one));
  EXPECT_EQ(r.addresses[0].ttl_s, 60U);
  EXPECT_EQ(r.addresses[1].address, v4(two));
  EXPECT_EQ(r.addresses[1].ttl_s, 30U);
}

TEST(DnsAnswer, Ipv6) {
  const Read r = read(answer_to("www.example.com", dns_aaaa).answer(dns_aaaa, 5, six).bytes());
  ASSERT_EQ(r.addresses.size(), 1U);
  EXPECT_EQ(r.addresses[0].address.family, Family::v6);
  EXPECT_TRUE(std::ranges::equal(r.addresses[0].address.bytes, six));
}

TEST(DnsAnswer, Case108AliasesInAnyOrderTakeTheSmallestTtl) {
  const auto first = [](DnsMessage& m) { m.answer("www.example.com", dns_cname, 300, DnsMessage::name("a.cdn.net")); };
  const auto second = [](DnsMessage& m) { m.answer("A.cdn.net", dns_cname, 20, DnsMessage::name("b.CDN.net")); };
  const auto address = [](DnsMessage& m) { m.answer("b.cdn.net", dns_a, 60, one); };
  const auto check = [](const DnsMessage& m) {
    const Read r = read(m.bytes());
    ASSERT_EQ(r.addresses.size(), 1U);
    EXPECT_EQ(r.addresses[0].ttl_s, 20U);
  };
  DnsMessage forwards = answer_to("www.example.com");
  first(forwards), second(forwards), address(forwards);
  check(forwards);
  DnsMessage backwards = answer_to("www.example.com");
  address(backwards), second(backwards), first(backwards);
  check(backwards);
}

TEST(DnsAnswer, Case108WhatOtherNamesHaveIsNotTaken) {
  EXPECT_TRUE(read(answer_to("a.example").answer("b.example", dns_a, 60, one).bytes()).addresses.empty());
  EXPECT_TRUE(read(answer_to("a.example").authority("a.example", dns_a, 60, one).bytes()).addresses.empty());
  // A chain that does not lead to the address.
  const Read r = read(answer_to("a.example")
                          .answer("a.example", dns_cname, 60, DnsMessage::name("b.example"))
                          .answer("c.example", dns_a, 60, one)
                          .bytes());
  EXPECT_EQ(r.parse, Parse::done);
  EXPECT_TRUE(r.addresses.empty());
}

TEST(DnsAnswer, Case108ChainsThatBiteTheirTail) {
  const DnsMessage itself = answer_to("a.example").answer("a.example", dns_cname, 60, DnsMessage::name("a.example"));
  EXPECT_EQ(read(itself.bytes()).parse, Parse::malformed);
  const DnsMessage each_other = answer_to("a.example")
                                    .answer("a.example", dns_cname, 60, DnsMessage::name("b.example"))
                                    .answer("b.example", dns_cname, 60, DnsMessage::name("a.example"));
  EXPECT_EQ(read(each_other.bytes()).parse, Parse::malformed);
  DnsMessage long_one = answer_to("n0.example");
  for (int i = 0; i < 17; ++i) {
    long_one.answer("n" + std::to_string(i) + ".example", dns_cname, 60,
                    DnsMessage::name("n" + std::to_string(i + 1) + ".example"));
  }
  EXPECT_EQ(read(long_one.bytes()).parse, Parse::malformed) << "more than sixteen aliases";
}

TEST(DnsAnswer, Case108AHundredAddressesAndMoreThanThereIsRoomFor) {
  DnsMessage message = answer_to("many.example");
  for (int i = 0; i < 150; ++i) message.answer(dns_a, 60, {10, 0, 0, static_cast<std::uint8_t>(i)});
  EXPECT_EQ(read(message.bytes()).addresses.size(), 150U);
  EXPECT_FALSE(read(message.bytes()).answer.more);
  const Read r = read(message.bytes(), 100);
  EXPECT_EQ(r.addresses.size(), 100U);
  EXPECT_TRUE(r.answer.more);
}

TEST(DnsAnswer, Case108PointersThatLoopAreMalformed) {
  // The question's name points to itself; a record's owner to itself, forwards, into the header; two to one another.
  EXPECT_EQ(read(DnsMessage(7, dns_answer_flags).raw({0xc0, 12, 0, 1, 0, 1}).count(4).bytes()).parse, Parse::malformed);
  const std::uint8_t owner = 12 + 3 + 4;  // behind the question "a"
  for (const DnsBytes& name :
       {DnsBytes{0xc0, owner}, DnsBytes{0xc0, owner + 4}, DnsBytes{0xc0, 2}, DnsBytes{0xff, 0xff},
        DnsBytes{1, 'x', 0xc0, owner}, DnsBytes{0x80, 1}, DnsBytes{0x41, 1}}) {
    DnsMessage message = answer_to("a");
    message.raw(name).raw({0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4}).count(6);
    EXPECT_EQ(read(message.bytes()).parse, Parse::malformed) << static_cast<int>(name[0]);
  }
}

TEST(DnsAnswer, Case108ATruncatedOneSaysNothing) {
  const DnsMessage whole = DnsMessage(7, dns_truncated_flags).question("a.example").answer(dns_a, 60, one);
  const Read r = read(whole.bytes());
  EXPECT_EQ(r.parse, Parse::done);
  EXPECT_TRUE(r.answer.truncated);
  EXPECT_TRUE(r.addresses.empty());
}

TEST(DnsAnswer, AnErrorSaysNothing) {
  const Read refused = read(DnsMessage(7, 0x8183).question("a.example").answer(dns_a, 60, one).bytes());
  EXPECT_EQ(refused.answer.code, 3);
  EXPECT_TRUE(refused.addresses.empty());
  const Read bad_version = read(answer_to("a.example").answer(dns_a, 60, one).opt(1).bytes());
  EXPECT_EQ(bad_version.answer.code, 16) << "RFC 6891 section 6.1.3";
  EXPECT_TRUE(bad_version.addresses.empty());
}

TEST(DnsAnswer, BrokenRecordsAreMalformed) {
  const DnsMessage base = answer_to("a.example");
  EXPECT_EQ(read(DnsMessage(base).answer(dns_a, 60, {1, 2, 3}).bytes()).parse, Parse::malformed);
  EXPECT_EQ(read(DnsMessage(base).answer(dns_aaaa, 60, one).bytes()).parse, Parse::malformed);
  EXPECT_EQ(read(DnsMessage(base).answer(dns_a, 60, one).count(6).bytes()).parse, Parse::malformed) << "one is missing";
  EXPECT_EQ(read(DnsMessage(base).answer(dns_a, 60, one).raw({0}).bytes()).parse, Parse::malformed) << "bytes behind";
  EXPECT_EQ(read(DnsMessage(base).opt().opt().bytes()).parse, Parse::malformed) << "RFC 6891 section 6.1.1";
  EXPECT_EQ(read(DnsMessage(base).answer(dns_cname, 60, {1, 'x', 0, 0}).bytes()).parse, Parse::malformed);
}

TEST(DnsAnswer, TtlWithItsHighestBitIsZero) {
  EXPECT_EQ(read(answer_to("a.example").answer(dns_a, 0x80000001, one).bytes()).addresses.at(0).ttl_s, 0U);
}

TEST(DnsAnswer, CutAnywhereItIsMalformedAndReadsNothingBehind) {
  DnsMessage message = answer_to("www.example.com");
  message.answer(dns_cname, 60, DnsMessage::name("x.example")).answer("x.example", dns_a, 60, one).opt();
  GuardPage page;
  for (std::size_t size = 0; size < message.bytes().size(); ++size) {
    auto* cut = static_cast<std::uint8_t*>(page.last(size));
    std::copy_n(message.bytes().begin(), size, cut);
    DnsAnswer answer;
    std::array<DnsAddress, 4> room;
    EXPECT_NE(parse_dns_answer({cut, size}, answer, room), Parse::done) << size;
  }
}

TEST(DnsName, LabelsThatNoHostNameHasGiveNoText) {
  DnsMessage dotted(7, dns_query_flags);
  dotted.raw({3, 'a', '.', 'b', 0, 0, 1, 0, 1}).count(4);
  DnsQuestion question;
  ASSERT_EQ(parse_dns_query(dotted.bytes(), question), Parse::done);
  EXPECT_EQ(name_of(question), "");
  ASSERT_EQ(parse_dns_query(DnsMessage(1, dns_query_flags).question("").bytes(), question), Parse::done);
  EXPECT_EQ(name_of(question), "") << "the root";
}

TEST(DnsName, NoLongerThanTheStandardLets) {
  const std::string label(63, 'x');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'y');
  DnsQuestion question;
  ASSERT_EQ(parse_dns_query(DnsMessage(1, dns_query_flags).question(longest).bytes(), question), Parse::done);
  EXPECT_EQ(name_of(question), longest);
  EXPECT_EQ(parse_dns_query(DnsMessage(1, dns_query_flags).question(longest + "y").bytes(), question),
            Parse::malformed);
}

TEST(DnsStream, MessagesStandBehindTheirLength) {
  const DnsBytes message = answer_to("a.example").answer(dns_a, 60, one).bytes();
  DnsBytes stream = with_dns_length(message);
  Bytes first;
  for (std::size_t size = 0; size < stream.size(); ++size) {
    EXPECT_EQ(first_dns_message(std::span(stream).first(size), first), Parse::need_more) << size;
  }
  stream.push_back(0);
  ASSERT_EQ(first_dns_message(stream, first), Parse::done);
  EXPECT_EQ(first.size(), message.size());
  EXPECT_EQ(first_dns_message(DnsBytes{0, 0, 1}, first), Parse::malformed);
}

}  // namespace
}  // namespace sallyport::classifier::names
