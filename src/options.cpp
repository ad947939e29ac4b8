#include "src/options.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "config/document/suggestion.h"
#include "config/document/units.h"
#include "src/explain_words.h"
#include "src/list_text.h"
#include "src/options_follow.h"
#include "src/options_grammar.h"

namespace sallyport {
namespace {

constexpr std::array<std::string_view, 4> ha_words = {"active", "standby", "drain", "status"};
constexpr std::array<std::string_view, 6> topics = {"flows", "ports", "policy", "egress", "reasons", "workers"};

using Wrong = WrongOption;

struct CommandText {
  std::string_view name;
  std::string_view synopsis;
  std::string_view summary;
};

constexpr std::array<CommandText, 13> commands = {{
    {"setup",
     "[--list] [--json]\n"
     "       sallyport setup --inside PORT --outside PORT [--inside-address ADDR/LEN]... [--outside-address "
     "ADDR/LEN]...\n"
     "                       [--gateway ADDR]... [--huge-pages SIZE|none] [--yes] [--output FILE [--force]]\n"
     "       sallyport setup --bind PORT... [--yes]",
     "From a machine to a first gateway: lists ports, binds devices, reserves huge pages, writes sallyport.toml."},
    {"run", "[--config FILE] [--state FOLDER] [--socket PATH]",
     "Forward traffic until SIGTERM; SIGHUP reloads the policy."},
    {"check", "[--config FILE] [--policy FILE] [--json] [--strict] [--against URL [--token-file FILE]]",
     "Print every error and warning of a configuration and a policy."},
    {"explain",
     "--policy FILE --from ADDR --to ADDR [--port N] [--proto tcp|udp|icmp|sctp|other]\n"
     "                         [--host NAME] [--http \"GET /path\" [--header \"NAME: VALUE\"]...]\n"
     "                         [--resolved NAME=ADDR[,..]] [--config FILE] [--state FOLDER] [--json]\n"
     "       sallyport explain --diff OLD NEW --flows FILE [--config FILE] [--state FOLDER] [--json]",
     "Say what the gateway would do with a flow, and why; or which recorded flows another policy would decide "
     "otherwise."},
    {"replay",
     "--policy FILE --in CAPTURE [--out CAPTURE] [--flows FILE] [--config FILE] [--state FOLDER]\n"
     "       sallyport replay --policy FILE --inside-in CAPTURE --outside-in CAPTURE\n"
     "                        [--inside-out CAPTURE] [--outside-out CAPTURE] [--flows FILE]\n"
     "                        [--config FILE] [--state FOLDER]",
     "Run captured traffic through the gateway's pipeline."},
    {"import", "FILE... [--snat ADDR] [--strict] > policy.toml",
     "Rewrite the policies of Linkerd, Kubernetes, Istio, Calico, Antrea or Cilium."},
    {"show", "flows|ports|policy|egress|reasons|workers [--json] [--config FILE] [--socket PATH]",
     "Ask a running gateway."},
    {"top", "[--once] [--config FILE] [--socket PATH]",
     "Watch a running gateway: flows, rates, denials, refreshed every second."},
    {"trace", "[--count N] [--seconds S] [--json] [--config FILE] [--socket PATH] [FILTER]",
     "Follow packets of a running gateway through its stages: flow, rule, translation, outcome."},
    {"capture",
     "[--out FILE|-] [--side inside|outside|dropped]... [--count N] [--seconds S] [--snaplen N]\n"
     "                         [--config FILE] [--socket PATH] [FILTER]",
     "Write packets of a running gateway as pcapng, the verdict beside each."},
    {"reload", "[--config FILE] [--socket PATH]",
     "Have a running gateway load its policy again, and wait for the result."},
    {"ha", "active|standby|drain|status [--json] [--config FILE] [--socket PATH]",
     "Say whose turn it is, of gateways that stand in for each other; or ask, and whether this one could forward."},
    {"version", "", "Print the versions of Sallyport and of what it stands on (also: --version)."},
}};
const CommandText& text_of(std::string_view name) {
  return *std::find_if(commands.begin(), commands.end(), [&](const CommandText& c) { return c.name == name; });
}

std::string general_help() {
  std::string help =
      "Sallyport, an egress gateway: which workload may reach what, and under which address.\n\n"
      "Usage: sallyport COMMAND [OPTION]...\n\nCommands:\n";
  for (const CommandText& command : commands) help += fmt::format("  {:<9}{}\n", command.name, command.summary);
  help +=
      "\n  -h, --help     this text; after a command: its options\n"
      "      --version  versions and the SIMD level in use\n"
      "\nExit status: 0 done or allowed; 1 the answer is no; 2 usage; 3 the environment will not do.\n";
  return help;
}

}  // namespace

std::optional<HelpText> help_asked(const Grammar& grammar, const Values& values) {
  if (!values.has("help")) return std::nullopt;
  const CommandText& text = text_of(grammar.command);
  std::ostringstream out;
  out << "Usage: sallyport " << text.name << ' ' << text.synopsis << "\n\n"
      << text.summary << "\n\n"
      << grammar.options;
  return HelpText{out.str()};
}

namespace {

// ---- the commands ---------------------------------------------------------------------------------------------------

CommandLine parse_run(const Arguments& arguments) {
  Grammar grammar("run");
  grammar.text("config", "FILE", "the appliance (default: /etc/sallyport/sallyport.toml)")
      .text("state", "FOLDER", "what outlives a restart, flows and pool key (default: /var/lib/sallyport)")
      .text("socket", "PATH", "control socket (default: the one of the configuration)");
  const Values values(grammar, arguments);
  if (auto help = help_asked(grammar, values)) return *help;
  return RunOptions{values.text("config", default_config_path), values.text("state", default_state_folder),
                    values.text("socket")};
}

CommandLine parse_check(const Arguments& arguments) {
  Grammar grammar("check");
  grammar.text("config", "FILE", "the appliance (default, without --policy: /etc/sallyport/sallyport.toml)")
      .text("policy", "FILE", "the policy (default: the one that the configuration names)")
      .flag("json", "one JSON object on standard output")
      .flag("strict", "warnings count as errors")
      .text(
          "against", "URL",
          "a gateway that has to run the same policy: its [metrics] address, http://HOST:9464; or - where the standard "
          "input has what its show policy --json said")
      .text("token-file", "FILE", "with --against: the token that it wants");
  const Values values(grammar, arguments);
  if (auto help = help_asked(grammar, values)) return *help;
  CheckOptions options{values.text("config"), values.text("policy"),  values.has("json"),
                       values.has("strict"),  values.text("against"), values.text("token-file")};
  if (options.against.empty() && values.has("token-file")) throw Wrong{"check: --token-file: only with --against URL"};
  if (!options.against.empty() && options.against != "-" && !options.against.starts_with("http://"))
    throw Wrong{fmt::format("check: --against: \"{}\" is no address such as http://HOST:9464, nor -", options.against)};
  if (options.config.empty() && options.policy.empty()) options.config = default_config_path;
  return options;
}

void read_request(const Values& values, ExplainOptions& options) {
  if (values.has("http")) options.http = parse_request_line(values.text("http"));
  if (options.http && options.protocol != config::Protocol::tcp) throw Wrong{"explain: --http: only with --proto tcp"};
  const std::vector<std::string> headers = values.texts("header");
  if (!headers.empty() && !options.http) throw Wrong{"explain: --header: only with --http"};
  for (const std::string& header : headers) {
    const std::size_t colon = header.find(':');
    if (colon == 0 || colon == std::string::npos)
      throw Wrong{fmt::format("explain: --header: \"{}\" is no header such as \"Name: value\"", header)};
    const std::size_t value = std::min(header.find_first_not_of(' ', colon + 1), header.size());
    options.http->fields.emplace_back(header.substr(0, colon), header.substr(value));
  }
}

void read_port(const Values& values, ExplainOptions& options) {
  const bool ports = options.protocol != config::Protocol::icmp && options.protocol != config::Protocol::other;
  if (!ports && values.has("port")) throw Wrong{"explain: --port: this protocol has no ports; leave it out"};
  if (!ports) return;
  options.port_assumed = !values.has("port");
  const std::uint16_t usual = options.http ? 80 : 443;
  options.port = options.port_assumed ? usual : parse_port(values.text("port"));
}

CommandLine diff_options(const Values& values) {
  for (const char* other : {"policy", "from", "to", "port", "proto", "host", "http", "resolved"}) {
    if (values.has(other))
      throw Wrong{fmt::format("explain: --{}: not with --diff, which takes flows from a file", other)};
  }
  const std::vector<std::string> policies = values.texts("diff");
  if (policies.size() != 2) throw Wrong{"explain: --diff: two policies are wanted: --diff OLD NEW"};
  return DiffOptions{values.text("config"),    policies[0],          policies[1],
                     values.required("flows"), values.text("state"), values.has("json")};
}

CommandLine parse_explain(const Arguments& arguments) {
  Grammar grammar("explain");
  grammar.text("policy", "FILE", "the policy (default: the one that the configuration names)")
      .text("config", "FILE", "the appliance: its inside networks and pool key count, too")
      .text("state", "FOLDER",
            "the folder of run --state: its pool key is read where the appliance names none (with --config: "
            "/var/lib/sallyport)")
      .text("from", "ADDR", "the sender")
      .text("to", "ADDR", "the server")
      .text("port", "N", "the server's port (default: 443; with --http 80)")
      .text("proto", "NAME", "tcp, udp, icmp, sctp, or other: GRE, ESP .. (default: tcp)")
      .text("host", "NAME", "the server name that the flow shows")
      .text("http", "REQUEST", "plaintext HTTP with this request: \"GET /path\", \"POST /service/method HTTP/2\"")
      .list("header", "HEADER", "with --http: a header of it, \"Name: value\"; may be given again")
      .words("diff", "OLD NEW",
             "two policies: which flows of --flows does the new one decide otherwise? Status 0: none")
      .text("flows", "FILE",
            "with --diff: a flow log, as [flow_log] and replay --flows write it (\"-\": standard input)")
      .text("resolved", "LIST", "what DNS has said, as in db.example.com=198.51.100.7,..")
      .flag("json", "one JSON object on standard output");
  const Values values(grammar, arguments);
  if (auto help = help_asked(grammar, values)) return *help;
  if (values.has("diff")) return diff_options(values);
  if (values.has("flows")) throw Wrong{"explain: --flows: only with --diff OLD NEW"};
  ExplainOptions options;
  options.config = values.text("config");
  options.policy = options.config.empty() ? values.required("policy") : values.text("policy");
  options.state_folder = values.text("state");
  options.from = values.required_address("from");
  options.to = values.required_address("to");
  if (options.from.family != options.to.family) {
    throw Wrong{"explain: --from and --to are of different families: both IPv4 or both IPv6"};
  }
  options.protocol = parse_protocol(values.text("proto", "tcp"));
  if (values.has("host")) options.host = values.text("host");
  const bool named = options.protocol == config::Protocol::tcp || options.protocol == config::Protocol::udp;
  if (options.host && !named) throw Wrong{"explain: --host: only with --proto tcp or udp"};
  read_request(values, options);
  read_port(values, options);
  options.resolved = parse_resolved(values.text("resolved"));
  options.json = values.has("json");
  return options;
}

CommandLine parse_replay(const Arguments& arguments) {
  Grammar grammar("replay");
  grammar.text("policy", "FILE", "the policy (default: the one that the configuration names)")
      .text("config", "FILE", "the appliance; its devices stay closed")
      .text("state", "FOLDER",
            "the folder of run --state: its pool key is read where the appliance names none, for the addresses that "
            "the gateway gives (default: a key of zero)")
      .text("in", "CAPTURE", "one wire: the sender of a flow's first packet is inside (\"-\": standard input)")
      .text("out", "CAPTURE", "what would leave, one interface a port (pcapng; \"-\": standard output)")
      .text("inside-in", "CAPTURE", "two wires: what came in on the inside")
      .text("outside-in", "CAPTURE", "two wires: what came in on the outside")
      .text("inside-out", "CAPTURE", "what would leave by the inside port")
      .text("outside-out", "CAPTURE", "what would leave by the outside port")
      .text("flows", "FILE", "flow records, one JSON object a line (\"-\": standard output)");
  const Values values(grammar, arguments);
  if (auto help = help_asked(grammar, values)) return *help;
  ReplayOptions options;
  options.config = values.text("config");
  options.policy = options.config.empty() ? values.required("policy") : values.text("policy");
  options.state_folder = values.text("state");
  options.in = values.text("in");
  options.out = values.text("out");
  options.inside_in = values.text("inside-in");
  options.outside_in = values.text("outside-in");
  options.inside_out = values.text("inside-out");
  options.outside_out = values.text("outside-out");
  options.flows = values.text("flows");
  return options;
}

// The one word that a command wants, out of a list.
template <std::size_t count>
std::size_t word_of(const Grammar& grammar, const Values& values, const char* name,
                    const std::array<std::string_view, count>& words) {
  const std::string word = values.text(name);
  if (word.empty()) throw Wrong{fmt::format("{}: what? One of {}", grammar.command, list_text(words))};
  const auto found = std::find(words.begin(), words.end(), word);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  throw Wrong{fmt::format("{}: \"{}\" is none of {}{}", grammar.command, word, list_text(words),
                          config::suggestion(word, words))};
}

CommandLine parse_show(const Arguments& arguments) {
  Grammar grammar("show");
  grammar.flag("json", "for programs: flows as one object a line, all else as one object")
      .text("config", "FILE", "the appliance: its control socket is asked")
      .text("socket", "PATH", "control socket (default: that of --config, or /run/sallyport/control.sock)");
  grammar.hidden.add_options()("topic", po::value<std::string>());
  grammar.positions.add("topic", 1);
  const Values values(grammar, arguments);
  if (auto help = help_asked(grammar, values)) return *help;
  const auto topic = static_cast<ShowTopic>(word_of(grammar, values, "topic", topics));
  return ShowOptions{topic, values.has("json"), values.text("config"), values.text("socket")};
}

CommandLine parse_import(const Arguments& arguments) {
  Grammar grammar("import");
  grammar.flag("strict", "what is not kept exactly counts as an error");
  grammar.options.add_options()("snat", po::value<Arguments>()->value_name("ADDR"),
                                "an address of the gateway, for sources that no egress selects (several: once each)");
  grammar.hidden.add_options()("file", po::value<Arguments>());
  grammar.positions.add("file", -1);
  const Values values(grammar, arguments);
  if (auto help = help_asked(grammar, values)) {
    help->text +=
        "\nFILE is YAML as kubectl get -o yaml writes it, lists and several documents included; \"-\" is the standard "
        "input.\n"
        "With Pods and Namespaces among them selectors know whom they select. What cannot be kept, or not exactly, is\n"
        "reported on stderr, a line each, with what was done about it.\n";
    return *help;
  }
  ImportOptions options{values.texts("file"), {}, values.has("strict")};
  if (options.files.empty()) throw Wrong{"import: a FILE is missing"};
  for (const std::string& text : values.texts("snat")) {
    const std::optional<IpAddress> address = parse_address(text);
    if (!address) throw Wrong{fmt::format("import: --snat: \"{}\" is no IPv4 or IPv6 address", text)};
    options.snat.push_back(*address);
  }
  return options;
}

CommandLine parse_reload(const Arguments& arguments) {
  Grammar grammar("reload");
  grammar.text("config", "FILE", "the appliance: its control socket is asked")
      .text("socket", "PATH", "control socket (default: that of --config, or /run/sallyport/control.sock)");
  const Values values(grammar, arguments);
  if (auto help = help_asked(grammar, values)) return *help;
  return ReloadOptions{values.text("config"), values.text("socket")};
}

std::optional<std::uint64_t> huge_pages(const Values& values) {
  if (!values.has("huge-pages")) return std::nullopt;
  const std::string text = values.text("huge-pages");
  if (text == "none") return 0;
  const auto size = config::parse_size(text);
  if (!size) throw Wrong{fmt::format("setup: --huge-pages: {}", size.error)};
  return *size.value;
}

CommandLine parse_setup(const Arguments& arguments) {
  Grammar grammar("setup");
  grammar.flag("list", "the ports that a gateway could have, and the huge pages; changes nothing")
      .flag("json", "one JSON object on standard output")
      .text("inside", "PORT", "towards the senders: an interface, a PCI address (bound to vfio-pci), or net_..")
      .text("outside", "PORT", "towards the servers")
      .list("inside-address", "ADDR/LEN", "of the gateway there (default: those of the interface); may be given again")
      .list("outside-address", "ADDR/LEN", "likewise, outside")
      .list("gateway", "ADDR", "the next hop outside; may be given again, for the other family")
      .list("bind", "PORT", "a PCI device for vfio-pci; may be given again; without --inside and --outside that is all")
      .text("huge-pages", "SIZE|none",
            "of memory for packet buffers, such as 1G, now and at every start of the machine")
      .flag("yes", "agree to what would be asked; without a terminal nobody is asked")
      .text("output", "FILE",
            "what to write; policy.toml beside it, if there is none (default: /etc/sallyport/sallyport.toml)")
      .flag("force", "write over FILE, and keep it as FILE.old")
      .text("sysfs", "FOLDER", "where the kernel shows its devices (default: /sys)")
      .text("etc", "FOLDER", "where settings for the next start of the machine go (default: /etc)");
  const Values values(grammar, arguments);
  if (auto help = help_asked(grammar, values)) return *help;
  SetupOptions options;
  options.list = values.has("list");
  options.json = values.has("json");
  options.yes = values.has("yes");
  options.force = values.has("force");
  options.inside = values.text("inside");
  options.outside = values.text("outside");
  options.inside_addresses = values.texts("inside-address");
  options.outside_addresses = values.texts("outside-address");
  options.gateways = values.texts("gateway");
  options.bind = values.texts("bind");
  options.huge_page_bytes = huge_pages(values);
  options.output = values.text("output", options.output);
  options.sysfs = values.text("sysfs", options.sysfs);
  options.etc = values.text("etc", options.etc);
  return options;
}

CommandLine parse_ha(const Arguments& arguments) {
  Grammar grammar("ha");
  grammar.flag("json", "with status: one object, for programs")
      .text("config", "FILE", "the appliance: its control socket is asked")
      .text("socket", "PATH", "control socket (default: that of --config, or /run/sallyport/control.sock)");
  grammar.hidden.add_options()("word", po::value<std::string>());
  grammar.positions.add("word", 1);
  const Values values(grammar, arguments);
  if (auto help = help_asked(grammar, values)) {
    help->text +=
        "\nactive   forwards, answers for the egress addresses and announces them\n"
        "standby  forwards nothing and answers for none; its own addresses, VRRP and routing protocols live on\n"
        "drain    an active one: what flows goes on, and what is new is to go elsewhere; active ends it\n"
        "status   prints which of the two it is, or draining and how many flows are left; exit status 1 where it could "
        "not\n         forward, or drains, 3 where it does not answer\n";
    return *help;
  }
  const auto word = static_cast<HaWord>(word_of(grammar, values, "word", ha_words));
  return HaOptions{word, values.has("json"), values.text("config"), values.text("socket")};
}

CommandLine parse_version(const Arguments& arguments) {
  const Grammar grammar("version");
  const Values values(grammar, arguments);
  if (auto help = help_asked(grammar, values)) return *help;
  return VersionOptions{};
}

using Parser = CommandLine (*)(const Arguments&);
constexpr std::array<std::pair<std::string_view, Parser>, 13> parsers = {{{"setup", parse_setup},
                                                                          {"run", parse_run},
                                                                          {"check", parse_check},
                                                                          {"explain", parse_explain},
                                                                          {"import", parse_import},
                                                                          {"replay", parse_replay},
                                                                          {"show", parse_show},
                                                                          {"top", parse_top},
                                                                          {"trace", parse_trace},
                                                                          {"capture", parse_capture},
                                                                          {"reload", parse_reload},
                                                                          {"ha", parse_ha},
                                                                          {"version", parse_version}}};

std::string unknown_command(std::string_view word) {
  std::vector<std::string_view> known = {"--help", "--version"};
  for (const CommandText& command : commands) known.push_back(command.name);
  const std::string_view kind = word.starts_with('-') ? "option" : "command";
  return fmt::format("unknown {} \"{}\"{}", kind, word, config::suggestion(word, known));
}

CommandLine parse(std::span<const char* const> arguments) {
  if (arguments.empty()) throw Wrong{"a command is missing"};
  const std::string_view word = arguments.front();
  Arguments rest(arguments.begin() + 1, arguments.end());
  if (word == "--version") return VersionOptions{};
  if (word == "help" && !rest.empty()) {
    const std::array<const char*, 2> asked = {rest.front().c_str(), "--help"};
    return parse(asked);
  }
  if (word == "--help" || word == "-h" || word == "help") return HelpText{general_help()};
  for (const auto& [name, parser] : parsers) {
    if (name == word) return parser(rest);
  }
  throw Wrong{unknown_command(word)};
}

}  // namespace

CommandLine parse_command_line(std::span<const char* const> arguments) {
  try {
    return parse(arguments);
  } catch (const Wrong& wrong) {
    const std::string_view word = arguments.empty() ? std::string_view{} : arguments.front();
    const bool known = std::any_of(commands.begin(), commands.end(), [&](const auto& c) { return c.name == word; });
    return UsageError{fmt::format("{} (see sallyport {}{}--help)", wrong.message, known ? word : "", known ? " " : "")};
  }
}

std::string_view to_string(HaWord word) noexcept { return ha_words[static_cast<std::size_t>(word)]; }
std::string_view to_string(ShowTopic topic) noexcept { return topics[static_cast<std::size_t>(topic)]; }

}  // namespace sallyport
