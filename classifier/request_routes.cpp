#include "classifier/request_routes.h"

#include <algorithm>
#include <tuple>

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
  struct Finding {
    std::map<std::string, RequestMatch::Regex>& known;
    const RequestRoutes* previous;
    std::string message;
  } finding{regexes_, previous, {}};
  const auto find = [](void* context, const std::string& regex) -> RequestMatch::Regex {
    auto& in = *static_cast<Finding*>(context);
    if (const auto known = in.known.find(regex); known != in.known.end()) return known->second;
    if (in.previous != nullptr)
      if (const auto lent = in.previous->regexes_.find(regex); lent != in.previous->regexes_.end())
        return in.known.emplace(regex, lent->second).first->second;
    constexpr auto letters = PatternDatabase::Letters::as_written;
    in.message = PatternDatabase::refusal(regex, letters);
    if (!in.message.empty()) return nullptr;
    RequestMatch::Regex made = PatternDatabase::of_whole_texts({regex}, letters, in.message);
    if (made != nullptr) in.known.emplace(regex, made);
    return made;
  };
  const config::Route& route = model_.routes[place];
  for (const config::HttpMatch& written : route.matches) {
    RequestMatch match(written, route.kind, find, &finding);
    if (!match.valid()) diagnostics.error(written.at, route_key(model_, place) + ".rules", finding.message);
    matches_[place].push_back(std::move(match));
  }
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
