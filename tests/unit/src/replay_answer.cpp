#include "src/replay_answer.h"

#include <string>

#include <gtest/gtest.h>

#include "dataplane/stages/icmp_error.h"
#include "dataplane/wire/crc32c.h"
#include "tests/unit/src/packet_builder.h"

namespace sallyport {
namespace {

using dataplane::Parsed;
using dataplane::Translation;
using dataplane::wire::Tcp;

Translation to(std::string_view address, std::uint16_t port) {
  return {*parse_address(address), static_cast<std::uint16_t>((port << 8U) | (port >> 8U))};
}

std::string answered(const std::string& ip, const Translation& translation) {
  FrameInHand frame(ethernet_frame(ip));
  EXPECT_TRUE(frame.good());
  address_answer(frame.packet(), frame.parsed(), translation);
  return frame.bytes().substr(14);
}

// Every expectation is the packet that a server would have made for the other address: all checksums are compared, too.
TEST(ReplayAnswer, TcpAndUdpOfBothFamilies) {
  EXPECT_EQ(answered(tcp_packet("198.51.100.7", 443, "10.1.2.3", 41000, Tcp::ack, "data!"), to("203.0.113.8", 5000)),
            tcp_packet("198.51.100.7", 443, "203.0.113.8", 5000, Tcp::ack, "data!"));
  EXPECT_EQ(answered(udp_packet("198.51.100.7", 53, "10.1.2.3", 41000, "answer"), to("203.0.113.8", 41000)),
            udp_packet("198.51.100.7", 53, "203.0.113.8", 41000, "answer"));
  EXPECT_EQ(answered(tcp_packet("2001:db8::7", 443, "fd00::3", 41000, Tcp::syn | Tcp::ack), to("2001:db8:e::8", 1)),
            tcp_packet("2001:db8::7", 443, "2001:db8:e::8", 1, Tcp::syn | Tcp::ack));
  EXPECT_EQ(answered(udp_packet("2001:db8::7", 53, "fd00::3", 41000, "odd"), to("2001:db8:e::8", 65535)),
            udp_packet("2001:db8::7", 53, "2001:db8:e::8", 65535, "odd"));
}

TEST(ReplayAnswer, EchoRepliesCarryTheIdentifier) {
  EXPECT_EQ(answered(icmp_packet("198.51.100.7", "10.1.2.3", 0, 77, "ping"), to("203.0.113.8", 99)),
            icmp_packet("198.51.100.7", "203.0.113.8", 0, 99, "ping"));
  EXPECT_EQ(answered(icmp_packet("2001:db8::7", "fd00::3", 129, 77, "ping"), to("2001:db8:e::8", 99)),
            icmp_packet("2001:db8::7", "2001:db8:e::8", 129, 99, "ping"));
}

TEST(ReplayAnswer, CaseN77UdpWithoutChecksumStaysSo) {
  std::string before = udp_packet("198.51.100.7", 53, "10.1.2.3", 41000, "answer");
  before[26] = before[27] = '\0';
  std::string after = udp_packet("198.51.100.7", 53, "203.0.113.8", 5000, "answer");
  after[26] = after[27] = '\0';
  EXPECT_EQ(answered(before, to("203.0.113.8", 5000)), after);
}

TEST(ReplayAnswer, CaseN78AWrongChecksumStaysAsWrong) {
  std::string before = tcp_packet("198.51.100.7", 443, "10.1.2.3", 41000, Tcp::ack, "data");
  before[40] = 'X';
  std::string after = tcp_packet("198.51.100.7", 443, "203.0.113.8", 5000, Tcp::ack, "data");
  after[40] = 'X';
  EXPECT_EQ(answered(before, to("203.0.113.8", 5000)), after);
}

TEST(ReplayAnswer, SctpChecksumIsMadeAnewWhereItWasRight) {
  const auto sctp = [](std::string_view destination, std::uint16_t port, bool right) {
    std::string l4 = big_endian(9899) + big_endian(port) + big_endian(7, 4) + big_endian(0, 4) + "chunks..";
    const std::uint32_t crc =
        right ? dataplane::wire::sctp_checksum({reinterpret_cast<const std::uint8_t*>(l4.data()), l4.size()}) : 0;
    std::memcpy(l4.data() + 8, &crc, 4);
    std::string header =
        ip_packet("198.51.100.7", destination, IpProtocol::udp, std::string(20, '\0'), 6).substr(0, 20);
    header[9] = '\x84';
    header[10] = header[11] = '\0';
    put_checksum(header, 10, sum_of(header));
    return header + l4;
  };
  EXPECT_EQ(answered(sctp("10.1.2.3", 41000, true), to("203.0.113.8", 5000)), sctp("203.0.113.8", 5000, true));
  EXPECT_EQ(answered(sctp("10.1.2.3", 41000, false), to("203.0.113.8", 5000)), sctp("203.0.113.8", 5000, false));
}

std::string error_answered(const std::string& ip, const Translation& translation) {
  FrameInHand frame(ethernet_frame(ip));
  EXPECT_TRUE(frame.good());
  Parsed quoted;
  EXPECT_TRUE(dataplane::parse_quoted(false, frame.packet(), frame.parsed(), quoted));
  address_error(frame.packet(), frame.parsed(), quoted, translation);
  EXPECT_TRUE(FrameInHand(frame.bytes()).good()) << "its ICMP checksum";
  return frame.bytes().substr(14);
}

// What a router outside says of the packet it saw: under the egress address, cut or whole.
TEST(ReplayAnswer, CaseN51ErrorsQuoteWhatLeft) {
  for (const std::size_t quoted_bytes : {28U, 36U, 40U, 45U}) {
    const std::string inside = tcp_packet("10.1.2.3", 41000, "198.51.100.7", 443, Tcp::ack, "data!");
    const std::string outside = tcp_packet("203.0.113.8", 5000, "198.51.100.7", 443, Tcp::ack, "data!");
    EXPECT_EQ(error_answered(icmp_packet("192.0.2.1", "10.1.2.3", 3, 0, inside.substr(0, quoted_bytes)),
                             to("203.0.113.8", 5000)),
              icmp_packet("192.0.2.1", "203.0.113.8", 3, 0, outside.substr(0, quoted_bytes)))
        << quoted_bytes;
  }
  EXPECT_EQ(error_answered(
                icmp_packet("192.0.2.1", "10.1.2.3", 11, 0, icmp_packet("10.1.2.3", "198.51.100.7", 8, 77, "ping")),
                to("203.0.113.8", 99)),
            icmp_packet("192.0.2.1", "203.0.113.8", 11, 0, icmp_packet("203.0.113.8", "198.51.100.7", 8, 99, "ping")));
  EXPECT_EQ(error_answered(icmp_packet("2001:db8::1", "fd00::3", 2, 0,
                                       udp_packet("fd00::3", 41000, "2001:db8::7", 53, "question")),
                           to("2001:db8:e::8", 5000)),
            icmp_packet("2001:db8::1", "2001:db8:e::8", 2, 0,
                        udp_packet("2001:db8:e::8", 5000, "2001:db8::7", 53, "question")));
}

}  // namespace
}  // namespace sallyport
