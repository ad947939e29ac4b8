#include "classifier/host_name.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/classifier/guard_page.h"

namespace sallyport::classifier {
namespace {

std::string normal(std::string_view shown) {
  const auto name = normalise(shown);
  return name ? std::string(name->view()) : "no name";
}

std::string labels(std::size_t count, std::size_t bytes, char byte = 'a') {
  std::string name;
  for (std::size_t i = 0; i < count; ++i) name += (i == 0 ? "" : ".") + std::string(bytes, byte);
  return name;
}

TEST(HostName, Case46OneTrailingDotIsDropped) {
  EXPECT_EQ(normal("example.com"), "example.com");
  EXPECT_EQ(normal("example.com."), "example.com");
  EXPECT_EQ(normal("example.com.."), "no name");
  EXPECT_EQ(normal("localhost"), "localhost");
  EXPECT_EQ(normal("localhost."), "localhost");
}

TEST(HostName, Case50CaseIsFolded) {
  EXPECT_EQ(normal("WWW.Example.COM"), "www.example.com");
  EXPECT_EQ(normal("AZ-az.09_"), "az-az.09_");
  EXPECT_EQ(normal("XN--BCHER-KVA.example"), "xn--bcher-kva.example");
}

TEST(HostName, Case53IpLiteralsAreNoNames) {
  for (const char* text : {"192.0.2.1", "192.0.2.1.", "0.0.0.0", "255.255.255.255", "01.2.3.4", "2001:db8::1",
                           "[2001:db8::1]", "::1", "[::]", "::ffff:192.0.2.1"}) {
    EXPECT_EQ(normal(text), "no name") << text;
  }
  for (const char* text :
       {"192.0.2.1.example", "1.2.3", "1", "1.2.3.4.5", "4.3.2.1.in-addr.arpa", "1.2.3.4a", "192-0-2-1.example"}) {
    EXPECT_EQ(normal(text), text);
  }
}

TEST(HostName, Case58WhatIsAName) {
  EXPECT_EQ(normal("_dmarc.example.com"), "_dmarc.example.com");
  EXPECT_EQ(normal("_"), "_");
  EXPECT_EQ(normal("r3---sn-4g5e.example"), "r3---sn-4g5e.example");
  EXPECT_EQ(normal("-x-.example"), "-x-.example");
  EXPECT_EQ(normal(labels(1, 63)), labels(1, 63));
  const std::string longest = labels(3, 63) + "." + labels(1, 61);
  ASSERT_EQ(longest.size(), 253U);
  EXPECT_EQ(normal(longest), longest);
  EXPECT_EQ(normal(longest + "."), longest);
  EXPECT_EQ(normal(labels(127, 1)), labels(127, 1));
}

TEST(HostName, Case58WhatIsNone) {
  using namespace std::string_view_literals;
  for (const std::string_view text : {""sv,
                                      "."sv,
                                      ".."sv,
                                      ".a"sv,
                                      "a..b"sv,
                                      "a.com\0"sv,
                                      "a.com\0.evil"sv,
                                      "\0"sv,
                                      "a.com "sv,
                                      " a.com"sv,
                                      "a .com"sv,
                                      "a.com\n"sv,
                                      "a.com\t"sv,
                                      "b\xc3\xbc.example"sv,
                                      "\x80"sv,
                                      "a\xff.com"sv,
                                      "*.example.com"sv,
                                      "a/b"sv,
                                      "a:443"sv,
                                      "a%2e"sv,
                                      "user@host"sv,
                                      "a,b"sv,
                                      "!a"sv,
                                      "a!"sv,
                                      "\x7f"sv,
                                      "a$"sv}) {
    EXPECT_EQ(normal(text), "no name") << text;
  }
  EXPECT_EQ(normal(labels(1, 64)), "no name");
  EXPECT_EQ(normal("a." + labels(1, 64) + ".b"), "no name");
  EXPECT_EQ(normal(labels(3, 63) + "." + labels(1, 62)), "no name") << "254 bytes";
  EXPECT_EQ(normal(labels(3, 63) + "." + labels(1, 61) + ".."), "no name");
  EXPECT_EQ(normal(std::string(100'000, 'a')), "no name");
}

// Every byte on its own: letters, digits, hyphen and underscore are names, all others are not.
TEST(HostName, EveryByte) {
  const std::string letters = "abcdefghijklmnopqrstuvwxyz0123456789-_";
  for (int byte = 0; byte < 256; ++byte) {
    const char text = static_cast<char>(byte);
    const bool upper = byte >= 'A' && byte <= 'Z';
    const bool is_name = upper || letters.find(text) != std::string::npos;
    EXPECT_EQ(normalise({&text, 1}).has_value(), is_name) << byte;
  }
}

// The rules, label by label and byte by byte.
std::string by_the_rules(std::string text) {
  if (text.ends_with('.')) text.pop_back();
  if (text.empty() || text.size() > HostName::bytes_max) return "no name";
  std::vector<std::string> labels(1);
  for (char& byte : text) {
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte + 'a' - 'A');
    if (byte == '.') {
      labels.emplace_back();
    } else {
      labels.back() += byte;
    }
  }
  const auto has_only = [](const std::string& label, const char* bytes) {
    return label.find('\0') == std::string::npos && label.find_first_not_of(bytes) == std::string::npos;
  };
  const auto is_label = [&](const std::string& label) {
    return !label.empty() && label.size() <= HostName::label_bytes_max &&
           has_only(label, "abcdefghijklmnopqrstuvwxyz0123456789-_");
  };
  const auto is_number = [&](const std::string& label) { return has_only(label, "0123456789"); };
  if (!std::ranges::all_of(labels, is_label)) return "no name";
  if (labels.size() == 4 && std::ranges::all_of(labels, is_number)) return "no name";
  return text;
}

// Each size, one byte of each kind at each place, at the end of what may be read.
TEST(HostName, EachByteAtEachPlaceOfEachSize) {
  GuardPage memory;
  std::string base;
  for (std::size_t i = 0; i < 260; ++i) base += i % 11 == 10 ? '.' : static_cast<char>('a' + i % 26);
  std::string digits = base;
  for (char& byte : digits) byte = byte == '.' ? '.' : '7';
  for (const std::string& name : {base, digits, std::string(260, 'x')}) {
    for (std::size_t size = 1; size <= name.size(); ++size) {
      auto* text = static_cast<char*>(memory.last(size));
      for (std::size_t place = 0; place < size; ++place) {
        for (const char byte : {'a', 'Z', '5', '.', '-', '@', '[', '`', '{', '/', ':', '\0', '\xe1'}) {
          std::memcpy(text, name.data(), size);
          text[place] = byte;
          ASSERT_EQ(normal({text, size}), by_the_rules({text, size})) << std::string(text, size);
        }
      }
    }
  }
}

}  // namespace
}  // namespace sallyport::classifier
