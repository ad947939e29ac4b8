// TOML values as text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/policy_model.h"

namespace sallyport::config {

// A basic string, with its quotes.
[[nodiscard]] std::string toml_string(std::string_view text);
// A bare key where it can be one.
[[nodiscard]] std::string toml_key(std::string_view text);
// Values that are TOML already, "[a, b]". Over several lines where one would be long; `indent` is that of the key.
[[nodiscard]] std::string toml_array(const std::vector<std::string>& values, std::size_t indent = 0);
// The same with every value on a line of its own.
[[nodiscard]] std::string toml_tall_array(const std::vector<std::string>& values, std::size_t indent = 0);
// "{ a = 1, b = 2 }"; `pairs` are TOML already.
[[nodiscard]] std::string toml_inline_table(const std::vector<std::string>& pairs);

[[nodiscard]] std::string toml_strings(const std::vector<std::string>& texts, std::size_t indent = 0);
[[nodiscard]] std::string toml_prefixes(const std::vector<Prefix>& prefixes, std::size_t indent = 0);
[[nodiscard]] std::string toml_labels(const Labels& labels);
[[nodiscard]] std::string toml_selector(const Selector& selector);
[[nodiscard]] std::string toml_block(const CidrBlock& block);
[[nodiscard]] std::string toml_range(const AddressRange& range);
[[nodiscard]] std::string toml_host(const HostPattern& pattern);
// One request of http_route or grpc_route.
[[nodiscard]] std::string toml_match(const HttpMatch& match, RouteKind kind);

}  // namespace sallyport::config
