#include "classifier/request_match.h"

#include <algorithm>
#include <iterator>
#include <limits>

namespace sallyport::classifier {
namespace {

using config::StringMatch;
using Type = StringMatch::Type;

[[nodiscard]] std::uint32_t left_out(std::size_t count) noexcept {
  return std::numeric_limits<std::uint32_t>::max() - static_cast<std::uint32_t>(count);
}

[[nodiscard]] bool same_name(std::string_view a, std::string_view b) noexcept {
  // To servers that hand fields on as CGI does (RFC 3875 section 4.1.18), "_" and "-" are one.
  const auto fold = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c == '_' ? '-' : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char left, char right) { return fold(left) == fold(right); });
}

[[nodiscard]] bool matches(const PatternDatabase& regex, std::size_t bytes, MatchScratch& scratch) noexcept {
  bool found = false;
  const auto hit = [](void* context, unsigned, unsigned long long) noexcept {
    *static_cast<bool*>(context) = true;
    return true;
  };
  (void)regex.scan(bytes, scratch, hit, &found);
  return found;
}

[[nodiscard]] bool matches(const PatternDatabase& regex, std::string_view text, MatchScratch& scratch) noexcept {
  const std::size_t bytes = std::min(text.size(), MatchScratch::text_bytes_max);
  std::copy_n(text.begin(), bytes, scratch.text());
  return matches(regex, bytes, scratch);
}

// application/x-www-form-urlencoded: "+" is a blank.
[[nodiscard]] std::size_t decode_form(std::string_view text, char* to) noexcept {
  std::size_t size = 0;
  for (std::size_t i = 0; i < text.size();) {
    const int byte = unescape(text.substr(i));
    to[size++] = byte >= 0 ? static_cast<char>(byte) : text[i] == '+' ? ' ' : text[i];
    i += byte >= 0 ? 3 : 1;
  }
  return size;
}

[[nodiscard]] std::string_view path_of(std::string_view target) noexcept {
  return target.substr(0, std::min(target.find('?'), MatchScratch::text_bytes_max));
}

}  // namespace

bool is_moot_path(std::string_view target) noexcept {
  const std::string_view path = path_of(target);
  constexpr std::string_view parts[] = {"//", "/."};
  return std::any_of(path.begin(), path.end(), is_moot) ||
         std::any_of(std::begin(parts), std::end(parts),
                     [&](std::string_view part) { return path.find(part) != std::string_view::npos; });
}

OtherReadings other_readings(std::string_view target, bool asks_path, MatchScratch& scratch) noexcept {
  const std::string_view path = path_of(target);
  OtherReadings others;
  others.lenient = target.substr(path.size()).find(';') != std::string_view::npos;
  if (!asks_path) return others;
  if (!is_moot_path(target)) return others;
  others.unclear = is_unclear_path(path, scratch.text());
  const std::string_view strict{scratch.path(), read_path(path, Reading::strict, scratch.path())};
  const auto differs = [&](Reading reading) {
    return strict != std::string_view{scratch.text(), read_path(path, reading, scratch.text())};
  };
  others.lenient = others.lenient || differs(Reading::lenient);
  others.literal = differs(Reading::literal);
  return others;
}

ReadRequest::ReadRequest(const ShownRequest& shown, Reading as, bool asks_path, MatchScratch& scratch) noexcept
    : request(shown), reading(as) {
  const std::string_view target = shown.target.substr(0, MatchScratch::text_bytes_max);
  const std::string_view written = path_of(target);
  if (asks_path) path = {scratch.path(), read_path(written, as, scratch.path())};
  query = target.substr(std::min(written.size() + 1, target.size()));
  const std::size_t second = path.find('/', 1);
  if (!path.starts_with('/') || second == std::string_view::npos) return;
  if (second == 1 || second + 1 == path.size() || path.find('/', second + 1) != std::string_view::npos) return;
  service = path.substr(1, second - 1);
  method = path.substr(second + 1);
}

RequestMatch::RequestMatch(const config::HttpMatch& match, config::RouteKind kind, FindRegex find_regex, void* context)
    : grpc_(kind == config::RouteKind::grpc) {
  if (grpc_) {
    take_grpc(match, find_regex, context);
  } else {
    if (match.path) take_path(*match.path, find_regex, context);
    method_ = match.method;
    distance_.any_method = !method_;
  }
  for (const config::NamedMatch& header : match.headers)
    headers_.push_back({header.name, text_of(header.match, find_regex, context)});
  for (const config::NamedMatch& param : match.query_params)
    params_.push_back({param.name, text_of(param.match, find_regex, context)});
  distance_.headers_left_out = left_out(headers_.size());
  distance_.params_left_out = left_out(params_.size());
}

