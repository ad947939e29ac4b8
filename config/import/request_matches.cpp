#include "config/import/request_matches.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "config/document/in_quotes.h"
#include "config/import/fields.h"

namespace sallyport::config {
namespace {

using Type = StringMatch::Type;

// RFC 9110 section 5.6.2.
bool is_token(std::string_view word) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !word.empty() && std::all_of(word.begin(), word.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || marks.find(c) != marks.npos;
  });
}

// Whatever their letters' case (RFC 9110 section 5.1).
bool is_same_word(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

class MatchReader {
 public:
  MatchReader(const YamlNode& node, const ObjectReport& report)
      : node_(node), report_(report), fields_(&node, report) {}

  std::optional<HttpMatch> read(RouteKind kind) {
    match_.at = node_.at;
    if (kind == RouteKind::grpc) {
      read_grpc_method();
    } else {
      read_path();
      read_method();
      read_named("queryParams", false, match_.query_params);
    }
    read_named("headers", true, match_.headers);
    if (!whole_) report_.lost(node_.at, "this match cannot be kept whole; it was left out");
    return whole_ ? std::optional(std::move(match_)) : std::nullopt;
  }

 private:
  Type type_of(Fields& fields, Type otherwise) {
    const YamlNode* written = fields.find("type");
    if (written == nullptr) return otherwise;
    if (written->text == "Exact") return Type::exact;
    if (written->text == "PathPrefix") return Type::path_prefix;
    if (written->text == "RegularExpression") return Type::regular_expression;
    report_.lost(written->at, fmt::format("{}: no way to compare that is known here", in_quotes(written->text)));
    whole_ = false;
    return otherwise;
  }

  void read_path() {
    const YamlNode* node = fields_.find("path");
    if (node == nullptr) return;
    Fields fields(node, report_);
    StringMatch path{type_of(fields, Type::path_prefix), "/"};
    const YamlNode* value = fields.find("value");
    if (value != nullptr) path.value = read_text(*value, report_).value_or("");
    whole_ = whole_ && fields.whole();
    const bool plain = path.type != Type::regular_expression;
    if (path.value.empty() ||
        (plain && (path.value.front() != '/' || path.value.find_first_of("?#") != path.value.npos))) {
      report_.lost(node->at, fmt::format("{}: no path", in_quotes(path.value)));
      whole_ = false;
    }
    match_.path = std::move(path);
  }

  void read_method() {
    const YamlNode* node = fields_.find("method");
    if (node == nullptr) return;
    const auto word = read_text(*node, report_);
    whole_ = whole_ && word && is_token(*word) &&
             std::none_of(word->begin(), word->end(), [](char c) { return c >= 'a' && c <= 'z'; });
    match_.method = word;
  }

  void read_grpc_method() {
    const YamlNode* node = fields_.find("method");
    if (node == nullptr) return;
    Fields fields(node, report_);
    match_.grpc_type = type_of(fields, Type::exact);
    match_.grpc_service = fields.text("service");
    match_.grpc_method = fields.text("method");
    whole_ = whole_ && fields.whole();
    const bool empty = !match_.grpc_service && !match_.grpc_method;
    const bool filled = match_.grpc_service != "" && match_.grpc_method != "";
    whole_ = whole_ && match_.grpc_type != Type::path_prefix && !empty && filled;
  }

  void read_named(std::string_view key, bool is_header, std::vector<NamedMatch>& into) {
    const YamlNode* list = fields_.find(key);
    whole_ = whole_ && (list == nullptr || list->kind == YamlNode::Kind::sequence);
    if (list == nullptr) return;
    for (const YamlNode& node : list->items) {
      Fields fields(&node, report_);
      NamedMatch named;
      named.match.type = type_of(fields, Type::exact);
      named.name = fields.text("name").value_or("");
      const auto value = fields.text("value");
      whole_ = whole_ && value && named.match.type != Type::path_prefix &&
               (is_header ? is_token(named.name) : !named.name.empty());
      named.match.value = value.value_or("");
      // The Gateway API: of several with one name only the first counts.
      const bool known = std::any_of(into.begin(), into.end(), [&](const NamedMatch& m) {
        return is_header ? is_same_word(m.name, named.name) : m.name == named.name;
      });
      if (!known) into.push_back(std::move(named));
    }
  }

  const YamlNode& node_;
  const ObjectReport& report_;
  Fields fields_;
  HttpMatch match_;
  bool whole_ = true;
};

}  // namespace

std::optional<HttpMatch> read_request_match(RouteKind kind, const YamlNode& node, const ObjectReport& report) {
  if (node.kind != YamlNode::Kind::mapping) {
    report.lost(node.at, fmt::format("expected a match, this is {}; left out", kind_of(node)));
    return std::nullopt;
  }
  return MatchReader(node, report).read(kind);
}

}  // namespace sallyport::config
