// What stands in a gateway's answer. Values of another version's gateway may be missing or of another type: then they
// are shown as nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sallyport {

using Json = nlohmann::ordered_json;

// What peers sent (a server name, a URL) may hold anything: characters that steer a terminal become question marks.
[[nodiscard]] inline std::string printable(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    const bool c1 = byte == 0xc2 && next >= 0x80 && next < 0xa0;
    if (byte < 0x20 || byte == 0x7f || c1) text[i] = '?';
    if (c1) text[++i] = '?';
  }
  return text;
}

[[nodiscard]] inline std::string text_at(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (found == object.end()) return {};
  if (found->is_string()) return printable(found->get<std::string>());
  return found->is_primitive() && !found->is_null() ? found->dump() : std::string{};
}

[[nodiscard]] inline std::uint64_t number_at(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

[[nodiscard]] inline const Json& at(const Json& object, const char* key) {
  static const Json nothing = Json::object();
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() ? nothing : *found;
}

// "10.1.2.3:443", "[fd00::1]:443"; "-" where there is no address.
[[nodiscard]] inline std::string endpoint(const Json& object, const char* address, const char* port) {
  const std::string ip = text_at(object, address);
  if (ip.empty()) return "-";
  return ip.find(':') == std::string::npos ? fmt::format("{}:{}", ip, text_at(object, port))
                                           : fmt::format("[{}]:{}", ip, text_at(object, port));
}

}  // namespace sallyport
