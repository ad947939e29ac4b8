// A TLS stream and what the parser answers, in a form that tests compare.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "classifier/names/tls_client_hello.h"
#include "tests/unit/classifier/names_hello_builder.h"

namespace sallyport::classifier::names {

struct Answer {
  Parse parse;
  std::optional<std::string> name;
  bool ech;
  bool operator==(const Answer&) const = default;
};

inline void PrintTo(const Answer& answer, std::ostream* out) {
  *out << "parse " << static_cast<int>(answer.parse) << " name " << answer.name.value_or("(none)") << " ech "
       << answer.ech;
}

inline constexpr std::size_t hello_bytes_max = 20'000;

// A fresh copy in a block of its exact size, so that a sanitizer sees every read outside.
[[nodiscard]] inline Answer ask(std::span<const std::uint8_t> stream, TlsProgress& progress) {
  const Buffer exact(stream.begin(), stream.end());
  Buffer scratch(hello_bytes_max);
  ClientHello hello;
  const Parse parse = parse_client_hello(exact, progress, scratch, hello);
  std::optional<std::string> name;
  if (hello.has_server_name) name.emplace(hello.server_name);
  return {parse, name, hello.ech};
}

[[nodiscard]] inline Answer ask(std::span<const std::uint8_t> stream) {
  TlsProgress progress;
  return ask(stream, progress);
}

[[nodiscard]] inline Answer named(std::string name, bool ech = false) { return {Parse::done, std::move(name), ech}; }
[[nodiscard]] inline Answer unnamed(Parse parse) { return {parse, std::nullopt, false}; }

[[nodiscard]] inline Buffer stream_of(const Hello& hello) { return record(hello.message()); }

[[nodiscard]] inline Hello with_extension(std::uint16_t type, Buffer content) {
  Hello hello = browser_hello("unused.example", 32);
  hello.extensions = {grease(), {type, std::move(content)}};
  return hello;
}

// Fed as it arrives: ends of the pieces in rising order.
[[nodiscard]] inline Answer ask_in_pieces(std::span<const std::uint8_t> stream, const std::vector<std::size_t>& ends) {
  TlsProgress progress;
  for (const std::size_t end : ends) {
    Answer answer = ask(stream.first(end), progress);
    if (answer.parse != Parse::need_more) return answer;
  }
  return ask(stream, progress);
}

}  // namespace sallyport::classifier::names
