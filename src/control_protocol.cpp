#include "src/control_protocol.h"

#include <nlohmann/json.hpp>

namespace sallyport {
namespace {

using Json = nlohmann::ordered_json;

// An object, or nothing: what a peer sends is foreign.
Json parse_object(std::string_view line) {
  Json object = Json::parse(line, nullptr, false);
  return object.is_object() ? object : Json();
}

std::string to_string(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string to_line(const Request& request) {
  if (request.ask != "tap") return to_string({{"ask", request.ask}});
  return to_string({{"ask", request.ask},
                    {"filter", request.tap.filter},
                    {"snap_bytes", request.tap.snap_bytes},
                    {"only_ended", request.tap.only_ended}});
}

std::string to_line(const End& end) {
  return to_string({{"end", {{"status", status(end.status)}, {"message", end.message}}}});
}

std::optional<Request> parse_request(std::string_view line) {
  const Json object = parse_object(line);
  const auto ask = object.find("ask");
  if (ask == object.end() || !ask->is_string()) return std::nullopt;
  Request request{ask->get<std::string>()};
  if (request.ask != "tap") return request;
  const auto filter = object.find("filter");
  const auto snap = object.find("snap_bytes");
  const auto ended = object.find("only_ended");
  const bool whole = filter != object.end() && filter->is_string() && snap != object.end() &&
                     snap->is_number_unsigned() && snap->get<std::uint64_t>() <= UINT32_MAX && ended != object.end() &&
                     ended->is_boolean();
  if (!whole) return std::nullopt;
  request.tap = {filter->get<std::string>(), snap->get<std::uint32_t>(), ended->get<bool>()};
  return request;
}

std::optional<End> parse_end(std::string_view line) {
  if (!line.starts_with("{\"end\":")) return std::nullopt;
  const Json object = parse_object(line);
  const auto end = object.find("end");
  if (end == object.end() || !end->is_object()) return std::nullopt;
  const auto code = end->find("status");
  const auto message = end->find("message");
  const bool whole = code != end->end() && code->is_number_unsigned() && message != end->end() && message->is_string();
  if (!whole || code->get<unsigned>() > 3) return std::nullopt;
  return End{static_cast<ExitCode>(code->get<unsigned>()), message->get<std::string>()};
}

bool LineBuffer::append(std::string_view bytes) {
  if (taken_ != 0) bytes_.erase(0, taken_);
  taken_ = 0;
  bytes_.append(bytes);
  const std::size_t last_end = bytes_.rfind('\n');
  const std::size_t unfinished = last_end == std::string::npos ? bytes_.size() : bytes_.size() - last_end - 1;
  return unfinished <= line_bytes_max_;
}

std::optional<std::string> LineBuffer::next() {
  const std::size_t end = bytes_.find('\n', taken_);
  if (end == std::string::npos) return std::nullopt;
  std::string line = bytes_.substr(taken_, end - taken_);
  taken_ = end + 1;
  return line;
}

}  // namespace sallyport
