// What a collector reads of flow records, by a decoder of its own (RFC 7011 section 3).
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "src/descriptor.h"
#include "src/flow_log/ipfix_output.h"

namespace sallyport {
namespace {

using namespace std::chrono_literals;
using dataplane::FlowRecord;
using dataplane::RecordKind;

// By the number of the information element; the bytes as sent.
using Record = std::map<unsigned, std::string>;

class Decoder {
 public:
  std::vector<Record> records;
  std::vector<std::uint32_t> sequences;  // of the messages
  std::uint32_t domain = 0;
  unsigned templates = 0;  // declared, again ones included

  void take(const std::string& message) {
    ASSERT_GE(message.size(), 16U);
    ASSERT_EQ(number(message, 0, 2), 10U);
    ASSERT_EQ(number(message, 2, 2), message.size());
    ASSERT_LE(message.size(), 1400U);
    sequences.push_back(static_cast<std::uint32_t>(number(message, 8, 4)));
    domain = static_cast<std::uint32_t>(number(message, 12, 4));
    for (std::size_t at = 16; at < message.size();) {
      const std::size_t length = number(message, at + 2, 2);
      ASSERT_GE(length, 4U);
      ASSERT_LE(at + length, message.size());
      take_set(static_cast<unsigned>(number(message, at, 2)), message.substr(at + 4, length - 4));
      at += length;
    }
  }

  static std::uint64_t number(const std::string& bytes, std::size_t at, std::size_t length) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < length; ++i) value = value << 8U | static_cast<unsigned char>(bytes.at(at + i));
    return value;
  }
  static std::uint64_t number(const Record& record, unsigned element) {
    const auto found = record.find(element);
    return found == record.end() ? ~0ULL : number(found->second, 0, found->second.size());
  }

 private:
  struct Field {
    unsigned element;
    std::size_t length;
  };

  void take_set(unsigned id, const std::string& set) {
    if (id == 2) return take_templates(set);
    ASSERT_TRUE(fields_.contains(id)) << id;
    for (std::size_t at = 0; at < set.size();) {
      Record& record = records.emplace_back();
      for (const Field& field : fields_[id]) {
        const bool varies = field.length == 65535;
        const std::size_t length = varies ? number(set, at, 1) : field.length;
        at += varies ? 1 : 0;
        record[field.element] = set.substr(at, length);
        at += length;
      }
    }
  }

  void take_templates(const std::string& set) {
    for (std::size_t at = 0; at < set.size();) {
      std::vector<Field>& fields = fields_[static_cast<unsigned>(number(set, at, 2))];
      fields.clear();
      const std::size_t count = number(set, at + 2, 2);
      at += 4;
      for (std::size_t i = 0; i < count; ++i, at += 4)
        fields.push_back({static_cast<unsigned>(number(set, at, 2)), number(set, at + 2, 2)});
      ++templates;
    }
  }

  std::map<unsigned, std::vector<Field>> fields_;
};