RequestMatch::Text RequestMatch::text_of(const StringMatch& match, FindRegex find_regex, void* context) {
  if (match.type != Type::regular_expression) return {match.value, nullptr};
  return {{}, find_regex(context, match.value)};
}

void RequestMatch::take_path(const StringMatch& path, FindRegex find_regex, void* context) {
  if (path.type == Type::regular_expression) {
    distance_.path = MatchDistance::Path::regex;
    path_regex_ = text_of(path, find_regex, context).regex;
    return;
  }
  for (const Reading reading : {Reading::strict, Reading::lenient, Reading::literal}) {
    std::string& text = path_[static_cast<std::size_t>(reading)];
    text = read_path(path.value, reading == Reading::literal ? Reading::strict : reading);
    if (path.type == Type::path_prefix && text.ends_with('/')) text.pop_back();
  }
  const std::string& strict = path_.front();
  if (path.type == Type::exact) {
    distance_.path = MatchDistance::Path::exact;
  } else if (!strict.empty()) {
    distance_.path = MatchDistance::Path::prefix;
    distance_.path_shortness = left_out(strict.size());
  }
}

void RequestMatch::take_grpc(const config::HttpMatch& match, FindRegex find_regex, void* context) {
  const auto taken = [&](const std::optional<std::string>& text) -> std::optional<Text> {
    if (!text) return std::nullopt;
    return text_of({match.grpc_type, *text}, find_regex, context);
  };
  service_ = taken(match.grpc_service);
  grpc_method_ = taken(match.grpc_method);
  using Path = MatchDistance::Path;
  if (!service_ && !grpc_method_) return;
  distance_.path = match.grpc_type == Type::regular_expression ? Path::regex
                   : service_ && grpc_method_                  ? Path::exact
                   : service_                                  ? Path::prefix
                                                               : Path::grpc_method;
}

bool RequestMatch::Text::takes(std::string_view value, MatchScratch& scratch) const noexcept {
  return regex != nullptr ? matches(*regex, value, scratch) : value == exact;
}

bool RequestMatch::takes(const ReadRequest& request, MatchScratch& scratch) const noexcept {
  if (method_ && *method_ != request.request.method) return false;
  if (service_ && !service_->takes(request.service, scratch)) return false;
  if (grpc_method_ && !grpc_method_->takes(request.method, scratch)) return false;
  if (!grpc_ && !takes_path(request, scratch)) return false;
  return std::all_of(headers_.begin(), headers_.end(),
                     [&](const Named& wanted) { return has_header(request, wanted, scratch); }) &&
         std::all_of(params_.begin(), params_.end(),
                     [&](const Named& wanted) { return has_param(request, wanted, scratch); });
}

bool RequestMatch::takes_path(const ReadRequest& request, MatchScratch& scratch) const noexcept {
  using Path = MatchDistance::Path;
  const std::string& text = path_[static_cast<std::size_t>(request.reading)];
  switch (distance_.path) {
    case Path::exact:
      return request.path == text;
    case Path::prefix:
      return request.path.starts_with(text) && (request.path.size() == text.size() || request.path[text.size()] == '/');
    case Path::regex:
      return matches(*path_regex_, request.path, scratch);
    case Path::grpc_method:
    case Path::none:
      break;
  }
  return true;
}

bool RequestMatch::has_header(const ReadRequest& request, const Named& wanted, MatchScratch& scratch) noexcept {
  return std::any_of(request.request.fields.begin(), request.request.fields.end(), [&](const HttpField& field) {
    return same_name(field.name, wanted.name) && wanted.value.takes(field.value, scratch);
  });
}

// The lenient reader parts parameters at ";" too, as HTML 4 recommended.
bool RequestMatch::has_param(const ReadRequest& request, const Named& wanted, MatchScratch& scratch) noexcept {
  const std::string_view parts = request.reading == Reading::lenient ? "&;" : "&";
  std::string_view rest = request.query;
  while (!rest.empty()) {
    const std::string_view param = rest.substr(0, rest.find_first_of(parts));
    rest.remove_prefix(std::min(param.size() + 1, rest.size()));
    const std::size_t name_bytes = std::min(param.find('='), param.size());
    const std::size_t name = decode_form(param.substr(0, name_bytes), scratch.text());
    if (std::string_view(scratch.text(), name) != wanted.name) continue;
    const std::size_t bytes = decode_form(param.substr(std::min(name_bytes + 1, param.size())), scratch.text());
    if (wanted.value.regex != nullptr ? matches(*wanted.value.regex, bytes, scratch)
                                      : std::string_view(scratch.text(), bytes) == wanted.value.exact)
      return true;
  }
  return false;
}

}  // namespace sallyport::classifier
