// The host names of a policy's routes: for each distinct set of routes of one kind that stand together on some
// (network, port), who of them takes a flow that has shown this name, or none.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "classifier/decision.h"
#include "classifier/domain_set.h"
#include "classifier/host_matcher.h"
#include "classifier/host_patterns.h"
#include "classifier/route_order.h"
#include "config/diagnostics.h"
#include "config/policy_model.h"

namespace sallyport::classifier {

class HostRoutes {
 public:
  // Compiles the patterns of every name route of the model and the domain sets that they use; a regular expression that
  // does not compile is an error. `model` outlives this. `previous` lends its databases where the patterns are the
  // same.
  HostRoutes(const config::PolicyModel& model, const HostPatterns* previous, config::Diagnostics& diagnostics);

  // The table of these routes (places in the model, rising); the same routes have the same table. Only when there were
  // no errors.
  [[nodiscard]] std::uint32_t table_of(const std::vector<std::uint32_t>& routes);

  // Of tls_routes. `name` absent: the flow speaks TLS or QUIC but shows none.
  [[nodiscard]] RouteWinner match(std::uint32_t table, const HostName* name, MatchScratch& scratch) const noexcept;
  // Every route that takes the name, once for each of its host names that does, into a vector that has room.
  void takers(std::uint32_t table, const HostName* name, MatchScratch& scratch,
              std::vector<HostTaker>& into) const noexcept;
  [[nodiscard]] const std::vector<std::uint32_t>& routes(std::uint32_t table) const noexcept;
  // Every route that takes the name, the most specific first; for explanations.
  [[nodiscard]] std::vector<std::uint32_t> match_all(std::uint32_t table, const HostName* name,
                                                     MatchScratch& scratch) const;

  // By which of its host names or domain sets a route takes the name; neither where by none. For explanations.
  struct Match {
    const config::HostPattern* hostname = nullptr;
    const std::string* set = nullptr;
  };
  [[nodiscard]] Match best_match(std::uint32_t route, const HostName* name, MatchScratch& scratch) const;

  [[nodiscard]] const std::shared_ptr<const HostPatterns>& patterns() const noexcept { return patterns_; }
  void reserve(MatchScratch& scratch) const;

 private:
  struct Table {
    std::vector<std::uint32_t> routes;
    std::vector<std::uint32_t> unnamed;  // routes without hostnames
    RouteWinner unnamed_winner;
    HostMatcher matcher;
  };

  [[nodiscard]] std::vector<HostMatcher::Entry> entries_of(std::uint32_t route) const;

  const config::PolicyModel& model_;
  std::shared_ptr<const HostPatterns> patterns_;
  std::map<std::string, std::shared_ptr<const DomainSet>> sets_;
  std::map<std::uint32_t, std::vector<HostPatternId>> ids_;  // of a route's hostnames
  std::vector<Table> tables_;
  std::map<std::vector<std::uint32_t>, std::uint32_t> table_places_;
};

}  // namespace sallyport::classifier
