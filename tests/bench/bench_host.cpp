// Host names: a domain set, asked in batches, against Hyperscan literals over the same names, each behind a HostMatcher
// and turn about; and what building either takes. Names asked are in random order: a third of the list, a third below
// one of the list, a third of neither. The contest over a million names compiles them for a minute and takes 2 GB, so
// it waits for SALLYPORT_BENCH_LONG in the environment.
#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <benchmark/benchmark.h>

#include "classifier/domain_set.h"
#include "classifier/host_matcher.h"
#include "classifier/host_name.h"
#include "classifier/host_patterns.h"
#include "tests/bench/lists.h"
#include "tests/bench/paired.h"

namespace sallyport::bench {
namespace {

using namespace classifier;
using config::HostPattern;

constexpr std::size_t asked_count = 1U << 16U;

const std::vector<std::string>& names_of(std::size_t count) {
  static std::map<std::size_t, std::vector<std::string>> lists;
  auto& list = lists[count];
  if (list.empty()) list = domain_names(count).names;
  return list;
}

std::vector<std::string> asked_of(const std::vector<std::string>& names) {
  std::mt19937_64 random(7);
  std::vector<std::string> asked;
  while (asked.size() < asked_count) {
    std::string name = names[random() % names.size()];
    if (asked.size() % 3 == 1) name = "www." + name;
    if (asked.size() % 3 == 2) name.insert(name.begin(), 'q');
    if (name.size() <= HostName::bytes_max) asked.push_back(name);
  }
  return asked;
}

std::shared_ptr<const HostPatterns> compiled(HostPatterns::Builder builder) {
  return std::get<std::shared_ptr<const HostPatterns>>(HostPatterns::compile(std::move(builder)));
}

// One route with the names as a set, and one route that lists them as ".name".
class Contest {
 public:
  explicit Contest(std::size_t count) {
    const auto& names = names_of(count);
    set_ = std::make_shared<const DomainSet>(DomainSet::Match::subdomains, names);
    const auto no_patterns = compiled({});
    HostMatcher::Entry entry;
    entry.names = set_;
    by_set_ = std::make_unique<HostMatcher>(no_patterns, std::vector{entry});
    set_scratch_ = no_patterns->make_scratch();

    HostPatterns::Builder builder;
    std::vector<HostMatcher::Entry> entries;
    for (const std::string& name : names) {
      entry.kind = HostPattern::Kind::apex;
      entry.names = builder.add({entry.kind, name, {}});
      entries.push_back(entry);
    }
    patterns_ = compiled(std::move(builder));
    by_patterns_ = std::make_unique<HostMatcher>(patterns_, std::move(entries));
    pattern_scratch_ = patterns_->make_scratch();
    for (const std::string& name : asked_of(names)) asked_.push_back(*normalise(name));
  }

  // As a batch, whatever its size.
  [[nodiscard]] std::size_t ask_set() const {
    std::array<HostMatcher::Result, HostMatcher::batch_max> results;
    static_assert(asked_count % HostMatcher::batch_max == 0);
    std::size_t matched = 0;
    for (std::size_t i = 0; i < asked_.size(); i += results.size()) {
      by_set_->match(std::span(asked_).subspan(i, results.size()), *set_scratch_, results);
      for (const HostMatcher::Result& result : results) matched += std::size_t{result.value != HostMatcher::none};
    }
    return matched;
  }
  [[nodiscard]] std::size_t ask_set_one_by_one() const { return ask(*by_set_, *set_scratch_); }
  [[nodiscard]] std::size_t ask_patterns() const { return ask(*by_patterns_, *pattern_scratch_); }
  [[nodiscard]] const DomainSet& set() const { return *set_; }
  [[nodiscard]] const HostPatterns& patterns() const { return *patterns_; }

 private:
  [[nodiscard]] std::size_t ask(const HostMatcher& matcher, MatchScratch& scratch) const {
    std::size_t matched = 0;
    for (const HostName& name : asked_)
      matched += static_cast<std::size_t>(matcher.match(name, scratch).value != HostMatcher::none);
    return matched;
  }

