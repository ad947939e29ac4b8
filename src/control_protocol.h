// What client and gateway say to each other over the control socket: JSON lines on a stream.
//
//   client:  {"ask":"flows"}                         or {"ask":"tap","filter":"host 10.1.2.3",..}
//   gateway: {..} {..} ..                            any number of objects, one a line
//            {"end":{"status":0,"message":""}}       always the last line; status is the client's exit status
//
// One request a connection. Lines have a limit each way; a peer that exceeds it is cut off.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/exit_code.h"

namespace sallyport {

inline constexpr std::size_t request_bytes_max = 4096;
inline constexpr std::size_t answer_line_bytes_max = std::size_t{1} << 20U;

// What a client that follows packets wants to see. It is told until it shuts its side of the connection.
struct TapRequest {
  std::string filter;            // pcap-filter(7); empty: everything
  std::uint32_t snap_bytes = 0;  // of each frame that are told at most
  bool only_ended = false;       // nothing but packets that end under a reason
};
struct Request {
  std::string ask;      // "flows", "ports", .., "reload"
  TapRequest tap = {};  // of "tap"
};
struct End {
  ExitCode status = ExitCode::done;
  std::string message;  // one line for a person; may be empty
};

// Without line end.
[[nodiscard]] std::string to_line(const Request& request);
[[nodiscard]] std::string to_line(const End& end);
// None: not a request (not an end).
[[nodiscard]] std::optional<Request> parse_request(std::string_view line);
[[nodiscard]] std::optional<End> parse_end(std::string_view line);

// A stream of bytes into lines.
class LineBuffer {
 public:
  explicit LineBuffer(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}
  // False: a line grew over the limit; nothing more is to be expected.
  [[nodiscard]] bool append(std::string_view bytes);
  // The next whole line without its end.
  [[nodiscard]] std::optional<std::string> next();

 private:
  std::size_t line_bytes_max_;
  std::string bytes_;
  std::size_t taken_ = 0;  // bytes in front that were given out
};

}  // namespace sallyport
