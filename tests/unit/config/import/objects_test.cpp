// YAML as it comes: lists, several documents, objects that are none, and texts that want to do harm.
#include <string>

#include "config/bounds.h"
#include "config/import/yaml_document.h"
#include "import_support.h"

namespace sallyport::config {
namespace {

const std::string network =
    "apiVersion: policy.linkerd.io/v1alpha1\nkind: EgressNetwork\nmetadata: {name: a}\nspec: {trafficPolicy: Deny}\n";

// Refused, with one error at line:column that says this.
void expect_refused(const std::string& yaml, std::uint32_t line, std::string_view part) {
  const auto imported = import_yaml(yaml);
  EXPECT_FALSE(imported.toml.has_value());
  ASSERT_EQ(imported.reports.errors(), 1U) << reports_of(imported);
  EXPECT_EQ(imported.reports.all()[0].at.line, line) << reports_of(imported);
  EXPECT_NE(imported.reports.all()[0].message.find(part), std::string::npos) << reports_of(imported);
}

TEST(ImportObjects, ListsOfLists) {
  const auto model = must_import(
      "kind: List\napiVersion: v1\nitems:\n- {apiVersion: policy.linkerd.io/v1alpha1, kind: EgressNetwork, metadata: "
      "{name: a}, spec: {trafficPolicy: Deny}}\n---\n---\nkind: EgressNetworkList\napiVersion: "
      "policy.linkerd.io/v1alpha1\nitems:\n- {metadata: {name: b}, spec: {trafficPolicy: Allow}}\n");
  EXPECT_EQ(model.egress_networks.size(), 2U);
}

TEST(ImportObjects, JsonIsYaml) {
  EXPECT_EQ(
      must_import(
          R"({"apiVersion":"policy.linkerd.io/v1alpha1","kind":"EgressNetwork","metadata":{"name":"a"},"spec":{"trafficPolicy":"Deny"}})")
          .egress_networks.size(),
      1U);
}

TEST(ImportObjects, OthersAreReportedAndIgnored) {
  import_with_report("apiVersion: v1\nkind: Service\nmetadata: {name: web}\n---\n" + network, 1,
                     "Service/web: no kind that import reads");
  import_with_report("apiVersion: apps/v1\nkind: NetworkPolicy\nmetadata: {name: web}\n---\n" + network, 1,
                     "(apiVersion group apps)");
  import_with_report("- 1\n- 2\n---\n" + network, 1, "not a Kubernetes object");
  import_with_report("kind: EgressNetwork\napiVersion: policy.linkerd.io/v1\nmetadata: {name: 'a/b'}\n---\n" + network,
                     1, "\"a/b\" is no name");
  import_with_report(network + "---\n" + network, 6, "EgressNetwork/a: stands at in.yaml:1 already");
}

TEST(ImportObjects, NothingAtAll) {
  for (const char* yaml : {"", "---\n", "# only a comment\n", "null\n", "kind: List\nitems: []\n"}) {
    const ImportedPolicy imported = import_yaml(yaml);
    EXPECT_FALSE(imported.toml) << yaml;
    EXPECT_EQ(reports_of(imported).find("in.yaml: holds no object of a kind that import reads"), 0U) << yaml;
  }
}

TEST(ImportObjects, TheSameClusterMakesTheSamePolicy) {
  const std::string other =
      "apiVersion: policy.linkerd.io/v1alpha1\nkind: EgressNetwork\nmetadata: {name: b}\nspec: {trafficPolicy: "
      "Allow}\n";
  const auto model = must_import(other + "---\n" + network);
  EXPECT_EQ(model.egress_networks.at(0).name, "a");
}

TEST(ImportObjects, TextThatIsNoYaml) {
  expect_refused("a: [1\nb: 2\n", 2, "not YAML");
  expect_refused("a: 1\na: 2\n", 2, "stands here twice");
  expect_refused("a: \xff\n", 1, "not UTF-8");
  expect_refused(std::string("a\0b\n", 4), 1, "not UTF-8");
  expect_refused("a: *b\n", 1, "not YAML");
  expect_refused("---\n, a stray comma\nb: c\n", 2, "not YAML: nothing can start here");
}

TEST(ImportObjects, AliasesAreExpandedUpToABound) {
  EXPECT_EQ(must_import("x-spec: &s {trafficPolicy: Deny}\napiVersion: policy.linkerd.io/v1\nkind: "
                        "EgressNetwork\nmetadata: {name: a}\nspec: *s\n")
                .egress_networks.size(),
            1U);
  // A billion laughs.
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 1; j < 10; ++j) bomb += ", " + before;
    bomb += "]\n";
  }
  const auto imported = import_yaml(bomb);
  EXPECT_FALSE(imported.toml.has_value());
  EXPECT_NE(reports_of(imported).find("stand for more than 100000 values"), std::string::npos) << reports_of(imported);
}

TEST(ImportObjects, DepthIsBounded) {
  expect_refused(std::string(100'000, '['), 1, "values inside one another");
  std::string chain = "a0: &a0 [[x]]\n";
  for (int i = 1; i < 100; ++i)
    chain += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  expect_refused(chain, 62, "values inside one another");
}

TEST(ImportObjects, LongLinesAreRefused) {
  expect_refused("a: 1\nb: " + std::string(bounds::yaml_line_bytes, 'x') + "\n", 2, "longer than");
}

TEST(ImportObjects, ForeignTextStaysText) {
  const std::string yaml =
      "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  labels: {'a\"b]': 'x\\y', \"k\": \"l\\nm\"}\n";
  const auto imported = import_yaml(yaml);
  const auto loaded = load_policy({{"policy.toml", imported.toml.value_or("")}});
  ASSERT_TRUE(loaded.model) << imported.toml.value_or("");
  EXPECT_EQ(loaded.model->namespaces.at(0).labels.at("a\"b]"), "x\\y");
  EXPECT_EQ(loaded.model->namespaces.at(0).labels.count("k"), 0U);  // a line break is no part of a label
  const auto evil = import_kubernetes({{"in\n[snat]\naddresses=[\"192.0.2.1\"]\n#.yaml", yaml}}, {});
  const auto read = load_policy({{"policy.toml", evil.toml.value_or("")}});
  ASSERT_TRUE(read.model);
  EXPECT_TRUE(read.model->snat.addresses.empty());
}

}  // namespace
}  // namespace sallyport::config
