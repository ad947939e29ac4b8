// A request's path, as servers understand it. Two paths that a server takes for the same must not be decided
// differently, or a rule is talked around by writing its path another way; and servers differ. So a path has some
// readings, and a request is allowed only if all are:
//
//   strict    RFC 3986 section 6.2.2: escapes are decoded, but those of bytes that would change how the path falls into
//             parts (% / \ ; ? # and controls: these stay, in upper case); "." and ".." segments are resolved; slashes
//             in a row become one.
//   lenient   what a server does that decodes first and looks later: escapes are decoded as long as there are any, "\"
//             is "/", the parameters of a segment (";v=1") are cut off, a decoded "?" or "#" ends the path, slashes in
//             a row become one and then "." and ".." are resolved.
//   literal   what a server does that resolves nothing: as strict, but "." and ".." are segments like others. What a
//             policy names is resolved all the same.
//
// Between strict and lenient there are many servers that do some of it. Where a path goes up, that leads anywhere: of
// "/public/%3f/..%2f..%2fadmin" strict makes "/public/%3F/..%2F..%2Fadmin", lenient "/public/", and nginx "/admin". So
// one with a ".." in any reading, and with something in it that servers read differently, is unclear, and no rule that
// asks for paths allows it. No client that means well sends such.
//
// A path's reading is never longer than the path. Paths are case-sensitive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport::classifier {

enum class Reading : std::uint8_t { strict, lenient, literal };
inline constexpr std::size_t readings = 3;

// Writes the reading of a path (no query) to `to`, which has room for all of it; how long
// it is. What does not begin with a slash ("*") is its own reading.
[[nodiscard]] std::size_t read_path(std::string_view path, Reading reading, char* to) noexcept;
[[nodiscard]] std::string read_path(std::string_view path, Reading reading);
// Does the path go up, in some server's reading of many? `room` is for all of it.
[[nodiscard]] bool is_unclear_path(std::string_view path, char* room) noexcept;

// A byte of a path that servers read differently.
[[nodiscard]] constexpr bool is_moot(char c) noexcept { return c == '%' || c == ';' || c == '\\'; }

// What an escape at the beginning of a text stands for; -1: there is none.
[[nodiscard]] int unescape(std::string_view text) noexcept;

}  // namespace sallyport::classifier
