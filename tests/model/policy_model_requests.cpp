// Requests as the oracle understands them: paths in two readings, and the matches of http_routes and grpc_routes.
#include <algorithm>
#include <cctype>
#include <regex>
#include <sstream>

#include "policy_model_oracle.h"

namespace sallyport::model {

namespace {

using Type = config::StringMatch::Type;

bool is_escape(const std::string& text, std::size_t at) {
  return at + 2 < text.size() && text[at] == '%' && std::isxdigit(static_cast<unsigned char>(text[at + 1])) != 0 &&
         std::isxdigit(static_cast<unsigned char>(text[at + 2])) != 0;
}

char byte_of(const std::string& text, std::size_t at) {
  return static_cast<char>(std::stoi(text.substr(at + 1, 2), nullptr, 16));
}

std::string decoded(const std::string& text, const std::string& kept, bool blanks) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_escape(text, i)) {
      out += blanks && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const char byte = byte_of(text, i);
    const bool control = (byte >= 0 && byte < 0x20) || byte == 0x7f;
    if (!blanks && (control || kept.find(byte) != std::string::npos)) {
      out += '%';
      out += static_cast<char>(std::toupper(text[i + 1]));
      out += static_cast<char>(std::toupper(text[i + 2]));
    } else {
      out += byte;
    }
    i += 2;
  }
  return out;
}

// The first escape of the text, again and again until there is none.
std::string wholly_decoded(std::string text) {
  for (bool again = true; again;) {
    again = false;
    for (std::size_t i = 0; i < text.size() && !again; ++i)
      if (is_escape(text, i)) {
        text = text.substr(0, i) + byte_of(text, i) + text.substr(i + 3);
        again = true;
      }
  }
  return text;
}

std::vector<std::string> split(const std::string& text, const std::string& at) {
  std::vector<std::string> parts{""};
  for (const char c : text) {
    if (at.find(c) != std::string::npos)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

// Segments behind the first slash, with "." and ".." resolved.
std::vector<std::string> without_dots(const std::vector<std::string>& segments) {
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (segments[i] != "." && segments[i] != "..") {
      kept.push_back(segments[i]);
      continue;
    }
    if (segments[i] == ".." && !kept.empty()) kept.pop_back();
    if (i + 1 == segments.size()) kept.emplace_back();
  }
  return kept;
}

// An empty segment at the end stays: a slash at the end.
std::vector<std::string> without_empty(const std::vector<std::string>& segments) {
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < segments.size(); ++i)
    if (!segments[i].empty() || i + 1 == segments.size()) kept.push_back(segments[i]);
  return kept;
}

std::string joined(const std::vector<std::string>& segments) {
  std::string path;
  for (const std::string& segment : segments) path += "/" + segment;
  return path.empty() ? "/" : path;
}

std::string path_of(const std::string& target) { return target.substr(0, target.find('?')); }

std::string folded(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(c));
  return text;
}

bool holds(const config::StringMatch& match, const std::string& value) {
  if (match.type == Type::regular_expression) return std::regex_match(value, std::regex(match.value));
  return value == match.value;
}

bool path_holds(const config::StringMatch& match, const std::string& path, Reader reader) {
  if (match.type == Type::regular_expression) return std::regex_match(path, std::regex(match.value));
  // What the policy names is meant resolved.
  std::string wanted = path_as_read(match.value, reader == Reader::literal ? Reader::strict : reader);
  if (match.type == Type::exact) return path == wanted;
  if (wanted.back() == '/') wanted.pop_back();
  return path == wanted || path.substr(0, wanted.size() + 1) == wanted + "/" || wanted.empty();
}

// In any case, and with "_" for "-", as CGI hands it on.
bool header_holds(const config::NamedMatch& match, const Question& question) {
  const auto as_cgi = [](std::string name) {
    std::replace(name.begin(), name.end(), '_', '-');
    return folded(name);
  };
  return std::any_of(question.headers.begin(), question.headers.end(), [&](const auto& header) {
    return as_cgi(header.first) == as_cgi(match.name) && holds(match.match, header.second);
  });
}