  std::shared_ptr<const DomainSet> set_;
  std::shared_ptr<const HostPatterns> patterns_;
  std::unique_ptr<HostMatcher> by_set_;
  std::unique_ptr<HostMatcher> by_patterns_;
  HostPatterns::Scratch set_scratch_;
  HostPatterns::Scratch pattern_scratch_;
  std::vector<HostName> asked_;
};

void domain_set_against_hyperscan(benchmark::State& state) {
  const Contest contest(static_cast<std::size_t>(state.range(0)));
  if (contest.ask_set() != contest.ask_patterns()) {
    state.SkipWithError("the two give different answers");
    return;
  }
  run_paired(
      state, asked_count, [&] { benchmark::DoNotOptimize(contest.ask_set()); }, asked_count,
      [&] { benchmark::DoNotOptimize(contest.ask_patterns()); });
  const double alone = nanoseconds([&] { benchmark::DoNotOptimize(contest.ask_set_one_by_one()); });
  state.counters["one_by_one_ns"] = alone / static_cast<double>(asked_count);
  state.counters["MB"] = static_cast<double>(contest.set().memory_bytes()) / 1e6;
  state.counters["theirs_MB"] = static_cast<double>(contest.patterns().memory_bytes()) / 1e6;
}

void build_domain_set(benchmark::State& state) {
  const auto& names = names_of(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(DomainSet(DomainSet::Match::subdomains, names));
}
BENCHMARK(build_domain_set)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

void compile_patterns(benchmark::State& state) {
  const auto& names = names_of(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    HostPatterns::Builder builder;
    for (const std::string& name : names)
      benchmark::DoNotOptimize(builder.add({HostPattern::Kind::wildcard, name, {}}));
    benchmark::DoNotOptimize(compiled(std::move(builder)));
  }
}
BENCHMARK(compile_patterns)->Arg(10)->Arg(100)->Arg(1'000)->Arg(10'000)->Unit(benchmark::kMillisecond);

void normalise_name(benchmark::State& state) {
  const auto asked = asked_of(names_of(10'000));
  std::size_t next = 0;
  for (auto _ : state) benchmark::DoNotOptimize(normalise(asked[next++ % asked_count]));
}
BENCHMARK(normalise_name);

// A route table as operators write them: some ten patterns and expressions.
void match_small_table(benchmark::State& state) {
  HostPatterns::Builder builder;
  std::vector<HostMatcher::Entry> entries;
  const auto add = [&](HostPattern::Kind kind, const char* text) {
    HostMatcher::Entry entry;
    entry.kind = kind;
    entry.names = builder.add({kind, text, {}});
    entry.value = entry.order = static_cast<std::uint32_t>(entries.size());
    entries.push_back(entry);
  };
  for (const char* text : {"httpbin.org", "github.com", "pypi.org", "files.pythonhosted.org"})
    add(HostPattern::Kind::exact, text);
  for (const char* text : {"example.com", "amazonaws.com", "githubusercontent.com"})
    add(HostPattern::Kind::wildcard, text);
  if (state.range(0) != 0) add(HostPattern::Kind::regex, R"(api-[0-9]+\.example\.net)");
  const auto patterns = compiled(std::move(builder));
  const HostMatcher matcher(patterns, std::move(entries));
  const auto scratch = patterns->make_scratch();
  std::vector<HostName> asked;
  for (const char* name : {"httpbin.org", "www.example.com", "api-17.example.net", "cdn.unknown.example.org"})
    asked.push_back(*normalise(name));
  std::size_t next = 0;
  for (auto _ : state) benchmark::DoNotOptimize(matcher.match(asked[next++ % asked.size()], *scratch));
}
BENCHMARK(match_small_table)->ArgName("regexes")->Arg(0)->Arg(1);

void register_contests() {
  const auto add = [](std::size_t count) {
    benchmark::RegisterBenchmark("domain_set_against_hyperscan", domain_set_against_hyperscan)
        ->Arg(static_cast<std::int64_t>(count))
        ->UseManualTime()
        ->Iterations(paired_rounds());
  };
  add(10'000);
  add(100'000);
  if (std::getenv("SALLYPORT_BENCH_LONG") != nullptr) add(1'000'000);
}

}  // namespace
}  // namespace sallyport::bench

int main(int count, char** arguments) {
  benchmark::Initialize(&count, arguments);
  sallyport::bench::register_contests();
  benchmark::RunSpecifiedBenchmarks();
}
