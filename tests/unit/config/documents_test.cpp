// Several files as one document, lists beside it, and every example of the project.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "config/list_file.h"
#include "load_policy_support.h"
#include "temporary_folder.h"

namespace sallyport::config {
namespace {

TEST(Documents, ArraysOfTablesJoin) {
  const auto loaded = load_policy({
      {"policy.toml",
       "[[namespace]]\nname = \"a\"\n[[egress_network]]\nnamespace = \"a\"\nname = \"n\"\n"
       "traffic_policy = \"Deny\""},
      {"policy.d/10.toml",
       "[[namespace]]\nname = \"b\"\n[[tcp_route]]\nnamespace = \"a\"\nname = \"r\"\n"
       "parent_refs = [{ name = \"n\", port = 1 }]\n[defaults]\nuncaptured = \"allow\""},
      {"policy.d/20.toml", "[[namespace]]\nname = \"c\""},
  });
  ASSERT_TRUE(loaded.model) << messages(loaded);
  ASSERT_EQ(loaded.model->namespaces.size(), 3U);
  EXPECT_EQ(loaded.model->namespaces[2].name, "c");
  EXPECT_EQ(loaded.model->namespaces[2].at, (Location{2, 1, 1}));
  EXPECT_EQ(loaded.model->routes.size(), 1U);
  EXPECT_EQ(loaded.model->defaults.uncaptured, TrafficPolicy::allow);
  EXPECT_EQ(loaded.files.size(), 3U);
}

TEST(Documents, APlainTableStandsInOneFile) {
  for (const std::string table : {"cluster", "defaults", "snat", "dns"}) {
    const auto loaded = load_policy({{"policy.toml", "\n[" + table + "]\n"}, {"b.toml", "[" + table + "]\n"}});
    expect_one_error(loaded, 1, 1, table, "[" + table + "] stands at policy.toml:2 already");
    EXPECT_EQ(loaded.diagnostics.all()[0].at.file, 1U);
  }
}

TEST(Documents, ErrorsNameTheRightFile) {
  const auto loaded = load_policy({{"a.toml", "[[namespace]]\nname = \"x\"\naddresses = [\"10.0.0.0/8\"]\ncolour = 1"},
                                   {"b.toml",
                                    "[[namespace]]\nname = \"x\"\n[[namespace]]\nname = \"y\"\n"
                                    "addresses = [\"10.0.0.0/8\"]"}});
  EXPECT_EQ(messages(loaded),
            "a.toml:4:1: namespace[0].colour: unknown key\n"
            "b.toml:2:8: namespace[0].name: namespace \"x\" is defined already, at a.toml:2\n"
            "b.toml:5:14: namespace[1].addresses[0]: 10.0.0.0/8 of namespace y belongs to namespace x already, at "
            "a.toml:3\n");
}

TEST(Documents, AFileThatIsNoTomlHidesNoErrorsAndMakesNone) {
  const auto loaded = load_policy({{"a.toml", "[[egress_network]\n"},
                                   {"b.toml",
                                    "[[tcp_route]]\nnamespace = \"a\"\nname = \"r\"\n"
                                    "parent_refs = [{ name = \"in-a\", port = 1 }]\ncolour = 1"}});
  ASSERT_EQ(loaded.diagnostics.errors(), 2U) << messages(loaded);
  EXPECT_EQ(loaded.diagnostics.all()[0].at.file, 0U);
  EXPECT_EQ(loaded.diagnostics.all()[1].key_path, "tcp_route[0].colour");
}

TEST(Documents, PolicyAndItsFolderInFileNameOrder) {
  const TemporaryFolder folder;
  const std::string path = folder.write("policy.toml", "[[namespace]]\nname = \"first\"");
  folder.write("policy.d/20-b.toml", "[[namespace]]\nname = \"third\"");
  folder.write("policy.d/10-a.toml",
               "[[namespace]]\nname = \"second\"\n[[network_set]]\nname = \"s\"\nfile = \"nets.txt\"");
  folder.write("policy.d/nets.txt", "198.51.100.0/24\n");
  folder.write("policy.d/.hidden.toml", "not toml");
  folder.write("policy.d/notes.txt", "not toml");
  const auto loaded = load_policy_file(path);
  ASSERT_TRUE(loaded.model) << messages(loaded);
  ASSERT_EQ(loaded.model->namespaces.size(), 3U);
  EXPECT_EQ(loaded.model->namespaces[0].name, "first");
  EXPECT_EQ(loaded.model->namespaces[1].name, "second");
  EXPECT_EQ(loaded.model->namespaces[2].name, "third");
  ASSERT_EQ(loaded.files.size(), 4U);
  EXPECT_EQ(loaded.files[1], folder.path("policy.d/10-a.toml"));
  EXPECT_EQ(loaded.files[3], folder.path("policy.d/nets.txt"));
  EXPECT_EQ(loaded.model->network_sets[0].nets[0].at, (Location{3, 1, 1}));
}

TEST(Documents, TheFolderIsPolicyDWhateverThePolicyIsCalled) {
  const TemporaryFolder folder;
  const std::string path = folder.write("prod.toml", "[[namespace]]\nname = \"first\"");
  folder.write("policy.d/a.toml", "[[namespace]]\nname = \"second\"");
  const auto loaded = load_policy_file(path);
  ASSERT_TRUE(loaded.model) << messages(loaded);
  EXPECT_EQ(loaded.model->namespaces.size(), 2U);
  EXPECT_EQ(messages(loaded), "");
  folder.write("prod.d/b.toml", "[[namespace]]\nname = \"third\"");
  const auto beside = load_policy_file(path);
  ASSERT_TRUE(beside.model) << messages(beside);
  EXPECT_EQ(beside.model->namespaces.size(), 2U);
  EXPECT_EQ(messages(beside), path + ": warning: " + folder.path("prod.d") +
                                  " is not read: further files of a policy are in policy.d beside it\n");
}

TEST(Documents, WhatCannotBeReadIsSaid) {
  const TemporaryFolder folder;
  const auto missing = load_policy_file(folder.path("policy.toml"));
  EXPECT_FALSE(missing.model);
  EXPECT_EQ(messages(missing), folder.path("policy.toml") + ": cannot be read: No such file or directory\n");
  folder.write("policy.toml/x", "");
  EXPECT_EQ(messages(load_policy_file(folder.path("policy.toml"))),
            folder.path("policy.toml") + ": is not a regular file\n");
}

TEST(Documents, WhoServesPacketsWaitsForNoPipesWriter) {
  const TemporaryFolder folder;
  const std::string part = folder.write("policy.d/a.toml", "");
  std::filesystem::remove(part);
  ASSERT_EQ(mkfifo(part.c_str(), 0600), 0);
  const std::string policy = folder.path("policy.toml");
  ASSERT_EQ(mkfifo(policy.c_str(), 0600), 0);
  EXPECT_EQ(messages(load_policy_file(policy, nullptr, Pipes::refused)),
            policy + ": is not a regular file\n" + part + ": is not a regular file\n");
  EXPECT_EQ(messages(load_appliance_file(policy, Pipes::refused)), policy + ": is not a regular file\n");
}

TEST(Documents, AFileThatCannotBeReadHidesNoErrorsAndMakesNone) {
  const TemporaryFolder folder;
  folder.write("policy.d/a.toml/x", "");
  folder.write("policy.d/b.toml",
               "[[tcp_route]]\nnamespace = \"n\"\nname = \"r\"\ncolour = 1\n"
               "parent_refs = [{ name = \"in-a\", port = 1 }]");
  const std::string path = folder.write("policy.toml", "[snat]\naddresses = [\"x\"]");
  EXPECT_EQ(messages(load_policy_file(path)),
            path + ":2:14: snat.addresses[0]: \"x\": expected an address such as \"192.0.2.1\" or \"2001:db8::1\"\n" +
                folder.path("policy.d/b.toml") + ":4:1: tcp_route[0].colour: unknown key\n" +
                folder.path("policy.d/a.toml") + ": is not a regular file\n");
}

TEST(Documents, FurtherErrorsAreAskedForWhereThereAreErrors) {
  const FurtherErrors further = [](const PolicyModel& model, Diagnostics& found) {
    for (const Route& route : model.routes) found.error(route.hostnames.at(0).at, "", "from elsewhere");
  };
  const std::string route =
      "[[tls_route]]\nnamespace = \"n\"\nname = \"r\"\nparent_refs = [{ name = \"x\", port = 1 }]\n"
      "hostnames = [\"*\", \"a.com\"]\n";
  EXPECT_EQ(messages(load_policy({{"a.toml", route}}, further)),
            "a.toml:4:25: tls_route[0].parent_refs[0].name: no egress_network is called \"n/x\"; there is no "
            "[[egress_network]] at all\n"
            "a.toml:5:14: tls_route[0].hostnames[0]: \"*\": \"*\" stands only as the whole first label, as in "
            "\"*.example.com\"\n"
            "a.toml:5:19: tls_route[0].hostnames[1]: from elsewhere\n");
  const FurtherErrors never = [](const PolicyModel&, Diagnostics&) { ADD_FAILURE() << "nothing is wrong"; };
  EXPECT_TRUE(load_policy({{"a.toml", ""}}, never).model);
}

// ---- lists ----------------------------------------------------------------------------------------------------------

TEST(ListFiles, PrefixesAndSingleAddresses) {
  const TemporaryFolder folder;
  folder.write("lists/a.txt",
               "\xef\xbb\xbf# partners\r\n198.51.100.0/24 # one\r\n\r\n \t 203.0.113.7\r\n2001:db8::/32\n2001:db8::1");
  const std::string path = folder.write("policy.toml",
                                        "[[network_set]]\nname = \"a\"\nnets = [\"8.8.8.0/24\"]\n"
                                        "file = \"lists/a.txt\"");
  const auto loaded = load_policy_file(path);
  ASSERT_TRUE(loaded.model) << messages(loaded);
  std::string nets;
  for (const auto& located : loaded.model->network_sets[0].nets) nets += to_string(located.prefix) + " ";
  EXPECT_EQ(nets, "8.8.8.0/24 198.51.100.0/24 203.0.113.7/32 2001:db8::/32 2001:db8::1/128 ");
  EXPECT_EQ(loaded.model->network_sets[0].nets[2].at, (Location{1, 4, 4}));
}

TEST(ListFiles, WrongPrefixesAreNamedByFileAndLine) {
  const TemporaryFolder folder;
  folder.write("a.txt", "198.51.100.0/24\n198.51.100.0/33\nexample.com\n10.0.0.1/8\n10.0.0.0/8 11.0.0.0/8\n");
  const auto loaded = load_policy_file(folder.write("policy.toml", "[[network_set]]\nname = \"a\"\nfile = \"a.txt\""));
  const std::string file = folder.path("a.txt");
  EXPECT_EQ(messages(loaded),
            file + ":2:1: \"198.51.100.0/33\": expected a CIDR or an address\n" +  //
                file + ":3:1: \"example.com\": expected a CIDR or an address\n" + file +
                ":4:1: warning: \"10.0.0.1/8\" has bits set behind its length; taken as 10.0.0.0/8\n" + file +
                ":5:12: \"11.0.0.0/8\": expected one CIDR or address a line\n");
}

TEST(ListFiles, NamesInEveryForm) {
  Diagnostics diagnostics;
  std::vector<std::string> names;
  read_name_list(
      "# a hosts file\n127.0.0.1 localhost localhost.localdomain\n::1 ip6-localhost # here\n"
      "fe80::1%lo0 link\n0.0.0.0 0.0.0.0\n0.0.0.0\tADS.example.com.\n\nplain.example\n*.wild.example\n"
      "m\u00fcnchen.example\n",
      0, DomainSet::Match::subdomains, names, diagnostics);
  EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.all()[0].message;
  EXPECT_EQ(names,
            (std::vector<std::string>{"localhost", "localhost.localdomain", "ip6-localhost", "link", "ads.example.com",
                                      "plain.example", "wild.example", "xn--mnchen-3ya.example"}));
}

TEST(ListFiles, WrongNamesAreNamedByLine) {
  Diagnostics diagnostics;
  std::vector<std::string> names;
  read_name_list("ok.example\n10.0.0.1\n||ads.example^\na.example b.example\n*.wild.example\n0.0.0.0 x..y z.example\n",
                 7, DomainSet::Match::exact, names, diagnostics);
  EXPECT_EQ(names, (std::vector<std::string>{"ok.example", "z.example"}));
  const std::array<Location, 5> places{{{7, 2, 1}, {7, 3, 1}, {7, 4, 11}, {7, 5, 1}, {7, 6, 9}}};
  ASSERT_EQ(diagnostics.errors(), places.size());
  for (std::size_t i = 0; i < places.size(); ++i) EXPECT_EQ(diagnostics.all()[i].at, places[i]) << i;
}

TEST(ListFiles, ManyErrorsAreToldAsANumber) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "nonsense\n10.0.0.1/8\n";
  Diagnostics diagnostics;
  std::vector<LocatedPrefix> nets;
  read_prefix_list(text, 0, nets, diagnostics);
  EXPECT_EQ(diagnostics.errors(), 1001U);
  EXPECT_EQ(diagnostics.all().size(), 2002U);
  EXPECT_EQ(diagnostics.all()[2000].message, "4000 more errors from here on");
  EXPECT_EQ(diagnostics.all()[2001].message, "4000 more warnings from here on");
  EXPECT_EQ(nets.size(), 5000U);
}

// ---- size -----------------------------------------------------------------------------------------------------------

// A generous bound that only quadratic behaviour goes over, in slow builds, too. It is of the processor's time: what
// else the machine does is no fault of the loader's.
constexpr std::clock_t patience = 60 * CLOCKS_PER_SEC;

template <typename Act>
void expect_quick(Act act) {
  const std::clock_t start = std::clock();
  act();
  EXPECT_LT(std::clock() - start, patience);
}

constexpr std::uint32_t million = 1'000'000;

TEST(LargeDocuments, AMillionPrefixesAndNamesFromFiles) {
  const TemporaryFolder folder;
  std::string nets;
  std::string names;
  for (std::uint32_t i = 0; i < million; ++i) {
    nets += to_string(IpAddress::from_v4(0x0b000000U + (i << 4U))) + "/28\n";
    names += "host-" + std::to_string(i) + ".example.com\n";
  }
  folder.write("nets.txt", nets);
  folder.write("names.txt", names);
  const std::string path = folder.write("policy.toml",
                                        "[[network_set]]\nname = \"a\"\nfile = \"nets.txt\"\n"
                                        "[[domain_set]]\nname = \"b\"\nfile = \"names.txt\"");
  expect_quick([&] {
    const auto loaded = load_policy_file(path);
    ASSERT_TRUE(loaded.model);
    EXPECT_EQ(loaded.model->network_sets[0].nets.size(), million);
    EXPECT_EQ(loaded.model->domain_sets[0].names.size(), million);
  });
}

// Fifty thousand workloads of one prefix each, all of them claimed a second time.
TEST(LargeDocuments, SharedPrefixesAreFoundBySorting) {
  constexpr std::uint32_t count = 50'000;
  std::string text;
  for (std::uint32_t i = 0; i < 2 * count; ++i) {
    text += "[[workload]]\nnamespace=\"n\"\nname=\"w" + std::to_string(i) + "\"\naddresses=[\"" +
            to_string(IpAddress::from_v4(0x0b000000U + i % count)) + "/32\"]\n";
  }
  expect_quick([&] {
    const auto loaded = load(text);
    ASSERT_EQ(loaded.diagnostics.errors(), count);
    EXPECT_EQ(loaded.diagnostics.all()[0].key_path, "workload[50000].addresses[0]");
  });
}

TEST(LargeDocuments, ManyDanglingNames) {
  std::string text = "[[egress_network]]\nnamespace=\"n\"\nname=\"x\"\ntraffic_policy=\"Deny\"\n";
  for (int i = 0; i < 20'000; ++i) {
    text += "[[tcp_route]]\nnamespace=\"n\"\nname=\"r" + std::to_string(i) + "\"\nparent_refs=[{name=\"y" +
            std::to_string(i) + "\",port=1}]\n";
  }
  expect_quick([&] { EXPECT_EQ(load(text).diagnostics.errors(), 20'000U); });
}

// ---- examples -------------------------------------------------------------------------------------------------------

TEST(Examples, EveryOneLoads) {
  const char* root = std::getenv("SALLYPORT_SOURCE");
  ASSERT_NE(root, nullptr) << "set by meson test";
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(std::filesystem::path(root) / "examples")) {
    const std::string path = entry.path().string();
    if (!path.ends_with(".toml")) continue;
    ++count;
    if (entry.path().filename().string().starts_with("sallyport")) {
      const auto loaded = load_appliance_file(path);
      EXPECT_TRUE(loaded.model) << messages(loaded);
    } else {
      const auto loaded = load_policy_file(path);
      EXPECT_TRUE(loaded.model) << messages(loaded);
    }
  }
  EXPECT_GT(count, 0);
}

TEST(ListFiles, ANameWithADotInFrontIsItselfAndAllBelow) {
  std::vector<std::string> names;
  Diagnostics diagnostics;
  read_name_list(".dot.example\n", 0, DomainSet::Match::subdomains, names, diagnostics);
  EXPECT_FALSE(diagnostics.has_errors());
  EXPECT_EQ(names, std::vector<std::string>{"dot.example"});
  read_name_list(".dot.example\n", 0, DomainSet::Match::exact, names, diagnostics);
  EXPECT_EQ(diagnostics.errors(), 1U) << "not one name";
  Diagnostics bare;
  read_name_list(".\n", 0, DomainSet::Match::subdomains, names, bare);
  EXPECT_EQ(bare.errors(), 1U);
}

}  // namespace
}  // namespace sallyport::config
