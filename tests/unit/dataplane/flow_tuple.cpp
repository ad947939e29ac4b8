// Flows found by a packet's bytes against flows found by its key: the same hash, the same flow, and no other one.
#include <cstdint>

#include <gtest/gtest.h>

#include "dataplane/flow/flow_table.h"
#include "dataplane/stages/parse_plain.h"
#include "tests/unit/dataplane/packet_maker.h"

namespace sallyport::dataplane {
namespace {

using Side = FlowTable::Side;
using test::End;
using test::Frame;

template <Family family>
class TupleOfAPacket {
 public:
  TupleOfAPacket(const End& from, const End& to, bool tcp)
      : frame_(tcp ? test::tcp(from, to, wire::Tcp::ack) : test::udp(from, to, {})), tcp_(tcp) {
    packet_.data = frame_.data();
    packet_.length = static_cast<std::uint32_t>(frame_.size());
    EXPECT_TRUE(parse_plain(packet_, {}, parsed_));
  }

  [[nodiscard]] const FlowKey& key() const { return parsed_.key; }
  [[nodiscard]] std::uint8_t* tuple() { return packet_.data + (PlainLayout<family>::tuple(packet_) - packet_.data); }
  [[nodiscard]] std::uint64_t hash(const FlowTable& flows, Side side) const {
    return flows.hash<family>(PlainLayout<family>::tuple(packet_), tcp_ ? IpProtocol::tcp : IpProtocol::udp, side);
  }
  [[nodiscard]] bool is_of(const FlowTable& flows, FlowNumber number, Side side) const {
    return flows.has_tuple<family>(number, PlainLayout<family>::tuple(packet_), side);
  }
  // Each of its bytes matters.
  void expect_no_other(const FlowTable& flows, FlowNumber number, Side side) {
    constexpr std::size_t bytes = (family == Family::v4 ? 8 : 32) + 4;
    EXPECT_TRUE(is_of(flows, number, side));
    for (std::size_t bit = 0; bit < 8 * bytes; ++bit) {
      tuple()[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      EXPECT_FALSE(is_of(flows, number, side)) << "bit " << bit;
      EXPECT_NE(hash(flows, side), flows.hash(key(), side)) << "bit " << bit;
      tuple()[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    }
    EXPECT_TRUE(is_of(flows, number, side));
  }

 private:
  Frame frame_;
  bool tcp_;
  Packet packet_;
  Parsed parsed_;
};

class FlowTuples : public ::testing::TestWithParam<bool> {
 protected:
  Random random{7};
  const KeyHash key_hash{random};
  AddressBook addresses{4, key_hash};
  FlowTable flows{16, key_hash, addresses};

  template <Family family>
  void expect_both_sides(const End& client, const End& server, const End& egress) {
    TupleOfAPacket<family> out(client, server, GetParam());
    TupleOfAPacket<family> back(server, egress, GetParam());
    Flow& draft = flows.begin_draft(out.key());
    draft.nat_address = static_cast<std::uint16_t>(addresses.take(egress.ip));
    draft.nat_port = back.key().destination_port;
    if (family == Family::v4) std::memcpy(&draft.nat_address4, egress.ip.bytes.data(), sizeof draft.nat_address4);
    const FlowNumber number = flows.keep_draft();
    EXPECT_EQ(flows.outside_key(flows[number]), back.key());

    EXPECT_EQ(out.hash(flows, Side::inside), flows.hash(out.key(), Side::inside));
    EXPECT_EQ(back.hash(flows, Side::outside), flows.hash(back.key(), Side::outside));
    EXPECT_NE(out.hash(flows, Side::inside), out.hash(flows, Side::outside));
    out.expect_no_other(flows, number, Side::inside);
    back.expect_no_other(flows, number, Side::outside);
    EXPECT_FALSE(out.is_of(flows, number, Side::outside));
    EXPECT_FALSE(back.is_of(flows, number, Side::inside));
  }
};

TEST_P(FlowTuples, OfIpv4) {
  expect_both_sides<Family::v4>({"10.1.2.3", 41000}, {"198.51.100.7", 443}, {"203.0.113.8", 50123});
}
TEST_P(FlowTuples, OfIpv6) {
  expect_both_sides<Family::v6>({"fd00::3", 41000}, {"2001:db8::7", 443}, {"2001:db8:ffff::8", 50123});
}

INSTANTIATE_TEST_SUITE_P(Protocols, FlowTuples, testing::Bool(),
                         [](const auto& test) { return test.param ? "Tcp" : "Udp"; });

}  // namespace
}  // namespace sallyport::dataplane
