// `domains` peers and server_name_binding: what DNS has said is given with the question.
#include <algorithm>
#include <set>
#include <utility>

#include <gtest/gtest.h>

#include "policy_world.h"

namespace sallyport::classifier {
namespace {

constexpr const char* pod = "10.1.0.1";

std::string policy(std::string_view domains, std::string_view more = {}) {
  return std::string(R"([[namespace]]
name = "shop"
addresses = ["10.1.0.0/16"]
[dns]
trusted_servers = ["10.96.0.10", "2001:db8::53"]
[[network_policy]]
namespace = "shop"
name = "p"
pod_selector = {}
  [[network_policy.egress]]
  to = [ { domains = )") +
         std::string(domains) + R"( } ]
  ports = [ { port = 5432 } ]
[defaults]
uncaptured = "allow"
)" + std::string(more);
}

// Names as an answer gives them: "www.example.com" is below "example.com" and "com".
class Said final : public BoundNames {
 public:
  Said(std::initializer_list<std::pair<std::string, std::string>> bound) {
    for (const auto& [name, text] : bound) said_.emplace(name, address(text));
  }
  [[nodiscard]] bool knows(const IpAddress& asked) const noexcept override {
    return std::any_of(said_.begin(), said_.end(), [&](const auto& one) { return one.second == asked; });
  }
  [[nodiscard]] bool binds(const Domain& domain, const IpAddress& asked) const noexcept override {
    const std::string below = "." + std::string(domain.text);
    return std::any_of(said_.begin(), said_.end(), [&](const auto& one) {
      const bool same = one.first == domain.text;
      const bool under = std::string_view(one.first).ends_with(below);
      return one.second == asked &&
             ((same && domain.kind != Domain::Kind::below) || (under && domain.kind != Domain::Kind::exact));
    });
  }

 private:
  std::set<std::pair<std::string, IpAddress>> said_;
};

std::string ask(const PolicyWorld& world, const Said& said, std::string_view to, std::uint16_t port = 5432) {
  const FlowQuery query = tcp_query(pod, to, port);
  return world.describe(world.policy().decide(world.policy().find_source(query.source), query, &said));
}

const std::string allowed = "allow uncaptured";
const std::string denied = "deny network_policy shop/p";

TEST(Domains, MatchTheAddressesThatTheirNamesAreBoundTo) {
  const PolicyWorld world(policy(R"(["db.example.com"])"));
  const Said said{{"db.example.com", "198.51.100.7"}, {"www.example.com", "198.51.100.8"}};
  EXPECT_EQ(ask(world, said, "198.51.100.7"), allowed);
  EXPECT_EQ(ask(world, said, "198.51.100.8"), denied) << "another name's";
  EXPECT_EQ(ask(world, said, "198.51.100.9"), denied) << "nobody's";
  EXPECT_EQ(ask(world, said, "198.51.100.7", 443), denied) << "the rule's ports hold too";
  EXPECT_EQ(world.tcp(pod, "198.51.100.7", 5432), denied) << "nothing is bound";
}

TEST(Domains, WildcardsAreThoseOfHostNames) {
  const PolicyWorld world(policy(R"(["*.rds.example.com", ".both.example"])"));
  const Said said{{"a.b.rds.example.com", "10.9.0.1"}, {"rds.example.com", "10.9.0.2"},
                  {"x-rds.example.com", "10.9.0.3"},   {"both.example", "10.9.0.4"},
                  {"a.both.example", "10.9.0.5"},      {"a.rds.example.com.evil.org", "10.9.0.6"}};
  EXPECT_EQ(ask(world, said, "10.9.0.1"), allowed);
  EXPECT_EQ(ask(world, said, "10.9.0.2"), denied) << "never the name itself";
  EXPECT_EQ(ask(world, said, "10.9.0.3"), denied);
  EXPECT_EQ(ask(world, said, "10.9.0.4"), allowed);
  EXPECT_EQ(ask(world, said, "10.9.0.5"), allowed);
  EXPECT_EQ(ask(world, said, "10.9.0.6"), denied);
}

TEST(Domains, TheDecisionTellsByWhich) {
  const PolicyWorld world(policy(R"(["other.example", "*.example.com"])"));
  const Said said{{"db.example.com", "198.51.100.7"}};
  const FlowQuery query = tcp_query(pod, "198.51.100.7", 5432);
  const Decision decision = world.policy().decide(world.policy().find_source(query.source), query, &said);
  EXPECT_EQ(decision.domain.text, "example.com");
  EXPECT_EQ(decision.domain.kind, Domain::Kind::below);
}

TEST(Domains, OnlyTrustedServersCount) {
  const PolicyWorld world(policy(R"(["db.example.com"])"));
  EXPECT_TRUE(world.policy().trusts_dns_server(address("10.96.0.10")));
  EXPECT_TRUE(world.policy().trusts_dns_server(address("2001:db8::53")));
  EXPECT_FALSE(world.policy().trusts_dns_server(address("10.96.0.11")));
  EXPECT_FALSE(world.warns("trusted_servers is empty"));
}

TEST(Domains, WithoutTrustedServersTheOperatorIsWarned) {
  const PolicyWorld peers(R"([[network_policy]]
namespace = "shop"
name = "p"
pod_selector = {}
egress = [ { to = [ { domains = ["db.example.com"] } ] } ]
)");
  EXPECT_TRUE(peers.warns("nothing is ever bound: [dns] trusted_servers is empty")) << peers.warnings();
  EXPECT_TRUE(PolicyWorld("[defaults]\nserver_name_binding = \"deny\"\n").warns("trusted_servers is empty"));
}

TEST(Domains, ExplainSaysWhatItDependsOn) {
  const PolicyWorld world(policy(R"(["db.example.com"])"));
  const auto told = [&](const BoundNames* bound, std::string_view text) {
    for (const Step& step : world.policy().explain(tcp_query(pod, "198.51.100.7", 5432), {}, bound).steps)
      if (step.result.find(text) != std::string::npos) return true;
    return false;
  };
  EXPECT_TRUE(told(nullptr, "only where DNS has bound one of its domains to 198.51.100.7: not known here"));
  const Said right{{"db.example.com", "198.51.100.7"}};
  EXPECT_TRUE(told(&right, "allows this: db.example.com is bound to 198.51.100.7"));
  const Said other{{"db.example.com", "198.51.100.8"}};
  EXPECT_TRUE(told(&other, "none of its domains is bound to 198.51.100.7"));
}

std::string binding(std::string_view manner) {
  return std::string(R"([dns]
trusted_servers = ["10.96.0.10"]
[defaults]
uncaptured = "allow"
server_name_binding = ")") +
         std::string(manner) + "\"\n";
}

TEST(NameBinding, DenyLetsEveryFlowShowItsName) {
  const PolicyWorld world(binding("deny"));
  EXPECT_EQ(world.tcp(pod, "198.51.100.7", 443), "needs_name");
  EXPECT_EQ(world.udp(pod, "198.51.100.7", 443), "needs_name");
  EXPECT_EQ(world.ping(pod, "198.51.100.7"), allowed) << "which has none";
  EXPECT_EQ(world.tls(pod, "198.51.100.7", "any.example"), allowed) << "whether it is bound is asked apart";
  EXPECT_EQ(PolicyWorld(binding("audit")).tcp(pod, "198.51.100.7", 443), allowed);
}

TEST(NameBinding, Case105TheNameHasToBeBoundToTheDestination) {
  using Binding = Policy::NameBinding;
  const Said said{{"www.example.com", "198.51.100.7"}};
  const auto check = [&](std::string_view manner, std::string_view name, std::string_view to) {
    return PolicyWorld(binding(manner)).policy().check_name_binding(name, address(to), said);
  };
  EXPECT_EQ(check("deny", "www.example.com", "198.51.100.7"), Binding::right);
  EXPECT_EQ(check("deny", "WWW.example.COM.", "198.51.100.7"), Binding::right);
  EXPECT_EQ(check("deny", "www.example.com:8080", "198.51.100.7"), Binding::right) << "as a Host writes it";
  EXPECT_EQ(check("deny", "www.example.com", "198.51.100.8"), Binding::denied);
  EXPECT_EQ(check("deny", "example.com", "198.51.100.7"), Binding::denied);
  EXPECT_EQ(check("audit", "www.example.com", "198.51.100.8"), Binding::audited);
  EXPECT_EQ(check("off", "www.example.com", "198.51.100.8"), Binding::right);
  EXPECT_EQ(check("deny", "", "198.51.100.8"), Binding::right) << "no name was shown";
  EXPECT_EQ(check("deny", "198.51.100.8", "198.51.100.8"), Binding::right) << "an address is no name";
}

TEST(NameBinding, ExplainTakesWhatIsClaimed) {
  const PolicyWorld world(binding("deny"));
  const FlowQuery query = tcp_query(pod, "198.51.100.7", 443);
  const Shown shown{Shown::Protocol::tls, "www.example.com", false};
  EXPECT_EQ(world.describe(world.policy().explain(query, shown).decision), allowed) << "not known: not held against it";
  const Said right{{"www.example.com", "198.51.100.7"}};
  EXPECT_EQ(world.describe(world.policy().explain(query, shown, &right).decision), allowed);
  const Said wrong{{"www.example.com", "198.51.100.8"}};
  EXPECT_EQ(world.describe(world.policy().explain(query, shown, &wrong).decision), "deny name_not_bound");
}

}  // namespace
}  // namespace sallyport::classifier
