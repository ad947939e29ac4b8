// What a wrong policy is told: place, key path, reason. One row, one mistake.
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "load_policy_support.h"

namespace sallyport::config {
namespace {

struct Mistake {
  std::string_view text;  // the first line is line 1
  std::uint32_t line;
  std::uint32_t column;
  std::string_view path;
  std::string_view part;  // of the message
};

void expect_mistakes(const std::vector<Mistake>& table) {
  for (const Mistake& mistake : table) {
    SCOPED_TRACE(mistake.text);
    expect_one_error(load(mistake.text), mistake.line, mistake.column, mistake.path, mistake.part);
  }
}

TEST(PolicyErrors, Sources) {
  expect_mistakes({
      {"cluster = 1", 1, 11, "cluster", "expected a table, this is an integer"},
      {"cluster.networks = \"10.0.0.0/8\"", 1, 20, "cluster.networks", "expected an array"},
      {"cluster.networks = [\"10.0.0.0\"]", 1, 21, "cluster.networks[0]", "\"10.0.0.0/32\""},
      {"cluster.network = []", 1, 9, "cluster.network", "did you mean \"networks\"?"},
      {"cluster.global_namespace = \"\"", 1, 28, "cluster.global_namespace", "empty"},
      {"[namespace]\nname = \"a\"", 1, 1, "namespace", "written [[namespace]], this is a table"},
      {"namespace = 1", 1, 13, "namespace", "written [[namespace]], this is an integer"},
      {"[[cluster]]", 1, 1, "cluster", "one table, written [cluster]"},
      {"cluster.networks = [\"10.0.0.0/33\"]", 1, 21, "cluster.networks[0]", "expected 0 to 32"},
      {"cluster.networks = [\"fd00::/129\"]", 1, 21, "cluster.networks[0]", "expected 0 to 128"},
      {"cluster.networks = [\"10.0.0.0/\"]", 1, 21, "cluster.networks[0]", "expected a CIDR such as"},
      {"cluster.networks = [\"10.0.0.1-10.0.0.9\"]", 1, 21, "cluster.networks[0]", "ranges stand in the pools"},
      {"[[namespace]]\nlabels = {}", 1, 1, "namespace[0].name", "required"},
      {"[[namespace]]\nname = \"a/b\"", 2, 8, "namespace[0].name", "\"/\""},
      {"[[namespace]]\nname = \"a\\nb\"", 2, 8, "namespace[0].name", "control character"},
      {"[[namespace]]\nname = \"a\"\nlabels = { x = 1 }", 3, 16, "namespace[0].labels.\"x\"", "expected a string"},
      {"[[namespace]]\nname = \"a\"\nlabels = { x.y = \"1\" }", 3, 12, "namespace[0].labels.\"x\"", "in quotes"},
      {"[[namespace]]\nname = \"a\"\nlabels = { \"kubernetes.io/metadata.name\" = \"b\" }", 3, 44,
       "namespace[0].labels.\"kubernetes.io/metadata.name\"", "always is the namespace's name"},
      {"[[namespace]]\nname = \"a\"\n[[namespace]]\nname = \"a\"", 4, 8, "namespace[1].name",
       "defined already, at policy.toml:2"},
      {"[[namespace]]\nname = \"a\"\naddresses = [\"10.0.0.0/8\"]\n"
       "[[namespace]]\nname = \"b\"\naddresses = [\"10.0.0.0/8\"]",
       6, 14, "namespace[1].addresses[0]", "namespace a already, at policy.toml:3"},
      {"[[workload]]\nnamespace = \"a\"\nname = \"b\"", 1, 1, "workload[0].addresses", "required"},
      {"[[workload]]\nname = \"b\"\naddresses = []", 1, 1, "workload[0].namespace", "required"},
      {"[[workload]]\nnamespace = \"a\"\nname = \"b\"\naddresses = [\"10.0.0.0/8\", 7]", 4, 28,
       "workload[0].addresses[1]", "this is an integer"},
      {"[[workload]]\nnamespace = \"a\"\nname = \"b\"\naddresses = [\"10.0.0.0/8\"]\n"
       "[[workload]]\nnamespace = \"a\"\nname = \"c\"\naddresses = [\"fd00::/8\", \"10.0.0.0/8\"]",
       8, 26, "workload[1].addresses[1]",
       "10.0.0.0/8 of workload a/c belongs to workload a/b already, at policy.toml:4"},
      {"workload = [ { namespace = \"a\", name = \"b\", addresses = [] }, 7 ]", 1, 63, "workload[1]",
       "expected a table"},
  });
}

TEST(PolicyErrors, Selectors) {
  const std::string head = "[[network_policy]]\nnamespace = \"a\"\nname = \"b\"\npod_selector = ";
  const std::vector<Mistake> table{
      {"{ match_label = {} }", 4, 18, "network_policy[0].pod_selector.match_label", "did you mean \"match_labels\"?"},
      {"{ match_labels = [] }", 4, 33, "network_policy[0].pod_selector.match_labels", "a table of labels"},
      {"{ match_expressions = [{ operator = \"Exists\" }] }", 4, 39,
       "network_policy[0].pod_selector.match_expressions[0].key", "required"},
      {"{ match_expressions = [{ key = \"x\", operator = \"in\", values = [\"a\"] }] }", 4, 63,
       "network_policy[0].pod_selector.match_expressions[0].operator", "did you mean \"In\"?"},
      {"{ match_expressions = [{ key = \"x\", operator = \"In\" }] }", 4, 39,
       "network_policy[0].pod_selector.match_expressions[0].values", "required"},
      {"{ match_expressions = [{ key = \"x\", operator = \"NotIn\", values = [] }] }", 4, 81,
       "network_policy[0].pod_selector.match_expressions[0].values", "at least one value"},
      {"{ match_expressions = [{ key = \"x\", operator = \"Exists\", values = [\"a\"] }] }", 4, 82,
       "network_policy[0].pod_selector.match_expressions[0].values", "take no values"},
      {"{ match_expressions = [{ key = \"x\", operator = \"In\", values = \"a\" }] }", 4, 78,
       "network_policy[0].pod_selector.match_expressions[0].values", "expected an array"},
      {"[]", 4, 16, "network_policy[0].pod_selector", "expected a table"},
  };
  for (const Mistake& mistake : table) {
    SCOPED_TRACE(mistake.text);
    expect_one_error(load(head + std::string(mistake.text)), mistake.line, mistake.column, mistake.path, mistake.part);
  }
}

TEST(PolicyErrors, PeersAndPorts) {
  const std::string head = "[[network_policy]]\nnamespace = \"a\"\nname = \"b\"\n[[network_policy.egress]]\n";
  const std::vector<Mistake> table{
      {"to = [{}]", 5, 7, "network_policy[0].egress[0].to[0]", "exactly one of"},  // case 26
      {"to = [{ ip_block = { cidr = \"10.0.0.0/8\" }, pod_selector = {} }]", 5, 7, "network_policy[0].egress[0].to[0]",
       "exactly one of"},  // case 27
      {"to = [{ network_set = {}, namespace_selector = {} }]", 5, 7, "network_policy[0].egress[0].to[0]",
       "exactly one of"},
      {"to = [{ ip_block = {} }]", 5, 20, "network_policy[0].egress[0].to[0].ip_block.cidr", "required"},
      {"to = [{ ip_block = { cidr = \"10.0.0.0/8\", except = [\"11.0.0.0/16\"] } }]", 5, 53,
       "network_policy[0].egress[0].to[0].ip_block.except[0]", "not inside"},  // case 15
      {"to = [{ ip_block = { cidr = \"10.0.0.0/8\", except = [\"10.0.0.0/8\"] } }]", 5, 53,
       "network_policy[0].egress[0].to[0].ip_block.except[0]", "covers 10.0.0.0/8 whole"},  // case 14
      {"to = [{ ip_block = { cidr = \"10.0.0.0/8\", except = [\"10.0.0.0/7\"] } }]", 5, 53,
       "network_policy[0].egress[0].to[0].ip_block.except[0]", "covers 10.0.0.0/8 whole"},
      {"to = [{ ip_block = { cidr = \"10.0.0.0/8\", except = [\"fd00::/8\"] } }]", 5, 53,
       "network_policy[0].egress[0].to[0].ip_block.except[0]", "family"},  // case 16
      {"to = { ip_block = { cidr = \"10.0.0.0/8\" } }", 5, 6, "network_policy[0].egress[0].to", "expected an array"},
      {"to = [{ domain = [] , pod_selector = {} }]", 5, 9, "network_policy[0].egress[0].to[0].domain",
       "did you mean \"domains\"?"},
      {"ports = [{ protocol = \"tcp\" }]", 5, 23, "network_policy[0].egress[0].ports[0].protocol",
       "did you mean \"TCP\"?"},
      {"ports = [{ port = 0 }]", 5, 19, "network_policy[0].egress[0].ports[0].port", "1 to 65535"},  // case 41
      {"ports = [{ port = 65536 }]", 5, 19, "network_policy[0].egress[0].ports[0].port", "1 to 65535"},
      {"ports = [{ port = \"http\" }]", 5, 19, "network_policy[0].egress[0].ports[0].port", "named ports"},
      {"ports = [{ port = 81, end_port = 80 }]", 5, 34, "network_policy[0].egress[0].ports[0].end_port",
       "below port"},  // case 36
      {"ports = [{ end_port = 80 }]", 5, 23, "network_policy[0].egress[0].ports[0].end_port", "without a port"},
      {"ports = [{ protocol = \"ICMP\", port = 8 }]", 5, 38, "network_policy[0].egress[0].ports[0].port", "no ports"},
      {"port = []", 5, 1, "network_policy[0].egress[0].port", "did you mean \"ports\"?"},
  };
  for (const Mistake& mistake : table) {
    SCOPED_TRACE(mistake.text);
    expect_one_error(load(head + std::string(mistake.text)), mistake.line, mistake.column, mistake.path, mistake.part);
  }
}

TEST(PolicyErrors, EgressNetworks) {
  const std::string head = "[[egress_network]]\nnamespace = \"a\"\nname = \"b\"\n";
  const std::vector<Mistake> table{
      {"", 1, 1, "egress_network[0].traffic_policy", "required"},
      {"traffic_policy = \"allow\"", 4, 18, "egress_network[0].traffic_policy", "expected \"Allow\" or \"Deny\""},
      {"traffic_policy = true", 4, 18, "egress_network[0].traffic_policy", "this is a boolean"},
      {"traffic_policy = \"Deny\"\nnetworks = []", 5, 12, "egress_network[0].networks", "empty"},  // case 13
      {"traffic_policy = \"Deny\"\nnetworks = [\"10.0.0.0/8\"]", 5, 13, "egress_network[0].networks[0]",
       "expected a table"},
      {"traffic_policy = \"Deny\"\nnetworks = [{ cidr = \"1.2.3.0/24\" }, { cidr = \"1.2.3/24\" }]", 5, 47,
       "egress_network[0].networks[1].cidr", "expected a CIDR"},
      {"traffic_policy = \"Deny\"\nnetworks = [{ cidr = \"1.2.3.0/24\", except = [\"1.2.3.0/23\"] }]", 5, 46,
       "egress_network[0].networks[0].except[0]", "whole"},
      {"traffic_policy = \"Deny\"\nnetworks = [{ cidr = \"1.2.3.0/24\", exept = [] }]", 5, 36,
       "egress_network[0].networks[0].exept", "did you mean \"except\"?"},
  };
  for (const Mistake& mistake : table) {
    SCOPED_TRACE(mistake.text);
    expect_one_error(load(head + std::string(mistake.text)), mistake.line, mistake.column, mistake.path, mistake.part);
  }
}

TEST(PolicyErrors, Routes) {
  // Lines 1 to 4; the routes start at line 5.
  const std::string head = "[[egress_network]]\nnamespace = \"a\"\nname = \"net\"\ntraffic_policy = \"Deny\"\n";
  const std::vector<Mistake> table{
      {"[[tls_route]]\nnamespace = \"a\"\nname = \"r\"", 5, 1, "tls_route[0].parent_refs", "required"},
      {"[[tls_route]]\nnamespace = \"a\"\nname = \"r\"\nparent_refs = []", 8, 15, "tls_route[0].parent_refs",
       "empty; a route belongs to an egress network"},
      {"[[tls_route]]\nnamespace = \"a\"\nname = \"r\"\nparent_refs = [{ name = \"net\" }]", 8, 16,
       "tls_route[0].parent_refs[0].port", "required"},  // case 71
      {"[[icmp_route]]\nnamespace = \"a\"\nname = \"r\"\nparent_refs = [{ name = \"net\", port = 8 }]", 8, 39,
       "icmp_route[0].parent_refs[0].port", "no ports"},
      {"[[tcp_route]]\nnamespace = \"a\"\nname = \"r\"\nparent_refs = [{ name = \"nte\", port = 8 }]", 8, 25,
       "tcp_route[0].parent_refs[0].name", "no egress_network is called \"a/nte\", did you mean \"a/net\"?"},
      {"[[tcp_route]]\nnamespace = \"b\"\nname = \"r\"\nparent_refs = [{ name = \"net\", port = 8 }]", 8, 25,
       "tcp_route[0].parent_refs[0].name", "no egress_network is called \"b/net\""},
      {"[[tcp_route]]\nnamespace = \"b\"\nname = \"r\"\nparent_refs = [{ name = \"net\", namespace = \"a\", port = 8 "
       "}]",
       8, 44, "tcp_route[0].parent_refs[0].namespace", "only routes of the global namespace, \"linkerd-egress\""},
      {"[[udp_route]]\nnamespace = \"a\"\nname = \"r\"\nparent_refs = [{ name = \"net\", port = 9, end_port = 8 }]", 8,
       53, "udp_route[0].parent_refs[0].end_port", "below port"},
      {"[[tcp_route]]\nnamespace = \"a\"\nname = \"r\"\nparent_refs = [{ name = \"net\", port = 8 }]\nhostnames = []",
       9, 1, "tcp_route[0].hostnames", "unknown key"},
      {"[[tls_route]]\nnamespace = \"a\"\nname = \"r\"\nparent_refs = [{ name = \"net\", port = 8 }]\naction = "
       "\"Deny\"",
       9, 10, "tls_route[0].action", "did you mean \"deny\"?"},
      {"[[tls_route]]\nnamespace = \"a\"\nname = \"r\"\nparent_refs = [{ name = \"net\", port = 8 }]\n"
       "hostnames = [\"ok.example\", \"foo.*.com\"]",
       9, 28, "tls_route[0].hostnames[1]", "first label"},
      {"[[tls_route]]\nnamespace = \"a\"\nname = \"r\"\nparent_refs = [{ name = \"net\", port = 8 }]\n"
       "hostnames = [\"192.0.2.1\"]",
       9, 14, "tls_route[0].hostnames[0]", "address"},
      {"[[tls_route]]\nnamespace = \"a\"\nname = \"r\"\nparent_refs = [{ name = \"net\", port = 8 }]\nhostnames = [7]",
       9, 14, "tls_route[0].hostnames[0]", "a host name or { regex"},
      {"[[tls_route]]\nnamespace = \"a\"\nname = \"r\"\nparent_refs = [{ name = \"net\", port = 8 }]\n"
       "hostnames = [{ regex = \"\" }]",
       9, 24, "tls_route[0].hostnames[0].regex", "empty"},
      {"[[tls_route]]\nnamespace = \"a\"\nname = \"r\"\nparent_refs = [{ name = \"net\", port = 8 }]\n"
       "hostname_sets = [\"ads\"]",
       9, 18, "tls_route[0].hostname_sets[0]", "no domain_set is called \"ads\"; there is no [[domain_set]] at all"},
      {"[[tls_route]]\nnamespace = \"a\"\nname = \"r\"\nparent_refs = [{ name = \"net\", port = 8 }]\n"
       "[[tls_route]]\nnamespace = \"a\"\nname = \"r\"\nparent_refs = [{ name = \"net\", port = 9 }]",
       11, 8, "tls_route[1].name", "tls_route \"a/r\" is defined already, at policy.toml:7"},
  };
  for (const Mistake& mistake : table) {
    SCOPED_TRACE(mistake.text);
    expect_one_error(load(head + std::string(mistake.text)), mistake.line, mistake.column, mistake.path, mistake.part);
  }
}

TEST(PolicyErrors, RoutesOfTheGlobalNamespaceMayHaveParentsElsewhere) {
  must_load(R"(
[[egress_network]]
namespace = "prod"
name = "net"
traffic_policy = "Deny"
[[tcp_route]]
namespace = "linkerd-egress"
name = "r"
parent_refs = [{ name = "net", namespace = "prod", port = 8 }]
)");
}

TEST(PolicyErrors, Addresses) {
  expect_mistakes({
      {"snat.addresses = [\"203.0.113.1/32\"]", 1, 19, "snat.addresses[0]", "expected an address"},
      {"snat.addresses = [\"127.0.0.1\"]", 1, 19, "snat.addresses[0]", "127.0.0.0/8"},
      {"snat.adresses = []", 1, 6, "snat.adresses", "did you mean \"addresses\"?"},
      {"[[egress_pool]]\nname = \"p\"", 1, 1, "egress_pool[0].ranges", "required"},
      {"[[egress_pool]]\nname = \"p\"\nranges = []", 3, 10, "egress_pool[0].ranges", "at least one"},
      {"[[egress_pool]]\nname = \"p\"\nranges = [\"203.0.113.9-203.0.113.8\"]", 3, 11, "egress_pool[0].ranges[0]",
       "a range such as"},
      {"[[egress_pool]]\nname = \"p\"\nranges = [\"223.255.255.0-224.0.0.1\"]", 3, 11, "egress_pool[0].ranges[0]",
       "224.0.0.0/4"},
      {"[[egress]]\nname = \"e\"\negress_ip = \"203.0.113.8\"", 1, 1, "egress[0]", "applied_to, sources"},
      {"[[egress]]\nname = \"e\"\nsources = []\negress_ip = \"203.0.113.8\"", 1, 1, "egress[0]", "applied_to, sources"},
      {"[[egress]]\nname = \"e\"\nsources = [\"10.0.0.0/8\"]", 1, 1, "egress[0]", "exactly one of egress_ip"},
      {"[[egress]]\nname = \"e\"\nsources = [\"10.0.0.0/8\"]\negress_ip = \"203.0.113.8\"\negress_ips = "
       "[\"203.0.113.9\"]",
       1, 1, "egress[0]", "exactly one of egress_ip"},
      {"[[egress]]\nname = \"e\"\nsources = [\"10.0.0.0/8\"]\negress_ips = []", 4, 14, "egress[0].egress_ips", "empty"},
      {"[[egress]]\nname = \"e\"\nsources = [\"10.0.0.0/8\"]\negress_pool = \"p\"", 4, 15, "egress[0].egress_pool",
       "no egress_pool is called \"p\""},
      {"[[egress]]\nname = \"e\"\nsources = [\"10.0.0.0/8\"]\negress_ip = \"ff02::1\"", 4, 13, "egress[0].egress_ip",
       "ff00::/8"},
      {"[[egress]]\nname = \"e\"\nsources = [\"10.0.0.0/8\"]\negress_ip = \"203.0.113.8\"\ndestinations = []", 5, 16,
       "egress[0].destinations", "empty"},
      {"[[egress]]\nname = \"e\"\nsources = [\"10.0.0.0/8\"]\negress_ip = \"203.0.113.8\"\n"
       "destinations = [\"1.0.0.0/8\", \"2.0.0.0/8\", \"1.0.0.0/8\"]",
       5, 43, "egress[0].destinations[2]", "1.0.0.0/8 stands twice"},  // case 116
      {"[[egress]]\nname = \"e\"\nsources = [\"10.0.0.0/8\"]\negress_ip = \"203.0.113.8\"\npriority = 1.5", 5, 12,
       "egress[0].priority", "this is a fraction"},
      {"[[egress]]\nname = \"e\"\nsources = [\"10.0.0.0/8\"]\negress_ip = \"203.0.113.8\"\n"
       "[[egress]]\nname = \"e\"\nsources = [\"11.0.0.0/8\"]\negress_ip = \"203.0.113.8\"",
       6, 8, "egress[1].name", "defined already"},
      {"[[egress]]\nname = \"e\"\nsources = [\"fd00::/32\"]\negress_ip = \"2001:db8::/48\"", 1, 1, "egress[0]",
       "one IPv6 prefix of /48"},
      {"[[egress]]\nname = \"e\"\nsources = [\"fd00::/48\", \"fd01::/48\"]\negress_ip = \"2001:db8::/48\"", 1, 1,
       "egress[0]", "one IPv6 prefix of /48"},
      {"[[egress]]\nname = \"e\"\nsources = [\"fd00::/80\"]\negress_ip = \"2001:db8::/80\"", 1, 1, "egress[0]",
       "longer than /64"},
      {"[[egress]]\nname = \"e\"\nsources = [\"10.0.0.0/24\"]\negress_ip = \"203.0.113.0/24\"", 4, 13,
       "egress[0].egress_ip", "only IPv6 prefixes"},
      {"[[ip_pool]]\nnat_outgoing = true", 1, 1, "ip_pool[0].cidr", "required"},
      {"[[ip_pool]]\ncidr = \"10.0.0.0/8\"\nnat_outgoing = \"yes\"", 3, 16, "ip_pool[0].nat_outgoing", "true or false"},
      {"[[ip_pool]]\ncidr = \"10.0.0.0/8\"\n[[ip_pool]]\ncidr = \"10.0.0.0/8\"", 4, 8, "ip_pool[1].cidr", "already"},
  });
}

TEST(PolicyErrors, Settings) {
  expect_mistakes({
      {"defaults.uncaptured = \"Allow\"", 1, 23, "defaults.uncaptured", "expected \"deny\" or \"allow\""},
      {"defaults.global_scope = \"x\"", 1, 25, "defaults.global_scope", "\"fallthrough\" or \"exclusive\""},
      {"defaults.deny_action = \"x\"", 1, 24, "defaults.deny_action", "\"reset\" or \"drop\""},
      {"defaults.http_deny = \"x\"", 1, 22, "defaults.http_deny", "\"respond\" or \"reset\""},
      {"defaults.on_reload = \"x\"", 1, 22, "defaults.on_reload", "\"reevaluate\" or \"keep\""},
      {"defaults.ech = \"x\"", 1, 16, "defaults.ech", "\"outer\" or \"deny\""},
      {"defaults.ech_public_names = [\"*.x\"]", 1, 30, "defaults.ech_public_names[0]", "first label"},
      {"defaults.hello_timeout = 10", 1, 26, "defaults.hello_timeout", "a duration such as"},
      {"defaults.hello_timeout = \"10\"", 1, 26, "defaults.hello_timeout", "a duration such as"},
      {"defaults.hello_timeout = \"0s\"", 1, 26, "defaults.hello_timeout", "1ms to 10m"},
      {"defaults.hello_time_out = \"1s\"", 1, 10, "defaults.hello_time_out", "did you mean \"hello_timeout\"?"},
      {"dns.names_max = 0", 1, 17, "dns.names_max", "1 to"},
      {"dns.extra_ttl = \"-1s\"", 1, 17, "dns.extra_ttl", "a duration such as"},
      {"dns.trusted_servers = \"1.1.1.1\"", 1, 23, "dns.trusted_servers", "expected an array"},
      {"egres_network = 1", 1, 1, "egres_network", "did you mean \"egress_network\"?"},
      {"\"a b\" = 1", 1, 1, "\"a b\"", "unknown key"},
  });
}

TEST(PolicyErrors, Sets) {
  expect_mistakes({
      {"[[network_set]]\nnets = []", 1, 1, "network_set[0].name", "required"},
      {"[[network_set]]\nname = \"a\"\nnets = [\"x\"]", 3, 9, "network_set[0].nets[0]", "expected a CIDR"},
      {"[[network_set]]\nname = \"a\"\n[[network_set]]\nname = \"a\"", 4, 8, "network_set[1].name", "defined already"},
      {"[[network_set]]\nname = \"a\"\nfile = \"/nowhere/at-all.txt\"", 3, 8, "network_set[0].file",
       "\"/nowhere/at-all.txt\" cannot be read: No such file"},
      {"[[network_set]]\nname = \"a\"\nfile = \"/\"", 3, 8, "network_set[0].file", "not a regular file"},
      {"[[network_set]]\nname = \"a\"\nfile = \"/dev/zero\"", 3, 8, "network_set[0].file", "not a regular file"},
      {"[[domain_set]]\nname = \"a\"\nmatch = \"suffix\"", 3, 9, "domain_set[0].match", "\"exact\" or \"subdomains\""},
      {"[[domain_set]]\nname = \"a\"\nnames = [\"a_b\", \"a b\"]", 3, 17, "domain_set[0].names[1]", "letters, digits"},
      {"[[domain_set]]\nname = \"a\"\nmatch = \"exact\"\nnames = [\"*.x\"]", 4, 10, "domain_set[0].names[0]",
       "wildcard"},
  });
}

TEST(PolicyErrors, Case45BoundsAreErrors) {
  const std::string long_name(254, 'n');
  expect_one_error(load("[[network_set]]\nname = \"" + long_name + "\""), 2, 8, "network_set[0].name", "at most 253");
  expect_one_error(load("[[network_set]]\nname = \"a\"\nlabels = { x = \"" + std::string(64, 'v') + "\" }"), 3, 16,
                   "network_set[0].labels.\"x\"", "at most 63");
  std::string networks = "cluster.networks = [";
  for (int i = 0; i < 1001; ++i) networks += "\"10.0.0.0/8\", ";
  expect_one_error(load(networks + "]"), 1, 20, "cluster.networks", "at most 1000");
  expect_one_error(load("[[network_set]]\nname = \"a\"\nfile = \"" + std::string(5000, 'f') + "\""), 3, 8,
                   "network_set[0].file", "longer than 4096");
}

TEST(PolicyErrors, TextNamesFilePlaceKeyAndReason) {
  const auto loaded = load(
      "\n[[egress_network]]\nnamespace = \"a\"\nname = \"b\"\ntraffic_policy = \"Deny\"\n"
      "networks = [ { cidr = \"1.2.3.0/24\" }, { cidr = \"nonsense\" } ]\n");
  EXPECT_EQ(messages(loaded),
            "policy.toml:6:48: egress_network[0].networks[1].cidr: \"nonsense\": expected a CIDR such as "
            "\"10.0.0.0/8\" or \"fd00::/8\"\n");
}

}  // namespace
}  // namespace sallyport::config
