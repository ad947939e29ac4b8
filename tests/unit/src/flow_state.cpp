// Flows in a file: what was written comes back, and of anything else nothing.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "src/flow_state_file.h"
#include "tests/unit/config/temporary_folder.h"

namespace sallyport {
namespace {

using dataplane::SavedFlow;
using dataplane::SavedRest;

SavedFlow flow(std::uint16_t port, std::string_view name) {
  SavedFlow flow;
  flow.inside.source = parse_address("fd00::5")->bytes;
  flow.inside.destination = parse_address("2001:db8::7")->bytes;
  flow.inside.source_port = port;
  flow.inside.destination_port = 443;
  flow.inside.family = Family::v6;
  flow.translated = true;
  flow.nat_address = *parse_address("2001:db8:ffff::1");
  flow.nat_port = 4711;
  flow.by_prefix = true;
  flow.tcp = dataplane::TcpState::fin_server;
  flow.flags = dataplane::Flow::recorded | dataplane::Flow::sealed;
  flow.app = dataplane::AppProtocol::tls;
  flow.started_ns = 1;
  flow.seen_ns = 2;
  flow.packet_ns = 3;
  flow.packets = {1ULL << 40U, 5};
  flow.bytes = {6, 7};
  flow.track = {1, {2, 3}, {4, 5}, {6, 7}, {8, 14}, {1, 3}};
  flow.quic_version = 9;
  flow.domain = 10;
  flow.name_length = static_cast<std::uint16_t>(name.size());
  std::copy(name.begin(), name.end(), flow.name.begin());
  return flow;
}

SavedFlow tunnelled(SavedFlow flow) {
  flow.tunnelled = true;
  flow.tunnel.type = config::TunnelType::geneve;
  flow.tunnel.local = *parse_address("10.0.0.1");
  flow.tunnel.peer = {0, 0x6558, 4096, true, {2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}, *parse_address("10.0.0.7")};
  return flow;
}

class FlowState : public testing::Test {
 protected:
  FlowState() : path(flow_state_path(folder.path(""))) {}

  std::string write(const std::vector<SavedFlow>& flows) const {
    FlowStateWriter writer(path, {4, true, 77});
    for (const SavedFlow& one : flows) writer.add(one);
    writer.add(SavedRest{*parse_address("203.0.113.1"), 99, dataplane::IpProtocol::udp, 55});
    return writer.commit();
  }
  [[nodiscard]] std::string bytes() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void put(const std::string& bytes) const { std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes; }
  // What is wrong with the file; it is never half taken.
  [[nodiscard]] std::string problem() const {
    FlowStateReader reader(path);
    const std::string said = reader.check();
    EXPECT_EQ(said.empty(), reader.found());
    return said;
  }

  config::TemporaryFolder folder;
  std::string path;
};

TEST_F(FlowState, ComesBackAsItWas) {
  const std::vector<SavedFlow> flows = {flow(1, ""), flow(2, "httpbin.org"), flow(3, std::string(256, 'x')),
                                        tunnelled(flow(4, "httpbin.org"))};
  ASSERT_EQ(write(flows), "");
  FlowStateReader reader(path);
  ASSERT_EQ(reader.check(), "");
  EXPECT_TRUE(reader.found());
  EXPECT_EQ(reader.count(), 5U);
  EXPECT_EQ(reader.head().workers, 4U);
  EXPECT_TRUE(reader.head().recorded);
  EXPECT_EQ(reader.head().saved_ns, 77U);
  std::vector<std::string> back;
  ASSERT_EQ(reader.each([&](const FlowStateRecord& record) {
    std::string text;
    std::visit([&](const auto& value) { encode(text, value); }, record);
    back.push_back(text);
  }),
            "");
  ASSERT_EQ(back.size(), 5U);
  for (std::size_t i = 0; i < flows.size(); ++i) {
    std::string text;
    encode(text, flows[i]);
    EXPECT_EQ(back[i], text);
  }
}

TEST_F(FlowState, NoneIsNoProblem) {
  FlowStateReader reader(path);
  EXPECT_EQ(reader.check(), "");
  EXPECT_FALSE(reader.found());
}

TEST_F(FlowState, ManyFlowsPassThroughTheBuffers) {
  std::vector<SavedFlow> flows;
  for (std::uint16_t i = 0; i < 5000; ++i) flows.push_back(flow(i, "a.example"));
  ASSERT_EQ(write(flows), "");
  EXPECT_GT(bytes().size(), 512U << 10U);
  EXPECT_EQ(problem(), "");
}

TEST_F(FlowState, CutShortAtAnyByteItCountsAsNone) {
  ASSERT_EQ(write({flow(1, "httpbin.org")}), "");
  const std::string whole = bytes();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    put(whole.substr(0, length));
    EXPECT_NE(problem(), "") << length;
  }
  put(whole + "x");
  EXPECT_NE(problem(), "") << "a byte too many";
}

TEST_F(FlowState, WithAnyBitFlippedItCountsAsNone) {
  ASSERT_EQ(write({flow(1, "httpbin.org")}), "");
  const std::string whole = bytes();
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    put(flipped);
    EXPECT_NE(problem(), "") << bit;
  }
}

TEST_F(FlowState, AnotherVersionAndAnotherProgramSaySo) {
  ASSERT_EQ(write({}), "");
  std::string other = bytes();
  other[8] = 99;
  put(other);
  EXPECT_NE(problem().find("version 99, this program reads version 3"), std::string::npos) << problem();
  put("GIF89a");
  EXPECT_NE(problem().find("not written by sallyport"), std::string::npos) << problem();
}

TEST_F(FlowState, AFileThatIsNotFinishedLeavesTheOneBefore) {
  ASSERT_EQ(write({flow(1, "a")}), "");
  const std::string before = bytes();
  {
    FlowStateWriter writer(path, {});
    writer.add(flow(2, "b"));
  }
  EXPECT_EQ(bytes(), before);
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
  ASSERT_EQ(write({}), "");
  EXPECT_NE(bytes(), before);
}

TEST_F(FlowState, OnlyItsOwnerMayReadIt) {
  ASSERT_EQ(write({}), "");
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(FlowState, WhatCannotBeWrittenIsSaid) {
  std::filesystem::create_directory(path);
  EXPECT_NE(write({}).find(path + ": cannot be written"), std::string::npos);
  EXPECT_NE(problem().find("cannot be read"), std::string::npos);
}

}  // namespace
}  // namespace sallyport
