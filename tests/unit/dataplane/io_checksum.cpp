// Checksums left to hardware that is not there, as Linux leaves them, are completed; everything else stays as it is.
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/io/partial_checksum.h"
#include "packet_maker.h"

namespace sallyport::dataplane {
namespace {

using test::Frame;
using wire::Be16;

struct Shape {
  const char* from;
  const char* to;
  std::size_t l4;  // offset of the transport header
};
constexpr Shape v4{"10.0.0.9", "198.51.100.7", 34};
constexpr Shape v6{"fd00::9", "2001:db8::7", 54};

const Frame query = {1, 2, 3, 4, 5};

Be16& checksum_at(Frame& frame, std::size_t offset) { return wire::at<Be16>(frame.data() + offset); }

// As a kernel sends it over a veth: the sum of the pseudo header alone, not complemented.
void leave_unfinished(Frame& frame, const Shape& shape, std::uint8_t protocol, std::size_t field) {
  const std::size_t address_size = shape.l4 == v4.l4 ? 4 : 16;
  const std::uint8_t* addresses = frame.data() + (shape.l4 == v4.l4 ? 26 : 22);
  const wire::Sum sum = wire::pseudo_header({addresses, address_size}, {addresses + address_size, address_size},
                                            protocol, static_cast<std::uint32_t>(frame.size() - shape.l4));
  checksum_at(frame, shape.l4 + field).set_raw(wire::fold(sum));
}

Frame with_tag(const Frame& frame) {
  constexpr std::array<std::uint8_t, 4> tag = {0x81, 0x00, 0x00, 0x2a};
  Frame tagged(frame.size() + tag.size());
  std::copy_n(frame.begin(), 12, tagged.begin());
  std::copy(tag.begin(), tag.end(), tagged.begin() + 12);
  std::copy(frame.begin() + 12, frame.end(), tagged.begin() + 16);
  return tagged;
}

TEST(PartialChecksum, OfAPacketInATunnelTheInnerOneIsCompleted) {
  Frame inner = test::tcp({v4.from, 41000}, {v4.to, 443}, wire::Tcp::ack, {.payload = query});
  const auto in_vxlan = [](const Frame& frame) {
    Frame content = {0x08, 0, 0, 0, 0, 0x10, 0, 0};
    content.insert(content.end(), frame.begin(), frame.end());
    return test::udp({"10.0.0.7", 50000}, {"10.0.0.1", 4789}, content, false);
  };
  const Frame whole = in_vxlan(inner);
  leave_unfinished(inner, v4, 6, 16);
  Frame open = in_vxlan(inner);
  ASSERT_NE(open, whole);
  EXPECT_TRUE(complete_checksum(open));
  EXPECT_EQ(open, whole);
  EXPECT_FALSE(complete_checksum(open));
}

TEST(PartialChecksum, TcpAndUdpOfBothFamiliesBecomeWhatTheyShouldBe) {
  for (const Shape& shape : {v4, v6}) {
    for (const std::size_t payload : {0U, 1U, 2U, 1001U}) {
      const Frame bytes(payload, 'x');
      Frame tcp = test::tcp({shape.from, 41000}, {shape.to, 443}, wire::Tcp::ack, {.payload = bytes});
      Frame udp = test::udp({shape.from, 41000}, {shape.to, 443}, bytes);
      const Frame tcp_whole = tcp;
      const Frame udp_whole = udp;
      leave_unfinished(tcp, shape, 6, 16);
      leave_unfinished(udp, shape, 17, 6);
      ASSERT_NE(tcp, tcp_whole);
      EXPECT_TRUE(complete_checksum(tcp));
      EXPECT_EQ(tcp, tcp_whole) << shape.from << ' ' << payload;
      EXPECT_TRUE(complete_checksum(udp));
      EXPECT_EQ(udp, udp_whole) << shape.from << ' ' << payload;
    }
  }
}

TEST(PartialChecksum, BehindAVlanTag) {
  Frame udp = test::udp({v4.from, 41000}, {v4.to, 53}, query);
  const Frame whole = with_tag(udp);
  leave_unfinished(udp, v4, 17, 6);
  Frame tagged = with_tag(udp);
  EXPECT_TRUE(complete_checksum(tagged));
  EXPECT_EQ(tagged, whole);
}

TEST(PartialChecksum, PaddingBehindThePacketIsNotSummed) {
  Frame udp = test::udp({v4.from, 41000}, {v4.to, 53}, {7});
  Frame whole = udp;
  leave_unfinished(udp, v4, 17, 6);
  udp.resize(60, 0xee);
  whole.resize(60, 0xee);
  EXPECT_TRUE(complete_checksum(udp));
  EXPECT_EQ(udp, whole);
}

TEST(PartialChecksum, CompleteAndWrongOnesStayAsTheyAre) {
  Frame right = test::udp({v4.from, 41000}, {v4.to, 53}, query);
  Frame wrong = right;
  wrong[40] ^= 0x40;
  Frame none = right;
  checksum_at(none, 40) = 0;  // allowed over IPv4
  for (Frame* frame : {&right, &wrong, &none}) {
    const Frame before = *frame;
    EXPECT_FALSE(complete_checksum(*frame));
    EXPECT_EQ(*frame, before);
  }
}

TEST(PartialChecksum, FragmentsAndTruncatedFramesAreLeftAlone) {
  Frame udp = test::udp({v4.from, 41000}, {v4.to, 53}, query);
  leave_unfinished(udp, v4, 17, 6);
  Frame fragment = udp;
  fragment[20] = 0x20;  // more fragments
  EXPECT_FALSE(complete_checksum(fragment));
  for (std::size_t bytes = 0; bytes < udp.size(); ++bytes) {
    Frame cut(udp.begin(), udp.begin() + static_cast<std::ptrdiff_t>(bytes));
    EXPECT_FALSE(complete_checksum(cut)) << bytes;
  }
  EXPECT_TRUE(complete_checksum(udp));
}

}  // namespace
}  // namespace sallyport::dataplane
