#include "src/options.h"

#include <initializer_list>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sallyport {
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

TEST(Options, NothingIsAUsageError) { EXPECT_NE(error_of({}).find("a command is missing"), std::string::npos); }

TEST(Options, UnknownCommandNamesTheNearestOne) {
  EXPECT_NE(error_of({"explan"}).find("did you mean \"explain\"?"), std::string::npos);
  EXPECT_EQ(error_of({"xyzzy"}).find("did you mean"), std::string::npos);
}

TEST(Options, UnknownOptionNamesTheNearestOneOfThisCommand) {
  EXPECT_NE(error_of({"check", "--polcy", "x"}).find("did you mean \"--policy\"?"), std::string::npos);
  EXPECT_NE(error_of({"check", "--polcy", "x"}).find("sallyport check --help"), std::string::npos);
}

TEST(Options, OptionsAreNeverGuessedFromTheirBeginning) { EXPECT_NE(error_of({"check", "--pol", "x"}), ""); }

TEST(Options, TwiceTheSameOptionIsAnError) { EXPECT_NE(error_of({"check", "--policy", "a", "--policy", "b"}), ""); }

TEST(Options, AStrayWordIsNamed) {
  EXPECT_NE(error_of({"check", "policy.toml"}).find("check: \"policy.toml\": a word too many"), std::string::npos);
  EXPECT_NE(error_of({"show", "flows", "ports"}).find("\"ports\": a word too many"), std::string::npos);
}

TEST(Options, ShowAndReloadTakeASocketOrAConfiguration) {
  const auto show = std::get<ShowOptions>(parse({"show", "flows", "--config", "c"}));
  EXPECT_EQ(show.config, "c");
  EXPECT_EQ(show.control_socket, "");
  EXPECT_EQ(std::get<ReloadOptions>(parse({"reload", "--config", "c"})).config, "c");
}

TEST(Options, ATokenIsForSomebodyWhoIsAsked) {
  const auto check = std::get<CheckOptions>(parse({"check", "--against", "http://b:9464", "--token-file", "t"}));
  EXPECT_EQ(check.against, "http://b:9464");
  EXPECT_EQ(check.token_file, "t");
  EXPECT_NE(error_of({"check", "--token-file", "t"}).find("only with --against"), std::string::npos);
}

TEST(Options, HaTakesOneOfThreeWords) {
  EXPECT_EQ(std::get<HaOptions>(parse({"ha", "active"})).word, HaWord::active);
  EXPECT_EQ(std::get<HaOptions>(parse({"ha", "drain"})).word, HaWord::drain);
  EXPECT_EQ(std::get<HaOptions>(parse({"ha", "standby", "--config", "c"})).config, "c");
  const auto status = std::get<HaOptions>(parse({"ha", "status", "--json", "--socket", "s"}));
  EXPECT_TRUE(status.json);
  EXPECT_EQ(to_string(status.word), "status");
  EXPECT_NE(error_of({"ha"}).find("ha: what? One of active, standby, drain, status"), std::string::npos)
      << error_of({"ha"});
  EXPECT_NE(error_of({"ha", "activ"}).find("did you mean \"active\"?"), std::string::npos);
}

TEST(Options, ErrorsAreOneLine) {
  for (const std::string& error :
       {error_of({"check", "--policy"}), error_of({"show", "nothing"}), error_of({"explain"})}) {
    EXPECT_FALSE(error.empty());
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  }
}

TEST(Options, AFilterIsTheWordsThatAreLeft) {
  const auto trace = std::get<TraceOptions>(parse({"trace", "--count", "5", "host", "10.1.2.3", "--json"}));
  EXPECT_EQ(trace.follow.filter, "host 10.1.2.3");
  EXPECT_EQ(trace.follow.count, 5U);
  EXPECT_EQ(trace.follow.seconds, 0U);
  EXPECT_TRUE(trace.json);
  const auto capture = std::get<CaptureOptions>(parse({"capture", "tcp port 443 or udp"}));
  EXPECT_EQ(capture.follow.filter, "tcp port 443 or udp");
  EXPECT_EQ(capture.out, "-");
}

TEST(Options, SidesAreThoseThatAreNamed) {
  const auto usual = std::get<CaptureOptions>(parse({"capture"}));
  EXPECT_TRUE(usual.inside && usual.outside && !usual.dropped);
  const auto two = std::get<CaptureOptions>(parse({"capture", "--side", "dropped", "--side", "outside"}));
  EXPECT_TRUE(!two.inside && two.outside && two.dropped);
  EXPECT_NE(error_of({"capture", "--side", "left"}).find("none of inside, outside, dropped"), std::string::npos);
}

