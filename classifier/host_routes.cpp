#include "classifier/host_routes.h"

#include <cstddef>
#include <unordered_map>
#include <utility>
#include <variant>

namespace sallyport::classifier {

namespace {

std::string key_path_of(const config::PolicyModel& model, const config::HostPattern& pattern) {
  for (std::size_t i = 0; i < model.routes.size(); ++i)
    for (std::size_t j = 0; j < model.routes[i].hostnames.size(); ++j)
      if (model.routes[i].hostnames[j].at == pattern.at && model.routes[i].hostnames[j].text == pattern.text)
        return route_key(model, static_cast<std::uint32_t>(i)) + ".hostnames[" + std::to_string(j) + "]";
  return {};
}

}  // namespace

HostRoutes::HostRoutes(const config::PolicyModel& model, const HostPatterns* previous, config::Diagnostics& diagnostics)
    : model_(model) {
  std::unordered_map<std::string, const config::DomainSet*> written_sets;
  for (const config::DomainSet& set : model.domain_sets) written_sets.emplace(set.name, &set);

  HostPatterns::Builder builder;
  for (std::size_t i = 0; i < model.routes.size(); ++i) {
    const config::Route& route = model.routes[i];
    if (route.kind < config::RouteKind::tls) continue;
    std::vector<HostPatternId>& ids = ids_[static_cast<std::uint32_t>(i)];
    for (const config::HostPattern& pattern : route.hostnames) ids.push_back(builder.add(pattern));
    for (const std::string& name : route.hostname_sets)
      if (const auto written = written_sets.find(name); written != written_sets.end() && !sets_.contains(name))
        sets_.emplace(name, std::make_shared<const DomainSet>(written->second->match, written->second->names));
  }
  HostPatterns::Compiled compiled = HostPatterns::compile(std::move(builder), previous);
  if (auto* patterns = std::get_if<std::shared_ptr<const HostPatterns>>(&compiled)) {
    patterns_ = std::move(*patterns);
    return;
  }
  for (const HostPatternError& error : std::get<std::vector<HostPatternError>>(compiled))
    diagnostics.error(error.pattern.at, key_path_of(model, error.pattern), error.message);
}

std::vector<HostMatcher::Entry> HostRoutes::entries_of(std::uint32_t place) const {
  const config::Route& route = model_.routes[place];
  std::vector<HostMatcher::Entry> entries;
  const std::vector<HostPatternId>& ids = ids_.at(place);
  for (std::size_t i = 0; i < ids.size(); ++i)
    entries.push_back({ids[i], route.hostnames[i].kind, route.action, place, place});
  for (const std::string& name : route.hostname_sets)
    if (const auto set = sets_.find(name); set != sets_.end())
      entries.push_back({set->second, config::HostPattern::Kind::exact, route.action, place, place});
  return entries;
}

std::uint32_t HostRoutes::table_of(const std::vector<std::uint32_t>& routes) {
  const auto [known, is_new] = table_places_.emplace(routes, static_cast<std::uint32_t>(tables_.size()));
  if (!is_new) return known->second;
  std::vector<HostMatcher::Entry> entries;
  std::vector<std::uint32_t> unnamed;
  for (const std::uint32_t route : routes) {
    if (model_.routes[route].hostnames.empty() && model_.routes[route].hostname_sets.empty()) unnamed.push_back(route);
    for (HostMatcher::Entry& entry : entries_of(route)) entries.push_back(std::move(entry));
  }
  const RouteWinner unnamed_winner = pick_route(model_, unnamed);
  tables_.push_back({routes, std::move(unnamed), unnamed_winner, HostMatcher(patterns_, std::move(entries))});
  return known->second;
}

RouteWinner HostRoutes::match(std::uint32_t place, const HostName* name, MatchScratch& scratch) const noexcept {
  const Table& table = tables_[place];
  if (name == nullptr) return table.unnamed_winner;
  const HostMatcher::Result result = table.matcher.match(*name, scratch);
  const bool audited = result.audited != HostMatcher::none;
  if (result.value != HostMatcher::none) return {result.value, audited, result.audited};
  return {table.unnamed_winner.route, audited || table.unnamed_winner.audited,
          audited ? result.audited : table.unnamed_winner.audit};
}

void HostRoutes::takers(std::uint32_t place, const HostName* name, MatchScratch& scratch,
                        std::vector<HostTaker>& into) const noexcept {
  const Table& table = tables_[place];
  into.clear();
  const auto take = [](void* takers, std::uint32_t distance, std::uint32_t route) noexcept {
    static_cast<std::vector<HostTaker>*>(takers)->push_back({distance, route});
  };
  if (name != nullptr) table.matcher.for_each_taker(*name, scratch, take, &into);
  for (const std::uint32_t route : table.unnamed) into.push_back({HostMatcher::no_name_distance, route});
}

void HostRoutes::reserve(MatchScratch& scratch) const {
  patterns_->reserve(scratch);
  for (const Table& table : tables_) {
    const std::size_t most = table.unnamed.size() + table.matcher.entries();
    if (scratch.takers().capacity() < most) scratch.takers().reserve(most);
  }
}

const std::vector<std::uint32_t>& HostRoutes::routes(std::uint32_t table) const noexcept {
  return tables_[table].routes;
}

std::vector<std::uint32_t> HostRoutes::match_all(std::uint32_t place, const HostName* name,
                                                 MatchScratch& scratch) const {
  const Table& table = tables_[place];
  std::vector<std::uint32_t> matching;
  if (name != nullptr)
    for (const HostMatcher::Candidate& candidate : table.matcher.match_all(*name, scratch))
      matching.push_back(candidate.value);
  matching.insert(matching.end(), table.unnamed.begin(), table.unnamed.end());
  return matching;
}

// Asks a matcher made of this one route, whose entries count its host names and sets through.
HostRoutes::Match HostRoutes::best_match(std::uint32_t place, const HostName* name, MatchScratch& scratch) const {
  if (name == nullptr) return {};
  const config::Route& route = model_.routes[place];
  std::vector<HostMatcher::Entry> entries = entries_of(place);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i].value = entries[i].order = static_cast<std::uint32_t>(i);
    entries[i].action = config::RouteAction::allow;
  }
  const std::uint32_t best = HostMatcher(patterns_, std::move(entries)).match(*name, scratch).value;
  if (best == HostMatcher::none) return {};
  if (best < route.hostnames.size()) return {&route.hostnames[best], nullptr};
  return {nullptr, &route.hostname_sets[best - route.hostnames.size()]};
}

}  // namespace sallyport::classifier
