#include "pktgen/options.h"

#include <initializer_list>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sallyport::pktgen {
namespace {

CommandLine parse(std::initializer_list<const char*> words) {
  const std::vector<const char*> arguments(words);
  return parse_command_line(arguments);
}
std::string error_of(std::initializer_list<const char*> words) {
  const CommandLine line = parse(words);
  const auto* error = std::get_if<UsageError>(&line);
  return error == nullptr ? "" : error->message;
}

TEST(PktgenOptions, UdpHasDefaults) {
  const auto options =
      std::get<UdpOptions>(parse({"udp", "--device", "net_ring0", "--from", "10.1.0.1", "--to", "192.0.2.1"}));
  EXPECT_EQ(options.flows, 1U);
  EXPECT_EQ(options.sources, 1U);
  EXPECT_EQ(options.size, 64U);
  EXPECT_FALSE(options.rate);
  EXPECT_FALSE(options.common.seconds);
}

TEST(PktgenOptions, MoreFlowsThanPortsWantMoreSources) {
  const auto options = std::get<UdpOptions>(
      parse({"udp", "--device", "d", "--from", "10.1.0.1", "--to", "192.0.2.1", "--flows", "1000000"}));
  EXPECT_EQ(options.sources, 16U);
  EXPECT_NE(error_of({"udp", "--device", "d", "--from", "10.1.0.1", "--to", "192.0.2.1", "--flows", "1000000",
                      "--sources", "15"}),
            "");
}

TEST(PktgenOptions, RateIsANumberOrTheMost) {
  const auto with = [](const char* rate) {
    return parse({"udp", "--device", "d", "--from", "10.1.0.1", "--to", "192.0.2.1", "--rate", rate});
  };
  EXPECT_EQ(std::get<UdpOptions>(with("1e6")).rate, 1e6);
  EXPECT_FALSE(std::get<UdpOptions>(with("max")).rate);
  for (const char* wrong : {"0", "-1", "fast", "nan", "inf", "1x"}) {
    EXPECT_TRUE(std::holds_alternative<UsageError>(with(wrong))) << wrong;
  }
}

TEST(PktgenOptions, ImixIsASize) {
  EXPECT_EQ(
      std::get<UdpOptions>(parse({"udp", "--device", "d", "--from", "10.1.0.1", "--to", "192.0.2.1", "--size", "imix"}))
          .size,
      0U);
  EXPECT_NE(error_of({"udp", "--device", "d", "--from", "10.1.0.1", "--to", "192.0.2.1", "--size", "63"}), "");
  EXPECT_NE(error_of({"udp", "--device", "d", "--from", "10.1.0.1", "--to", "192.0.2.1", "--size", "1519"}), "");
}

TEST(PktgenOptions, TheSmallestFrameIsTheDefaultOfEitherFamily) {
  const auto with = [](std::initializer_list<const char*> more) {
    std::vector<const char*> words = {"udp", "--device", "d", "--from", "fd00::1", "--to", "2001:db8::1"};
    words.insert(words.end(), more);
    return parse_command_line(words);
  };
  EXPECT_EQ(std::get<UdpOptions>(with({})).size, 84U);
  EXPECT_EQ(std::get<UdpOptions>(with({"--size", "imix"})).size, 0U);
  EXPECT_TRUE(std::holds_alternative<UsageError>(with({"--size", "83"})));
  const auto search = parse({"search", "udp", "--device", "d", "--from", "fd00::1", "--to", "2001:db8::1"});
  EXPECT_EQ(std::get<UdpOptions>(std::get<SearchOptions>(search).traffic).size, 84U);
  EXPECT_NE(std::get<HelpText>(parse({"udp", "--help"})).text.find("default: 64, IPv6 84"), std::string::npos);
}

TEST(PktgenOptions, AnswersAreAddressesAndBlocks) {
  const auto options = std::get<UdpOptions>(parse({"udp", "--device", "d", "--from", "fd00::1", "--to", "2001:db8::1",
                                                   "--size", "100", "--answer", "192.0.2.0/24,2001:db8::1"}));
  ASSERT_EQ(options.common.answer.size(), 2U);
  EXPECT_EQ(options.common.answer[1].length, 128);
  EXPECT_NE(error_of({"udp", "--device", "d", "--from", "::2", "--to", "::3", "--answer", "all"}), "");
}

TEST(PktgenOptions, MacAddresses) {
  const auto with = [](const char* mac) {
    return parse({"replay", "--device", "d", "--in", "x", "--destination-mac", mac});
  };
  const dataplane::MacAddress wanted{2, 0, 0xab, 0, 0, 1};
  EXPECT_EQ(std::get<ReplayOptions>(with("02:00:ab:00:00:01")).common.destination_mac, wanted);
  for (const char* wrong : {"02:00:ab:00:00", "02:00:ab:00:00:0g", "0200ab000001", "02:00:ab:00:00:012"}) {
    EXPECT_TRUE(std::holds_alternative<UsageError>(with(wrong))) << wrong;
  }
}

TEST(PktgenOptions, PaceIsTheCapturesOwnOrARate) {
  EXPECT_TRUE(std::get<ReplayOptions>(parse({"replay", "--device", "d", "--in", "x"})).own_pace);
  EXPECT_FALSE(std::get<ReplayOptions>(parse({"replay", "--device", "d", "--in", "x", "--rate", "max"})).own_pace);
  EXPECT_NE(error_of({"replay", "--device", "d", "--in", "x", "--rate", "1", "--speed", "2"}), "");
  EXPECT_NE(error_of({"replay", "--device", "d", "--in", "x", "--loops", "0"}), "");
}

TEST(PktgenOptions, CopiesWantToKnowWhoseAddressesMove) {
  const auto options = std::get<ReplayOptions>(
      parse({"replay", "--device", "d", "--in", "x", "--copies", "10", "--shift", "10.1.0.0/16"}));
  EXPECT_EQ(options.copies, 10U);
  EXPECT_EQ(options.shift->length, 16);
  EXPECT_NE(error_of({"replay", "--device", "d", "--in", "x", "--copies", "10"}), "");
  EXPECT_NE(error_of({"replay", "--device", "d", "--in", "x", "--copies", "10", "--shift", "ten"}), "");
}

TEST(PktgenOptions, CopiesWantAddressesToMoveTo) {
  const auto error = [](const char* copies, const char* block) {
    return error_of({"replay", "--device", "d", "--in", "x", "--copies", copies, "--shift", block});
  };
  EXPECT_EQ(error("6", "250.0.0.0/8"), "");
  EXPECT_NE(error("7", "250.0.0.0/8").find("room for 6"), std::string::npos) << error("7", "250.0.0.0/8");
  EXPECT_NE(error("3", "0.0.0.0/0").find("room for 1"), std::string::npos);
}

TEST(PktgenOptions, SecondsEndWhereClocksEnd) {
  const auto error = [](const char* name, const char* seconds) {
    return error_of({"search", "udp", "--device", "d", "--from", "10.1.0.1", "--to", "192.0.2.1", name, seconds});
  };
  EXPECT_EQ(error("--trial-seconds", "1e9"), "");
  EXPECT_NE(error("--trial-seconds", "1e30").find("at most 1000000000 seconds"), std::string::npos);
  EXPECT_NE(error("--warm-up", "1e10"), "");
  EXPECT_NE(error_of({"udp", "--device", "d", "--from", "10.1.0.1", "--to", "192.0.2.1", "--seconds", "1e30"}), "");
  EXPECT_NE(error_of({"connect", "--device", "d", "--from", "10.1.0.1", "--to", "192.0.2.1", "--timeout", "1e30"}), "");
}

TEST(PktgenOptions, ConnectHasDefaults) {
  const auto options = std::get<ConnectOptions>(
      parse({"connect", "--device", "d", "--from", "10.1.0.1", "--to", "192.0.2.1", "--open", "1000000"}));
  EXPECT_EQ(options.port, 443);
  EXPECT_EQ(options.sources, 16U);
  EXPECT_TRUE(options.far_side_here);
  EXPECT_NE(error_of({"connect", "--device", "d", "--from", "10.1.0.1", "--to", "2001:db8::1"}), "");
  EXPECT_NE(error_of({"connect", "--device", "d", "--from", "10.1.0.1", "--to", "192.0.2.1", "--rate", "5",
                      "--parallel", "5"}),
            "");
}

TEST(PktgenOptions, ThereIsAPortForEveryConnectionThatMayWait) {
  const auto sources = [](std::initializer_list<const char*> more) {
    std::vector<const char*> words = {"connect", "--device", "d", "--from", "10.1.0.1", "--to", "192.0.2.1"};
    words.insert(words.end(), more);
    return std::get<ConnectOptions>(parse_command_line(words)).sources;
  };
  EXPECT_EQ(sources({}), 1U);
  EXPECT_EQ(sources({"--rate", "100000", "--timeout", "2"}), 4U);
  EXPECT_EQ(sources({"--rate", "100000", "--timeout", "2", "--open", "64512"}), 5U);
  EXPECT_EQ(sources({"--rate", "100000", "--timeout", "2", "--sources", "1"}), 1U) << "as asked";
  EXPECT_EQ(sources({"--rate", "1e12", "--timeout", "1e6"}), 261U) << "in bounds";
}

TEST(PktgenOptions, SearchIsOverATrafficWithLimits) {
  const auto options = std::get<SearchOptions>(parse({"search", "udp", "--device", "d", "--from", "10.1.0.1", "--to",
                                                      "192.0.2.1", "--loss", "0.5,0", "--rate", "1e6"}));
  EXPECT_EQ(options.losses, (std::vector<double>{0, 0.5}));
  EXPECT_EQ(std::get<UdpOptions>(options.traffic).rate, 1e6);
  const auto replay = std::get<SearchOptions>(parse({"search", "replay", "--device", "d", "--in", "x"}));
  EXPECT_FALSE(std::get<ReplayOptions>(replay.traffic).own_pace);
  EXPECT_NE(error_of({"search", "connect"}).find("udp or replay?"), std::string::npos);
  EXPECT_NE(error_of({"search", "replay", "--device", "d", "--in", "x", "--speed", "2"}), "");
  for (const char* wrong : {"-1", "100", "x", "0,x", "nan"}) {
    EXPECT_NE(error_of({"search", "replay", "--device", "d", "--in", "x", "--loss", wrong}), "") << wrong;
  }
  EXPECT_TRUE(std::holds_alternative<HelpText>(parse({"search", "--help"})));
  EXPECT_TRUE(std::holds_alternative<HelpText>(parse({"search", "udp", "--help"})));
}

TEST(PktgenOptions, HelpSaysWhatIsSo) {
  const std::string replay = std::get<HelpText>(parse({"replay", "--help"})).text;
  EXPECT_NE(replay.find("other link layers get an Ethernet header"), std::string::npos);
  const std::string search = std::get<HelpText>(parse({"search", "udp", "--help"})).text;
  EXPECT_NE(search.find("before the first trial, at --rate or as fast as it goes"), std::string::npos);
}

TEST(PktgenOptions, SaysWhichModesThereAre) {
  EXPECT_TRUE(std::holds_alternative<HelpText>(parse({"--version"})));
  EXPECT_NE(error_of({}).find("udp, replay, connect, search or serve"), std::string::npos);
  EXPECT_NE(error_of({"upd"}).find("did you mean \"udp\"?"), std::string::npos);
  EXPECT_NE(error_of({"udp", "--flow", "1"}).find("did you mean \"flows\"?"), std::string::npos);
  EXPECT_TRUE(std::holds_alternative<HelpText>(parse({"udp", "--help"})));
  EXPECT_TRUE(std::holds_alternative<HelpText>(parse({"--help"})));
}

}  // namespace
}  // namespace sallyport::pktgen
