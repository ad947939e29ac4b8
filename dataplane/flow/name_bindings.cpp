#include "dataplane/flow/name_bindings.h"

#include "dataplane/snapshot.h"

namespace sallyport::dataplane {
namespace {

using classifier::Domain;

// A binding is one fact of its name, one of its address, and one for each name above: some five, in a table that is to
// be no fuller than two thirds.
constexpr std::size_t facts_a_name = 8;
constexpr std::uint64_t least_share = 64;

[[nodiscard]] KeyHash hash_of(std::uint64_t seed) noexcept {
  Random random(seed);
  return KeyHash(random);
}

// The names above: "www.example.com" gives "example.com", then "com".
template <typename Visit>
void for_each_above(std::string_view name, const Visit& visit) noexcept {
  for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    name.remove_prefix(dot + 1);
    visit(name);
  }
}

}  // namespace

NameBindings::NameBindings(std::uint32_t workers, std::uint32_t names_max, std::uint64_t seed)
    : hash_(hash_of(seed)), names_max_(names_max) {
  for (std::uint32_t worker = 0; worker < workers; ++worker) {
    shards_.push_back(std::make_unique<BindingShard>(std::size_t{names_max} * facts_a_name));
  }
  shards_.push_back(std::make_unique<BindingShard>(0));
}

NameBindings::NameBindings(const NameBindings& before, std::uint32_t names_max)
    : hash_(before.hash_), names_max_(names_max) {
  std::size_t facts = 0;
  for (const auto& shard : before.shards_) facts = std::max(facts, shard->slots());
  for (std::size_t i = 0; i + 1 < before.shards_.size(); ++i) {
    shards_.push_back(std::make_unique<BindingShard>(std::size_t{names_max} * facts_a_name));
  }
  shards_.push_back(std::make_unique<BindingShard>(facts));
}

std::uint64_t NameBindings::key(Fact fact, std::string_view text, const IpAddress& address) const noexcept {
  const std::uint64_t of_text = hash_(text.data(), text.size());
  const std::uint64_t whole = hash_(address, of_text ^ static_cast<std::uint64_t>(fact) << 61U);
  const std::uint64_t low = fact == Fact::name ? 1 : 0;
  return (whole & ~std::uint64_t{1}) | low | 2U;  // never 0
}

bool NameBindings::has_room(const Learner& learner, Instant now, std::uint32_t names_max) const noexcept {
  // Nobody sweeps what was taken over; it counts until the last of it is over.
  const std::uint64_t all = names() - (shards_.back()->holds_any(now) ? 0 : shards_.back()->names());
  if (all >= names_max) return false;
  return shards_[learner.worker]->names_of(learner.asker) < std::max(names_max - all, least_share);
}

bool NameBindings::learn(const Learner& learner, std::string_view name, const IpAddress& address, Instant until,
                         Instant now, std::uint32_t names_max) noexcept {
  const std::uint64_t whole = key(Fact::name, name, address);
  if (!holds(whole, now) && !has_room(learner, now, std::min(names_max, names_max_))) return false;
  BindingShard& shard = *shards_[learner.worker];
  const auto put = [&](std::uint64_t fact) noexcept { return shard.put(fact, until, learner.asker, now); };
  bool all = put(whole) && put(key(Fact::some, {}, address));
  for_each_above(name, [&](std::string_view above) noexcept { all = put(key(Fact::below, above, address)) && all; });
  return all;
}

void NameBindings::take_over(const NameBindings& before) noexcept {
  for (const auto& shard : before.shards_) shards_.back()->take_over(*shard);
}

bool NameBindings::knows(const IpAddress& address, Instant now) const noexcept {
  return holds(key(Fact::some, {}, address), now);
}

bool NameBindings::binds(const Domain& domain, const IpAddress& address, Instant now) const noexcept {
  if (domain.kind != Domain::Kind::below && holds(key(Fact::name, domain.text, address), now)) return true;
  return domain.kind != Domain::Kind::exact && holds(key(Fact::below, domain.text, address), now);
}

bool NameBindings::holds(std::uint64_t key, Instant now) const noexcept {
  return std::any_of(shards_.begin(), shards_.end(), [&](const auto& shard) { return shard->holds(key, now); });
}

std::uint64_t NameBindings::names() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& shard : shards_) sum += shard->names();
  return sum;
}

std::size_t NameBindings::memory_bytes() const noexcept {
  std::size_t sum = 0;
  for (const auto& shard : shards_) sum += shard->bytes();
  return sum;
}

std::uint32_t NameBindings::mark(const Domain& domain) const noexcept {
  const std::uint64_t of_text = hash_(domain.text.data(), domain.text.size());
  const auto half = static_cast<std::uint32_t>((of_text >> 32U) + static_cast<std::uint64_t>(domain.kind));
  return half == 0 ? 1 : half;
}

std::shared_ptr<NameBindings> fitting_names(const classifier::Policy* policy,
                                            const std::shared_ptr<NameBindings>& present, std::uint32_t workers,
                                            std::uint64_t seed) {
  if (policy == nullptr || policy->model().dns.trusted_servers.empty()) return present;
  const std::uint32_t names_max = policy->model().dns.names_max;
  if (present == nullptr) return std::make_shared<NameBindings>(workers, names_max, seed);
  return names_max <= present->capacity() ? present : std::make_shared<NameBindings>(*present, names_max);
}

}  // namespace sallyport::dataplane
