#include "classifier/request_routes.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace sallyport::classifier {

RequestRoutes::RequestRoutes(const config::PolicyModel& model, const RequestRoutes* previous,
                             config::Diagnostics& diagnostics)
    : model_(model) {
  for (std::size_t i = 0; i < model.routes.size(); ++i) {
    const config::RouteKind kind = model.routes[i].kind;
    if (kind == config::RouteKind::http || kind == config::RouteKind::grpc)
      compile(static_cast<std::uint32_t>(i), previous, diagnostics);
  }
}

void RequestRoutes::compile(std::uint32_t place, const RequestRoutes* previous, config::Diagnostics& diagnostics) {
  const auto find = [](void* context, const std::string& regex) -> RequestMatch::Regex {
    const auto& known = *static_cast<const std::map<std::string, RequestMatch::Regex>*>(context);
    const auto found = known.find(regex);
    return found == known.end() ? nullptr : found->second;
  };
  const config::Route& route = model_.routes[place];
  for (const config::HttpMatch& written : route.matches) {
    compile_regexes(written, previous, diagnostics);
    matches_[place].emplace_back(written, route.kind, find, &regexes_);
  }
}

void RequestRoutes::compile_regexes(const config::HttpMatch& match, const RequestRoutes* previous,
                                    config::Diagnostics& diagnostics) {
  const auto compile = [&](const config::StringMatch& text, const config::Location& at, const std::string& key) {
    if (text.type != config::StringMatch::Type::regular_expression) return;
    if (const std::string message = compile_regex(text.value, previous); !message.empty())
      diagnostics.error(at, match.key + key, message);
  };
  const auto compile_all = [&](const std::vector<config::NamedMatch>& list, const char* key) {
    for (std::size_t i = 0; i < list.size(); ++i)
      compile(list[i].match, list[i].match.at, fmt::format(".{}[{}].value", key, i));
  };
  if (match.path) compile(*match.path, match.path->at, ".path.value");
  if (match.grpc_service) compile({match.grpc_type, *match.grpc_service}, match.grpc_service_at, ".method.service");
  if (match.grpc_method) compile({match.grpc_type, *match.grpc_method}, match.grpc_method_at, ".method.method");
  compile_all(match.headers, "headers");
  compile_all(match.query_params, "query_params");
}

std::string RequestRoutes::compile_regex(const std::string& regex, const RequestRoutes* previous) {
  if (regexes_.contains(regex)) return {};
  if (previous != nullptr)
    if (const auto lent = previous->regexes_.find(regex); lent != previous->regexes_.end()) {
      regexes_.insert(*lent);
      return {};
    }
  constexpr auto letters = PatternDatabase::Letters::as_written;
  std::string message = PatternDatabase::refusal(regex, letters);
  if (!message.empty()) return message;
  if (auto made = PatternDatabase::of_whole_texts({regex}, letters, message)) regexes_.emplace(regex, std::move(made));
  return message;
}

const MatchDistance* RequestRoutes::closest(std::uint32_t route, const ReadRequest& request,
                                            MatchScratch& scratch) const noexcept {
  static constexpr MatchDistance anything{MatchDistance::Path::none, 0, true, UINT32_MAX, UINT32_MAX};
  const auto matches = matches_.find(route);
  if (matches == matches_.end()) return &anything;
  const MatchDistance* best = nullptr;
  for (const RequestMatch& match : matches->second)
    if ((best == nullptr || match.distance() < *best) && match.takes(request, scratch)) best = &match.distance();
  return best;
}

RouteWinner RequestRoutes::match(const HostRoutes& hosts, std::uint32_t table, const HostName* name,
                                 const ReadRequest& request, MatchScratch& scratch) const noexcept {
  std::vector<HostTaker>& takers = scratch.takers();
  hosts.takers(table, name, scratch, takers);
  std::sort(takers.begin(), takers.end());

  using config::RouteAction;
  using Rank = std::tuple<std::uint32_t, MatchDistance, bool, std::uint32_t>;
  Rank decided{UINT32_MAX, {}, true, 0};
  Rank audited = decided;
  RouteWinner winner;
  for (const HostTaker& taker : takers) {
    if (taker.distance > std::get<0>(decided)) break;
    const MatchDistance* distance = closest(taker.route, request, scratch);
    if (distance == nullptr) continue;
    const RouteAction action = model_.routes[taker.route].action;
    const Rank rank{taker.distance, *distance, action != RouteAction::deny, taker.route};
    Rank& best = action == RouteAction::audit ? audited : decided;
    if (rank >= best) continue;
    best = rank;
    (action == RouteAction::audit ? winner.audit : winner.route) = taker.route;
  }
  winner.audited = audited < decided;
  if (!winner.audited) winner.audit = RouteWinner::none;
  return winner;
}

template <typename Asks>
bool RequestRoutes::any_match(std::span<const std::uint32_t> routes, const Asks& asks) const noexcept {
  return std::any_of(routes.begin(), routes.end(), [&](std::uint32_t route) {
    const auto matches = matches_.find(route);
    return matches != matches_.end() && std::any_of(matches->second.begin(), matches->second.end(), asks);
  });
}

bool RequestRoutes::asks_path(std::span<const std::uint32_t> routes) const noexcept {
  return any_match(routes, [](const RequestMatch& match) { return match.asks_path(); });
}

bool RequestRoutes::asks_headers(std::span<const std::uint32_t> routes) const noexcept {
  return any_match(routes, [](const RequestMatch& match) { return match.asks_headers(); });
}

void RequestRoutes::reserve(MatchScratch& scratch) const {
  for (const auto& [text, regex] : regexes_) regex->reserve(scratch);
}

}  // namespace sallyport::classifier