TEST(Options, NumbersHaveTheirLimits) {
  for (const char* wrong : {"0", "-1", "x", "5s", "99999999999999999999"}) {
    EXPECT_NE(error_of({"trace", "--count", wrong}).find("--count"), std::string::npos) << wrong;
  }
  EXPECT_NE(error_of({"capture", "--snaplen", "65536"}).find("65535"), std::string::npos);
  EXPECT_EQ(std::get<CaptureOptions>(parse({"capture", "--snaplen", "96"})).snap_bytes, 96U);
  EXPECT_TRUE(std::get<TopOptions>(parse({"top", "--once"})).once);
}

TEST(Options, CheckWithoutFilesTakesTheInstalledConfiguration) {
  const auto options = std::get<CheckOptions>(parse({"check"}));
  EXPECT_EQ(options.config, default_config_path);
  EXPECT_EQ(options.policy, "");
  EXPECT_EQ(std::get<CheckOptions>(parse({"check", "--policy", "p"})).config, "");
  EXPECT_TRUE(std::get<CheckOptions>(parse({"check", "--policy=p", "--strict", "--json"})).strict);
}

TEST(Options, ExplainReadsWhatDnsHasSaid) {
  const auto asked = [](const char* list) {
    return parse({"explain", "--policy", "p", "--from", "10.1.2.3", "--to", "198.51.100.7", "--resolved", list});
  };
  const auto options = std::get<ExplainOptions>(asked("DB.example.com.=198.51.100.7,www.example.com=2001:db8::1"));
  ASSERT_EQ(options.resolved.size(), 2U);
  EXPECT_EQ(options.resolved[0].name, "db.example.com");
  EXPECT_EQ(to_string(options.resolved[1].address), "2001:db8::1");
  for (const char* wrong : {"db.example.com", "=198.51.100.7", "db.example.com=", "a=1.2.3.4,,b=1.2.3.4"}) {
    EXPECT_NE(std::get<UsageError>(asked(wrong)).message.find("is no name and address"), std::string::npos) << wrong;
  }
}

TEST(Options, ExplainReadsTheFlow) {
  const auto options = std::get<ExplainOptions>(parse(
      {"explain", "--policy", "p", "--from", "10.1.2.3", "--to", "198.51.100.7", "--port", "8443", "--host", "a.b"}));
  EXPECT_EQ(to_string(options.from), "10.1.2.3");
  EXPECT_EQ(to_string(options.to), "198.51.100.7");
  EXPECT_EQ(options.port, 8443);
  EXPECT_FALSE(options.port_assumed);
  EXPECT_EQ(options.protocol, config::Protocol::tcp);
  EXPECT_EQ(options.host, "a.b");
  EXPECT_FALSE(options.json);
}

TEST(Options, WhoAsksNamesTheStateFolderOfTheGateway) {
  const auto explain = std::get<ExplainOptions>(
      parse({"explain", "--policy", "p", "--from", "::1", "--to", "::2", "--state", "/var/lib/x"}));
  EXPECT_EQ(explain.state_folder, "/var/lib/x");
  const auto diff =
      std::get<DiffOptions>(parse({"explain", "--diff", "a", "b", "--flows", "f", "--state", "/var/lib/x"}));
  EXPECT_EQ(diff.state_folder, "/var/lib/x");
  EXPECT_EQ(diff.flows, "f");
  const auto replay = std::get<ReplayOptions>(parse({"replay", "--policy", "p", "--in", "a", "--state", "/var/lib/x"}));
  EXPECT_EQ(replay.state_folder, "/var/lib/x");
}

TEST(Options, ExplainAssumesThePortOfTheProtocolAboveAndSaysSo) {
  const auto tls = std::get<ExplainOptions>(parse({"explain", "--policy", "p", "--from", "::1", "--to", "::2"}));
  EXPECT_EQ(tls.port, 443);
  EXPECT_TRUE(tls.port_assumed);
  const auto http =
      std::get<ExplainOptions>(parse({"explain", "--policy", "p", "--from", "::1", "--to", "::2", "--http", "GET /x"}));
  EXPECT_EQ(http.port, 80);
  EXPECT_EQ(http.http->method, "GET");
  EXPECT_EQ(http.http->target, "/x");
}

TEST(Options, ExplainOfIcmpHasNoPort) {
  const auto echo = std::get<ExplainOptions>(
      parse({"explain", "--policy", "p", "--from", "1.2.3.4", "--to", "1.2.3.5", "--proto", "icmp"}));
  EXPECT_EQ(echo.port, 0);
  EXPECT_NE(
      error_of({"explain", "--policy", "p", "--from", "1.2.3.4", "--to", "1.2.3.5", "--proto", "icmp", "--port", "1"}),
      "");
}

TEST(Options, ExplainTakesNamesOfWhatShowsSome) {
  for (const char* protocol : {"icmp", "sctp", "other"})
    EXPECT_NE(error_of({"explain", "--policy", "p", "--from", "1.2.3.4", "--to", "1.2.3.5", "--proto", protocol,
                        "--host", "a.com"})
                  .find("--host: only with --proto tcp or udp"),
              std::string::npos)
        << protocol;
}