Descriptor bound(int type, std::uint16_t& port) {
  Descriptor made(socket(AF_INET, type, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  name.sin_port = htons(port);
  socklen_t length = sizeof name;
  const int yes = 1;
  setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  EXPECT_EQ(bind(made.get(), reinterpret_cast<const sockaddr*>(&name), length), 0);
  EXPECT_EQ(getsockname(made.get(), reinterpret_cast<sockaddr*>(&name), &length), 0);
  port = ntohs(name.sin_port);
  return made;
}

FlowRecord flow_of(Family family) {
  FlowRecord record;
  record.written_ns = 1'767'323'045'678'901'000;
  record.start_ns = record.written_ns - 2'000'000'000;
  record.end_ns = record.written_ns - 1'000'000;
  record.inside.family = family;
  record.inside.source = parse_address(family == Family::v4 ? "10.1.2.3" : "fd00:1::2:3")->bytes;
  record.inside.destination = parse_address(family == Family::v4 ? "198.51.100.7" : "2001:db8:51::7")->bytes;
  record.inside.source_port = htons(41000);
  record.inside.destination_port = htons(443);
  record.inside.protocol = dataplane::IpProtocol::tcp;
  record.nat_address = *parse_address(family == Family::v4 ? "203.0.113.8" : "2001:db8:113::8");
  record.nat_port = htons(50001);
  record.translated = true;
  record.allowed = true;
  record.end = dataplane::FlowEnd::fin;
  record.packets = {9, 8};
  record.bytes = {1200, 5400};
  return record;
}

class IpfixTest : public testing::Test {
 protected:
  IpfixTest() : collector_(bound(SOCK_DGRAM, port_)) {
    auto identities = std::make_shared<classifier::Identities>();
    pool_ = identities->intern("egress-web");
    identities_ = std::move(identities);
    limits_.flows = 1000;
    limits_.flows_per_source = 50;
  }

  [[nodiscard]] config::IpfixConfig config(config::LogTarget::By by) const {
    config::IpfixConfig config;
    config.collector = {by, {}, *parse_address("127.0.0.1"), port_};
    config.observation_domain = 7;
    return config;
  }
  [[nodiscard]] RecordBatch batch(const std::vector<FlowRecord>& records) const { return {records, identities_}; }

  void read_datagrams() {
    std::string bytes(65536, '\0');
    for (int i = 0; i < 20; ++i) {
      const ssize_t length = recv(collector_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (length >= 0) {
        decoder_.take(bytes.substr(0, static_cast<std::size_t>(length)));
      } else {
        std::this_thread::sleep_for(1ms);
      }
    }
  }

  // What becomes of one record.
  std::vector<Record> sent(const FlowRecord& record) {
    IpfixOutput output(config(config::LogTarget::By::udp), limits_);
    EXPECT_EQ(output.open(), "");
    EXPECT_EQ(output.write(batch({record})), 1U);
    decoder_.records.clear();
    read_datagrams();
    return decoder_.records;
  }
  static std::uint64_t value(const Record& record, unsigned element) { return Decoder::number(record, element); }

  std::uint16_t port_ = 0;
  Descriptor collector_;
  Decoder decoder_;
  classifier::Id pool_ = 0;
  std::shared_ptr<const classifier::Identities> identities_;
  config::Limits limits_;
};

TEST_F(IpfixTest, ATranslationBegins) {
  FlowRecord record = flow_of(Family::v4);
  record.kind = RecordKind::translation_begun;
  const auto records = sent(record);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(value(records[0], 230), 4U);                  // natEvent: NAT44 session create
  EXPECT_EQ(value(records[0], 323), 1'767'323'045'678U);  // observationTimeMilliseconds
  EXPECT_EQ(value(records[0], 4), 6U);
  EXPECT_EQ(value(records[0], 8), 0x0a010203U);
  EXPECT_EQ(value(records[0], 225), 0xcb007108U);  // postNATSourceIPv4Address
  EXPECT_EQ(value(records[0], 12), 0xc6336407U);
  EXPECT_EQ(value(records[0], 7), 41000U);
  EXPECT_EQ(value(records[0], 227), 50001U);  // postNAPTSourceTransportPort
  EXPECT_EQ(value(records[0], 11), 443U);
  EXPECT_EQ(decoder_.domain, 7U);
}

TEST_F(IpfixTest, AndEndsWithItsCounts) {
  const auto records = sent(flow_of(Family::v4));
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(value(records[0], 230), 5U);
  EXPECT_EQ(value(records[0], 152), 1'767'323'043'678U);  // flowStartMilliseconds
  EXPECT_EQ(value(records[0], 231), 1200U);               // initiatorOctets
  EXPECT_EQ(value(records[0], 232), 5400U);
  EXPECT_EQ(value(records[0], 298), 9U);
  EXPECT_EQ(value(records[0], 299), 8U);
  EXPECT_EQ(value(records[0], 136), 3U);  // flowEndReason: end of flow detected
}

TEST_F(IpfixTest, OfIPv6ByTheOlderNumbers) {
  FlowRecord record = flow_of(Family::v6);
  auto records = sent(record);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(value(records[0], 230), 2U);
  EXPECT_EQ(records[0][27].size(), 16U);
  EXPECT_EQ(std::memcmp(records[0][281].data(), record.nat_address.bytes.data(), 16), 0);
  record.kind = RecordKind::translation_begun;
  EXPECT_EQ(value(sent(record).at(0), 230), 1U);
}

TEST_F(IpfixTest, ADeniedFlowIsAFirewallEvent) {
  FlowRecord record = flow_of(Family::v4);
  record.translated = false;
  record.allowed = false;
  record.end = dataplane::FlowEnd::denied;
  const auto records = sent(record);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(value(records[0], 233), 3U);
  EXPECT_FALSE(records[0].contains(230));
}

TEST_F(IpfixTest, ARestartEndsNoTranslation) {
  FlowRecord record = flow_of(Family::v4);
  record.end = dataplane::FlowEnd::shutdown;
  EXPECT_TRUE(sent(record).empty());
}

TEST_F(IpfixTest, BlocksOfPorts) {
  FlowRecord record = flow_of(Family::v4);
  record.kind = RecordKind::ports_given;
  record.nat_port = htons(40960);
  record.ports = 512;
  auto records = sent(record);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(value(records[0], 230), 16U);
  EXPECT_EQ(value(records[0], 361), 40960U);
  EXPECT_EQ(value(records[0], 362), 41471U);
  record.kind = RecordKind::ports_taken_back;
  EXPECT_EQ(value(sent(record).at(0), 230), 17U);
}

TEST_F(IpfixTest, WhatHasRunOutOrWillSoon) {
  FlowRecord record = flow_of(Family::v4);
  record.kind = RecordKind::ports_exhausted;
  auto records = sent(record);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(value(records[0], 230), 12U);
  EXPECT_EQ(value(records[0], 225), 0xcb007108U);
  record.kind = RecordKind::ports_running_out;
  record.ports = 51610;
  records = sent(record);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(value(records[0], 230), 18U);
  EXPECT_EQ(value(records[0], 467), 3U);
  EXPECT_EQ(value(records[0], 478), 51610U);
}

TEST_F(IpfixTest, ALimitIsAnEventBesideTheDeniedFlow) {
  FlowRecord record = flow_of(Family::v4);
  record.translated = false;
  record.allowed = false;
  const auto of_reason = [&](classifier::Reason reason) {
    record.reason = reason;
    const auto records = sent(record);
    EXPECT_EQ(records.size(), 2U);
    EXPECT_EQ(value(records.at(1), 233), 3U);
    return records.at(0);
  };
  Record event = of_reason(classifier::Reason::no_egress_address);
  EXPECT_EQ(value(event, 230), 3U);
  record.egress = pool_;
  event = of_reason(classifier::Reason::no_egress_address);
  EXPECT_EQ(event[284], "egress-web");
  event = of_reason(classifier::Reason::flows_exhausted);
  EXPECT_EQ(value(event, 466), 1U);
  EXPECT_EQ(value(event, 471), 1000U);
  event = of_reason(classifier::Reason::source_limit);
  EXPECT_EQ(value(event, 466), 3U);
  EXPECT_EQ(value(event, 473), 50U);
  EXPECT_EQ(value(event, 8), 0x0a010203U);
}

TEST_F(IpfixTest, WithoutSessionsOnlyWhatIsRarer) {
  config::IpfixConfig rare = config(config::LogTarget::By::udp);
  rare.sessions = false;
  IpfixOutput output(rare, limits_);
  ASSERT_EQ(output.open(), "");
  FlowRecord block = flow_of(Family::v4);
  block.kind = RecordKind::ports_given;
  EXPECT_EQ(output.write(batch({flow_of(Family::v4), block})), 2U);
  read_datagrams();
  ASSERT_EQ(decoder_.records.size(), 1U);
  EXPECT_EQ(value(decoder_.records[0], 230), 16U);
}

TEST_F(IpfixTest, ManyRecordsAreManyMessagesInSequence) {
  IpfixOutput output(config(config::LogTarget::By::udp), limits_);
  ASSERT_EQ(output.open(), "");
  EXPECT_EQ(output.write(batch(std::vector<FlowRecord>(100, flow_of(Family::v4)))), 100U);
  read_datagrams();
  EXPECT_EQ(decoder_.records.size(), 100U);
  ASSERT_GT(decoder_.sequences.size(), 3U);
  EXPECT_EQ(decoder_.sequences[0], 0U);  // the templates, which count for nothing
  EXPECT_EQ(decoder_.sequences[1], 0U);
  EXPECT_GT(decoder_.sequences[2], 5U);
  EXPECT_GT(decoder_.sequences[3], decoder_.sequences[2]);
}

TEST_F(IpfixTest, TemplatesAreRepeatedOverUdp) {
  config::IpfixConfig often = config(config::LogTarget::By::udp);
  often.template_refresh = 10ms;
  IpfixOutput output(often, limits_);
  ASSERT_EQ(output.open(), "");
  EXPECT_EQ(output.look_after(), "");
  read_datagrams();
  const unsigned first = decoder_.templates;
  EXPECT_GT(first, 10U);
  EXPECT_EQ(output.look_after(), "");
  read_datagrams();
  EXPECT_EQ(decoder_.templates, 2 * first);
}

std::string whole_message(int connection) {
  std::string bytes(4, '\0');
  if (recv(connection, bytes.data(), 4, MSG_WAITALL) != 4) return {};
  const auto length = static_cast<std::size_t>(Decoder::number(bytes, 2, 2));
  bytes.resize(length);
  return recv(connection, bytes.data() + 4, length - 4, MSG_WAITALL) == static_cast<ssize_t>(length - 4)
             ? bytes
             : std::string();
}

bool somebody_calls(int listening) {
  pollfd waiting{listening, POLLIN, 0};
  return poll(&waiting, 1, 0) == 1;
}

TEST_F(IpfixTest, OverTcpEachConnectionBeginsAnew) {
  std::uint16_t port = 0;
  const Descriptor listening = bound(SOCK_STREAM, port);
  ASSERT_EQ(listen(listening.get(), 1), 0);
  port_ = port;
  IpfixOutput output(config(config::LogTarget::By::tcp), limits_);
  ASSERT_EQ(output.open(), "");
  for (int connections = 0; connections < 2; ++connections) {
    const Descriptor connection(accept(listening.get(), nullptr, nullptr));
    ASSERT_EQ(output.write(batch({flow_of(Family::v4)})), 1U);
    Decoder decoder;
    for (int i = 0; i < 2; ++i) decoder.take(whole_message(connection.get()));
    EXPECT_GT(decoder.templates, 10U);
    EXPECT_EQ(decoder.records.size(), 1U);
    EXPECT_EQ(decoder.sequences, (std::vector<std::uint32_t>{0, 0}));
    shutdown(connection.get(), SHUT_RDWR);
    // Until the output notices, and has another connection.
    for (int i = 0; i < 500 && output.write(batch({flow_of(Family::v4)})) == 1U; ++i) std::this_thread::sleep_for(5ms);
    for (int i = 0; i < 500 && !somebody_calls(listening.get()); ++i) {
      EXPECT_EQ(output.look_after(), "");
      std::this_thread::sleep_for(5ms);
    }
  }
}

}  // namespace
}  // namespace sallyport
