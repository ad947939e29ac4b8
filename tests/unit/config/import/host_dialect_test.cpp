// Corner cases 56 and 57, and the table in host_dialect.h.
#include "config/import/host_dialect.h"

#include <array>
#include <regex>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace sallyport::config {
namespace {

// What the language says a pattern matches, by the book.
bool matches(const RewrittenHost& host, const std::string& name) {
  if (host.everything) return true;
  const std::string& text = host.pattern.text;
  switch (host.pattern.kind) {
    case HostPattern::Kind::exact:
      return name == text;
    case HostPattern::Kind::wildcard:
      return name.size() > text.size() + 1 && name.ends_with("." + text);
    case HostPattern::Kind::apex:
      return name == text || name.ends_with("." + text);
    case HostPattern::Kind::regex:
      return std::regex_match(name, std::regex(text));
  }
  return false;
}

struct Case {
  HostDialect dialect;
  std::string_view written;
  std::string_view name;
  bool matches;
};

TEST(HostDialect, MeansHereWhatItMeansThere) {
  using D = HostDialect;
  constexpr std::array cases = std::to_array<Case>({
      {D::gateway_api, "example.com", "example.com", true},
      {D::gateway_api, "example.com", "www.example.com", false},
      {D::gateway_api, "*.example.com", "a.b.example.com", true},
      {D::gateway_api, "*.example.com", "example.com", false},
      {D::gateway_api, "*.example.com", "fooexample.com", false},
      {D::istio, "*.example.com", "a.b.example.com", true},
      {D::istio, "*.example.com", "example.com", false},
      {D::istio, "prod/*.example.com", "a.example.com", true},
      {D::istio, "*", "anything.at.all", true},
      {D::istio, "./*", "anything.at.all", true},
      {D::one_label, "*.example.com", "sub1.example.com", true},
      {D::one_label, "*.example.com", "sub2.sub1.example.com", false},
      {D::one_label, "*.example.com", "example.com", false},
      {D::one_label, "*.example.com", "a.exampleXcom", false},
      {D::cilium, "*.cilium.io", "docs.cilium.io", true},
      {D::cilium, "*.cilium.io", "a.docs.cilium.io", false},
      {D::cilium, "**.cilium.io", "a.docs.cilium.io", true},
      {D::cilium, "**.cilium.io", "cilium.io", false},
      {D::cilium, "*", "anything.at.all", true},
      {D::cilium, "part*ial.com", "partial.com", true},
      {D::cilium, "part*ial.com", "part-x-ial.com", true},
      {D::cilium, "part*ial.com", "part.ial.com", false},
      {D::cilium, "*.ci*.io", "a.cilium.io", true},
      {D::cilium, "*.ci*.io", "a.ci.lium.io", false},
      {D::antrea, "*foobar.com", "foobar.com", true},
      {D::antrea, "*foobar.com", "myfoobar.com", true},
      {D::antrea, "*foobar.com", "a.b.foobar.com", true},
      {D::antrea, "*foobar.com", "foobar.com.evil.org", false},
      {D::antrea, "*.foobar.com", "foobar.com", false},
      {D::antrea, "*.foobar.com", "a.b.foobar.com", true},
      {D::aws, ".example.com", "example.com", true},
      {D::aws, ".example.com", "a.b.example.com", true},
      {D::aws, ".example.com", "badexample.com", false},
      {D::aws, "example.com", "a.example.com", false},
  });
  for (const Case& each : cases) {
    const auto host = rewrite_host(each.dialect, each.written);
    ASSERT_TRUE(host) << each.written << ": " << host.error;
    EXPECT_EQ(matches(*host, std::string(each.name)), each.matches) << each.written << " and " << each.name;
  }
}

TEST(HostDialect, WhatNobodyWouldTake) {
  for (const auto& [dialect, text] :
       std::to_array<std::pair<HostDialect, std::string_view>>({{HostDialect::gateway_api, "*"},
                                                                {HostDialect::gateway_api, "foo.*.com"},
                                                                {HostDialect::gateway_api, "192.0.2.1"},
                                                                {HostDialect::gateway_api, ""},
                                                                {HostDialect::istio, "f*.com"},
                                                                {HostDialect::istio, "prod/"},
                                                                {HostDialect::one_label, "*.*.com"},
                                                                {HostDialect::one_label, "a*.com"},
                                                                {HostDialect::cilium, "a.**.com"},
                                                                {HostDialect::cilium, "*.exa mple.com"},
                                                                {HostDialect::antrea, "*..com"},
                                                                {HostDialect::aws, "*.example.com"},
                                                                {HostDialect::cilium, "*.ex(a)mple.com"}})) {
    EXPECT_FALSE(rewrite_host(dialect, text)) << text;
  }
}

TEST(HostDialect, ExactNamesAreFoldedAndConverted) {
  EXPECT_EQ((*rewrite_host(HostDialect::istio, "WWW.Example.COM.")).pattern.text, "www.example.com");
  EXPECT_EQ((*rewrite_host(HostDialect::gateway_api, "*.b\u00fccher.example")).pattern.text, "xn--bcher-kva.example");
}

}  // namespace
}  // namespace sallyport::config