TEST(Options, CheckAgainstWhatIsNoAddress) {
  EXPECT_NE(error_of({"check", "--policy", "p", "--against", "foo"}).find("\"foo\" is no address"), std::string::npos);
  EXPECT_EQ(std::get<CheckOptions>(parse({"check", "--policy", "p", "--against", "-"})).against, "-");
}

TEST(Options, ExplainRefusesWhatIsNoFlow) {
  EXPECT_NE(error_of({"explain", "--policy", "p", "--from", "1.2.3.4", "--to", "::1"}).find("families"),
            std::string::npos);
  EXPECT_NE(error_of({"explain", "--policy", "p", "--from", "1.2.3", "--to", "::1"}).find("--from"), std::string::npos);
  EXPECT_NE(error_of({"explain", "--policy", "p", "--to", "::1"}).find("--from is missing"), std::string::npos);
  EXPECT_NE(error_of({"explain", "--from", "::1", "--to", "::1"}).find("--policy is missing"), std::string::npos);
  for (const char* port : {"65536", "-1", "80x", "http"}) {
    EXPECT_NE(error_of({"explain", "--policy", "p", "--from", "::1", "--to", "::2", "--port", port}), "") << port;
  }
  for (const char* request : {"GET", "GET path", " /x", "GET /a b"}) {
    EXPECT_NE(error_of({"explain", "--policy", "p", "--from", "::1", "--to", "::2", "--http", request}), "") << request;
  }
  EXPECT_NE(error_of({"explain", "--policy", "p", "--from", "::1", "--to", "::2", "--proto", "TCPP"}), "");
  const CommandLine udp = parse({"explain", "--policy", "p", "--from", "::1", "--to", "::2", "--proto", "UDP"});
  EXPECT_EQ(std::get<ExplainOptions>(udp).protocol, config::Protocol::udp);
}

TEST(Options, ImportTakesFilesAndAddresses) {
  const auto options = std::get<ImportOptions>(
      parse({"import", "a.yaml", "--snat", "203.0.113.1", "-", "--snat", "2001:db8::1", "--strict"}));
  EXPECT_EQ(options.files, (std::vector<std::string>{"a.yaml", "-"}));
  ASSERT_EQ(options.snat.size(), 2U);
  EXPECT_EQ(to_string(options.snat[1]), "2001:db8::1");
  EXPECT_TRUE(options.strict);
  EXPECT_NE(error_of({"import", "--strict"}).find("FILE is missing"), std::string::npos);
  EXPECT_NE(error_of({"import", "a", "--snat", "x"}).find("--snat"), std::string::npos);
}

TEST(Options, ReplayPassesFilesOn) {
  const auto options = std::get<ReplayOptions>(parse({"replay", "--policy", "p", "--in", "a.pcap", "--flows", "f"}));
  EXPECT_EQ(options.in, "a.pcap");
  EXPECT_EQ(options.flows, "f");
  EXPECT_NE(error_of({"replay", "--in", "a.pcap"}), "");
}

TEST(Options, ShowWantsATopic) {
  const auto options = std::get<ShowOptions>(parse({"show", "reasons", "--json", "--socket", "/x"}));
  EXPECT_EQ(options.topic, ShowTopic::reasons);
  EXPECT_TRUE(options.json);
  EXPECT_EQ(options.control_socket, "/x");
  EXPECT_NE(error_of({"show"}).find("flows"), std::string::npos);
  EXPECT_NE(error_of({"show", "reason"}).find("did you mean \"reasons\"?"), std::string::npos);
}

TEST(Options, RunHasDefaults) {
  const auto options = std::get<RunOptions>(parse({"run"}));
  EXPECT_EQ(options.config, default_config_path);
  EXPECT_EQ(options.state_folder, default_state_folder);
  EXPECT_EQ(options.control_socket, "");
}

TEST(Options, EveryCommandHasHelp) {
  for (const char* command : {"run", "check", "explain", "import", "replay", "show", "reload", "version"}) {
    const CommandLine line = parse({command, "--help"});
    ASSERT_TRUE(std::holds_alternative<HelpText>(line)) << command;
    EXPECT_NE(std::get<HelpText>(line).text.find(std::string("sallyport ") + command), std::string::npos);
    EXPECT_NE(std::get<HelpText>(parse({"--help"})).text.find(command), std::string::npos);
    EXPECT_TRUE(std::holds_alternative<HelpText>(parse({"help", command}))) << command;
  }
}

TEST(Options, VersionIsACommandAndAnOption) {
  EXPECT_TRUE(std::holds_alternative<VersionOptions>(parse({"--version"})));
  EXPECT_TRUE(std::holds_alternative<VersionOptions>(parse({"version"})));
}

}  // namespace
}  // namespace sallyport
