// Random matches of http_routes and grpc_routes, and random requests to them: few words, so that they meet; paths in
// every way of writing them.
#include <array>

#include "random_policy.h"

namespace sallyport::model {

namespace {

const std::array<std::string, 10> paths{"/",   "/a",    "/a/",        "/a/b",   "/a/b/c",
                                        "/v2", "/v2/x", "/v2example", "/a%2Fb", "/x/../a"};
const std::array<std::string, 5> path_regexes{"/a.*", "/(a|v2)/[a-z]+", ".*", "/v[0-9]", "/[^/]*"};
const std::array<std::string, 4> methods{"GET", "POST", "PUT", "get"};
const std::array<std::string, 3> header_names{"x-one", "X-One", "version"};
const std::array<std::string, 5> words{"a", "b", "aa", "A", "a b"};
const std::array<std::string, 3> word_regexes{"a+", "[a-b]", "(a|b).*"};
const std::array<std::string, 3> param_names{"p", "q", "p q"};
const std::array<std::string, 3> services{"pkg.S", "pkg.T", "a"};
const std::array<std::string, 3> grpc_methods{"Get", "Put", "b"};
const std::array<std::string, 3> grpc_regexes{"pkg\\..*", "[A-Z][a-z]+", "a|b"};
const std::array<std::string, 18> segments{"a",   "b",   "v2",  "x",    "..",   ".",        "",      "%61",   "%3f",
                                           "%23", "%2e", "a;p", "..;x", "%2E.", "%252e%2e", "a%2Fb", "b%5Ca", "%zz"};

}  // namespace

config::StringMatch RandomPolicy::string_match(bool regex_allowed) {
  if (regex_allowed && chance(30)) return {config::StringMatch::Type::regular_expression, pick(word_regexes)};
  return {config::StringMatch::Type::exact, pick(words)};
}

config::StringMatch RandomPolicy::path_match() {
  const auto type = static_cast<config::StringMatch::Type>(below(3));
  if (type == config::StringMatch::Type::regular_expression) return {type, pick(path_regexes)};
  return {type, pick(paths)};
}

config::HttpMatch RandomPolicy::http_match() {
  config::HttpMatch made;
  if (chance(70)) made.path = path_match();
  if (chance(30)) made.method = pick(methods);
  if (chance(25)) made.headers.push_back({pick(header_names), string_match(true)});
  if (chance(10)) made.headers.push_back({pick(header_names), string_match(true)});
  if (chance(25)) made.query_params.push_back({pick(param_names), string_match(true)});
  return made;
}

config::HttpMatch RandomPolicy::grpc_match() {
  config::HttpMatch made;
  const bool regex = chance(30);
  if (regex) made.grpc_type = config::StringMatch::Type::regular_expression;
  if (chance(60)) made.grpc_service = regex ? pick(grpc_regexes) : pick(services);
  if (chance(60)) made.grpc_method = regex ? pick(grpc_regexes) : pick(grpc_methods);
  if (chance(20)) made.headers.push_back({pick(header_names), string_match(true)});
  return made;
}

void RandomPolicy::ask_request(Question& question) {
  question.speaks = chance(60) ? Question::Speaks::http : Question::Speaks::http2;
  question.method = pick(methods);
  if (chance(20)) question.name += chance(70) ? ":8080" : ":x";
  if (question.speaks == Question::Speaks::http2 && chance(60)) {
    question.method = "POST";
    question.target = "/" + pick(services) + "/" + pick(grpc_methods);
  } else if (chance(50)) {
    question.target = pick(paths);
  } else {
    for (std::uint32_t count = 1 + below(4); count > 0; --count) question.target += "/" + pick(segments);
  }
  if (chance(3)) question.target = "*";
  if (chance(40)) {
    question.target += "?";
    for (std::uint32_t count = below(4); count > 0; --count) {
      static const std::array<std::string, 7> params{"p=a", "q=b", "p=aa", "%70=a", "p+q=a+b", "q", "p=%61"};
      question.target += pick(params) + (chance(70) ? "&" : ";");
    }
  }
  for (std::uint32_t count = below(3); count > 0; --count)
    question.headers.emplace_back(pick(header_names), pick(words));
}

}  // namespace sallyport::model