bool param_holds(const config::NamedMatch& match, const Question& question, Reader reader) {
  const std::size_t mark = question.target.find('?');
  if (mark == std::string::npos) return false;
  for (const std::string& param : split(question.target.substr(mark + 1), reader == Reader::lenient ? "&;" : "&")) {
    if (param.empty()) continue;
    const std::size_t equals = param.find('=');
    const std::string name = decoded(param.substr(0, equals), "", true);
    const std::string value = equals == std::string::npos ? "" : decoded(param.substr(equals + 1), "", true);
    if (name == match.name && holds(match.match, value)) return true;
  }
  return false;
}

}  // namespace

std::string path_as_read(const std::string& path, Reader reader) {
  if (path.empty() || path[0] != '/') return path;
  if (reader != Reader::lenient) {
    const std::vector<std::string> segments = split(decoded(path, "%/\\;?#", false).substr(1), "/");
    return joined(without_empty(reader == Reader::literal ? segments : without_dots(segments)));
  }
  std::string text = wholly_decoded(path);
  text = text.substr(0, text.find_first_of("?#"));
  std::vector<std::string> segments = split(text.substr(1), "/\\");
  for (std::string& segment : segments) segment = segment.substr(0, segment.find(';'));
  return joined(without_dots(without_empty(segments)));
}

bool has_two_readings(const Question& question) {
  const std::string path = path_of(question.target);
  return path_as_read(path, Reader::strict) != path_as_read(path, Reader::lenient) ||
         question.target.find(';', path.size()) != std::string::npos;
}

bool is_unclear(const Question& question) {
  const std::string path = path_of(question.target);
  if (path.empty() || path[0] != '/') return false;
  const std::vector<std::string> segments = split(wholly_decoded(path), "/\\");
  const bool up = std::any_of(segments.begin() + 1, segments.end(), [](const std::string& segment) {
    return segment.substr(0, segment.find_first_of(";?#")) == "..";
  });
  return up && decoded(path, "%/\\;?#", false).find_first_of("%;\\") != std::string::npos;
}

bool is_grpc(const Question& question, Reader reader) {
  static const std::regex two_names("/[^/]+/[^/]+");
  return question.speaks == Question::Speaks::http2 && question.method == "POST" &&
         std::regex_match(path_as_read(path_of(question.target), reader), two_names);
}

bool request_matches(const config::HttpMatch& match, config::RouteKind kind, const Question& question, Reader reader) {
  const std::string path = path_as_read(path_of(question.target), reader);
  if (kind == config::RouteKind::grpc) {
    const std::vector<std::string> parts = split(path, "/");
    if (match.grpc_service && !holds({match.grpc_type, *match.grpc_service}, parts.at(1))) return false;
    if (match.grpc_method && !holds({match.grpc_type, *match.grpc_method}, parts.at(2))) return false;
  } else {
    if (match.path && !path_holds(*match.path, path, reader)) return false;
    if (match.method && *match.method != question.method) return false;
  }
  for (const config::NamedMatch& header : match.headers)
    if (!header_holds(header, question)) return false;
  for (const config::NamedMatch& param : match.query_params)
    if (!param_holds(param, question, reader)) return false;
  return true;
}

// Path: 0 exact, 1 prefix, 2 a gRPC method alone, 3 regex, 4 none; then the longer; then with method, more headers,
// more parameters.
std::vector<std::int64_t> closeness(const config::HttpMatch& match, config::RouteKind kind) {
  std::int64_t path = 4;
  std::int64_t length = 0;
  if (kind == config::RouteKind::grpc) {
    if (match.grpc_service || match.grpc_method)
      path = match.grpc_type == Type::regular_expression ? 3
             : match.grpc_service && match.grpc_method   ? 0
             : match.grpc_service                        ? 1
                                                         : 2;
  } else if (match.path) {
    std::string wanted = path_as_read(match.path->value, Reader::strict);
    if (match.path->type == Type::path_prefix) {
      if (wanted.back() == '/') wanted.pop_back();
      path = wanted.empty() ? 4 : 1;
      length = static_cast<std::int64_t>(wanted.size());
    } else {
      path = match.path->type == Type::exact ? 0 : 3;
    }
  }
  return {path, -length, match.method ? 0 : 1, -static_cast<std::int64_t>(match.headers.size()),
          -static_cast<std::int64_t>(match.query_params.size())};
}

}  // namespace sallyport::model
