#include "src/policy_elsewhere.h"

#include <array>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "dataplane/io/environment_error.h"
#include "src/monitor/web_client.h"
#include "src/monitor/web_server.h"

namespace sallyport {
namespace {

constexpr std::size_t input_bytes_max = std::size_t{16} << 20U;

std::string standard_input() {
  std::string text;
  std::array<char, 16384> bytes{};
  while (const std::size_t count = std::fread(bytes.data(), 1, bytes.size(), stdin)) {
    text.append(bytes.data(), count);
    if (text.size() > input_bytes_max) throw dataplane::EnvironmentError("standard input: it has no end");
  }
  return text;
}

std::optional<std::string> in_metrics(std::string_view text) {
  constexpr std::string_view before = "\nsallyport_policy_info{hash=\"";
  const std::size_t found = text.find(before);
  if (found == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(found + before.size());
  return std::string(rest.substr(0, rest.find('"')));
}

std::optional<std::string> in_json(std::string_view text) {
  const auto answer = nlohmann::json::parse(text, nullptr, false);
  if (!answer.is_object()) return std::nullopt;
  for (const char* key : {"hash", "policy_hash"}) {  // of `show policy`, of `ha status`
    const auto hash = answer.find(key);
    if (hash != answer.end() && hash->is_string() && !hash->get<std::string>().empty()) return hash->get<std::string>();
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> policy_hash_in(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const bool json = first != std::string_view::npos && text[first] == '{';
  return json ? in_json(text) : in_metrics(text);
}

std::optional<std::string> policy_hash_at(const std::string& where, const std::string& token_file) {
  if (where == "-") return policy_hash_in(standard_input());
  return policy_hash_in(fetch(where, token_file.empty() ? "" : read_token(token_file)));
}

}  // namespace sallyport
