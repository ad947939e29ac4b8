// The http_routes and grpc_routes of a policy: who of those that stand on some (network, port) takes a request.
//
// A route takes a request if one of its host names and one of its matches do. Of several the closest decides: by host
// name first (host_matcher.h), then by match (request_match.h); at equal distance deny beats allow, then the one that
// stands first in the file. An audit route decides nothing; it is noted where it would have decided.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "classifier/decision.h"
#include "classifier/host_routes.h"
#include "classifier/match_scratch.h"
#include "classifier/request_match.h"
#include "classifier/route_order.h"
#include "config/diagnostics.h"
#include "config/policy_model.h"

namespace sallyport::classifier {

class RequestRoutes {
 public:
  // A regular expression that does not compile is an error. `model` outlives this. `previous` lends the expressions
  // that it compiled.
  RequestRoutes(const config::PolicyModel& model, const RequestRoutes* previous, config::Diagnostics& diagnostics);

  // `table` is one of `hosts`, of these routes. `name` absent: the request shows none.
  [[nodiscard]] RouteWinner match(const HostRoutes& hosts, std::uint32_t table, const HostName* name,
                                  const ReadRequest& request, MatchScratch& scratch) const noexcept;
  // The closest match of a route that takes the request; nullptr: none does. The host name is not asked.
  [[nodiscard]] const MatchDistance* closest(std::uint32_t route, const ReadRequest& request,
                                             MatchScratch& scratch) const noexcept;

  // Does one of these routes ask for a path, for header fields?
  [[nodiscard]] bool asks_path(std::span<const std::uint32_t> routes) const noexcept;
  [[nodiscard]] bool asks_headers(std::span<const std::uint32_t> routes) const noexcept;

  void reserve(MatchScratch& scratch) const;

 private:
  template <typename Asks>
  [[nodiscard]] bool any_match(std::span<const std::uint32_t> routes, const Asks& asks) const noexcept;
  void compile(std::uint32_t route, const RequestRoutes* previous, config::Diagnostics& diagnostics);
  void compile_regexes(const config::HttpMatch& match, const RequestRoutes* previous, config::Diagnostics& diagnostics);
  // What is wrong with it; empty: it is one of regexes_.
  [[nodiscard]] std::string compile_regex(const std::string& regex, const RequestRoutes* previous);

  const config::PolicyModel& model_;
  std::map<std::uint32_t, std::vector<RequestMatch>> matches_;  // of the routes that have some
  std::map<std::string, RequestMatch::Regex> regexes_;
};

}  // namespace sallyport::classifier
