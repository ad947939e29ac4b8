#include "src/terminal.h"

#include <cstdlib>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include "src/descriptor.h"
#include "src/show_text.h"

namespace sallyport {
namespace {

TEST(Style, NoColourWithoutATerminal) {
  const Descriptor file(open("/dev/null", O_WRONLY));
  EXPECT_EQ(Style(file.get()).paint(Colour::red, "text"), "text");
}

TEST(Style, ColourOnATerminalButForNoColor) {
  int main_side = -1;
  int terminal_side = -1;
  ASSERT_EQ(openpty(&main_side, &terminal_side, nullptr, nullptr, nullptr), 0);
  const Descriptor main_end(main_side);
  const Descriptor terminal(terminal_side);
  setenv("TERM", "xterm", 1);
  unsetenv("NO_COLOR");
  EXPECT_EQ(Style(terminal.get()).paint(Colour::red, "text"), "\x1b[31mtext\x1b[0m");
  setenv("NO_COLOR", "", 1);
  EXPECT_NE(Style(terminal.get()).paint(Colour::red, "text"), "text");
  setenv("NO_COLOR", "1", 1);
  EXPECT_EQ(Style(terminal.get()).paint(Colour::red, "text"), "text");
  unsetenv("NO_COLOR");
  setenv("TERM", "dumb", 1);
  EXPECT_EQ(Style(terminal.get()).paint(Colour::red, "text"), "text");
}

TEST(Table, NumbersStandRight) {
  Table table({"NAME", "COUNT"});
  table.add({"a", "1"});
  table.add({"long name", "1,234"});
  EXPECT_EQ(table.text(), "NAME       COUNT\na              1\nlong name  1,234\n");
}

TEST(Grouped, ByThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(18446744073709551615ULL), "18,446,744,073,709,551,615");
}

TEST(ShowText, AnswersOfAnotherVersionDoNotHurt) {
  const Style style(-1);
  for (const char* answer :
       {"{}", "[]", "5", "nonsense", "{\"ports\":5,\"workers\":{},\"reasons\":[1],\"reloads\":null}",
        "{\"loaded\":\"yes\",\"egresses\":[5],\"snat\":{\"a\":1}}"}) {
    for (const ShowTopic topic :
         {ShowTopic::ports, ShowTopic::policy, ShowTopic::egress, ShowTopic::reasons, ShowTopic::workers}) {
      EXPECT_NO_THROW((void)show_text(topic, answer, style)) << answer;
    }
    EXPECT_NO_THROW((void)flow_text(answer)) << answer;
  }
}

TEST(ShowText, ReasonsThatCountedAreExplained) {
  const std::string text = show_text(
      ShowTopic::reasons,
      R"({"received":3,"transmitted":1,"held":0,"originated":0,"reasons":{"no_route":2,"too_big":0}})", Style(-1));
  EXPECT_NE(text.find("no_route"), std::string::npos);
  EXPECT_NE(text.find("no route to the destination"), std::string::npos);
  EXPECT_EQ(text.find("too_big"), std::string::npos);
}

TEST(ShowText, WorkersShowWhereTheirCyclesGo) {
  const std::string text = show_text(
      ShowTopic::workers,
      R"({"workers":[{"worker":1,"cycles_a_packet":{"receive":20.4,"parse":30,"look_up":10,"handle":60,"transmit":9.6}}]})",
      Style(-1));
  EXPECT_NE(text.find("     1              130       20     30       10      60        10\n"), std::string::npos)
      << text;
}

TEST(ShowText, PortsSayWhoBringsTheirPacketsToTheWorkers) {
  const std::string text = show_text(
      ShowTopic::ports,
      R"({"ports":[{"name":"in","steering":"device","steered":3990,"missteered":10},{"name":"alone","steering":"none"},
                   {"name":"out","steering":"rings","steering_refused":"the kernel spreads its frames"},
                   {"name":"v4","steering":"device_ipv4","steered":0,"missteered":0}]})",
      Style(-1));
  for (const char* part :
       {"\nin: the device brings packets to their workers; of the first 4,000, 10 came to others\n",
        "\nout: packets change workers by ring: the kernel spreads its frames\n",
        "\nv4: the device brings packets of IPv4 to their workers; of the first 0, 0 came to others\n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }
  EXPECT_EQ(text.find("alone:"), std::string::npos);
}

TEST(ShowText, AnEgressShowsItsBandwidthAndDscp) {
  const std::string text = show_text(ShowTopic::egress,
                                     R"({"egresses":[{"name":"web","priority":0,"addresses":[],"destinations":[],
                                         "bandwidth":{"rate_bits_per_second":1500000,"burst_bits":1},"dscp":46}]})",
                                     Style(-1));
  for (const char* part : {"BANDWIDTH", "1500K", "DSCP", "46"}) EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(ShowText, AFlowThatNoRuleDecidedShowsItsReason) {
  const auto line = [](const std::string& verdict) {
    return flow_text(R"({"tls":{"sni":"a.example"},"verdict":)" + verdict + "}");
  };
  EXPECT_NE(line(R"({"action":"deny","reason":"policy_removed"})").find("  a.example, policy_removed\n"),
            std::string::npos);
  EXPECT_NE(line(R"({"action":"deny","rule":"n/p","reason":"network_policy"})").find("n/p, network_policy\n"),
            std::string::npos);
  EXPECT_NE(line(R"({"action":"allow","rule":"n/r","reason":"route"})").find("a.example, n/r\n"), std::string::npos);
}

TEST(ShowText, AFlowThatWaitsSaysForWhat) {
  const std::string text =
      flow_text(R"({"flow":{"state":"established"},"verdict":{"action":"waiting","network":"prod/all"}})");
  EXPECT_NE(text.find("established waiting "), std::string::npos) << text;
  EXPECT_NE(text.find("  waits for its name\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("deny"), std::string::npos) << text;
}

TEST(ShowText, AFlowIsALine) {
  const std::string text = flow_text(
      R"({"src_ip":"10.1.2.3","src_port":41000,"dest_ip":"2001:db8::7","dest_port":443,"proto":"TCP","tls":{"sni":"a.example"},
          "flow":{"pkts_toserver":9,"pkts_toclient":8,"bytes_toserver":1,"bytes_toclient":2,"state":"established"},
          "verdict":{"action":"allow","rule":"n/r"},"nat":{"src_ip":"203.0.113.8","src_port":1}})");
  for (const char* part :
       {"10.1.2.3:41000", "[2001:db8::7]:443", "203.0.113.8:1", "established", "a.example, n/r", "17"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
}

}  // namespace
}  // namespace sallyport
