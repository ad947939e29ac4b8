// PrefixTrie against DPDK's rte_fib (DIR-24-8, AVX-512 where the machine has it) and rte_fib6 (trie) over the same
// prefixes and keys, turn about. Keys are in random order, in bursts of 64 (as in rte_fib's own test); both must give
// the same answers before their time counts.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <utility>

#include <benchmark/benchmark.h>
#include <rte_eal.h>
#include <rte_fib.h>
#include <rte_fib6.h>

#include "classifier/prefix_trie.h"
#include "tests/bench/lists.h"
#include "tests/bench/paired.h"

namespace sallyport::bench {
namespace {

using classifier::PrefixTrie;

constexpr std::size_t keys_count = std::size_t{1} << 20U;
constexpr std::size_t burst = 64;
constexpr std::uint64_t no_hop = (1U << 24U) - 1;

void insist(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::exit(1);
}

void start_eal() {
  std::vector<std::string> words{
      "bench_trie", "--no-huge", "--no-shconf", "--no-pci",          "--no-telemetry",
      "-m",         "2048",      "-l0",         "--log-level=error", "--force-max-simd-bitwidth=512"};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  insist(rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) >= 0, "EAL does not start");
}

// The value of prefix i: every one its own (the worst case for memory), or one of a few, as in a policy.
enum class Values : std::uint8_t { distinct, few };
std::uint32_t value_of(std::size_t i, Values values) {
  return values == Values::distinct ? static_cast<std::uint32_t>(i)
                                    : static_cast<std::uint32_t>(i * 2654435761U >> 8U) % 61U;
}

PrefixTrie build(const std::vector<Prefix>& prefixes, Values values) {
  std::vector<PrefixTrie::Entry> entries;
  for (std::size_t i = 0; i < prefixes.size(); ++i) entries.push_back({prefixes[i], value_of(i, values)});
  return PrefixTrie::from_prefixes(entries);
}

// Every third prefix gets an except: a longer prefix inside with another value.
std::vector<Prefix> with_excepts(const std::vector<Prefix>& prefixes, std::size_t count) {
  std::mt19937_64 random(3);
  std::vector<Prefix> all;
  for (std::size_t i = 0; all.size() < count && i < prefixes.size(); ++i) {
    all.push_back(prefixes[i]);
    const unsigned bits = address_bits(prefixes[i].address.family);
    if (i % 3 != 0 || prefixes[i].length + 4U > bits) continue;
    Prefix inner = prefixes[i];
    inner.length = static_cast<std::uint8_t>(prefixes[i].length + 1 + random() % 4);
    for (unsigned bit = prefixes[i].length; bit < inner.length; ++bit) {
      if (random() % 2 == 0) inner.address.bytes[bit / 8] |= static_cast<std::uint8_t>(0x80U >> (bit % 8));
    }
    all.push_back(inner);
  }
  return all;
}

std::uint32_t key_of(const IpAddress& address, std::uint32_t) { return address.to_v4(); }
PrefixTrie::V6Bytes key_of(const IpAddress& address, const PrefixTrie::V6Bytes&) { return address.bytes; }

int look_up(rte_fib* fib, std::uint32_t* keys, std::uint64_t* hops) {
  return rte_fib_lookup_bulk(fib, keys, hops, burst);
}
int look_up(rte_fib6* fib, PrefixTrie::V6Bytes* keys, std::uint64_t* hops) {
  return rte_fib6_lookup_bulk(fib, reinterpret_cast<std::uint8_t(*)[16]>(keys), hops, burst);
}

struct FibDeleter {
  void operator()(rte_fib* fib) const { rte_fib_free(fib); }
  void operator()(rte_fib6* fib) const { rte_fib6_free(fib); }
};

std::unique_ptr<rte_fib, FibDeleter> make_fib(std::uint32_t, const std::vector<Prefix>& prefixes, Values values) {
  rte_fib_conf conf{};
  conf.type = RTE_FIB_DIR24_8;
  conf.default_nh = no_hop;
  conf.max_routes = static_cast<int>(prefixes.size() + 1);
  conf.dir24_8.nh_sz = RTE_FIB_DIR24_8_4B;
  conf.dir24_8.num_tbl8 = 1U << 18U;
  std::unique_ptr<rte_fib, FibDeleter> fib(rte_fib_create("v4", 0, &conf));
  insist(fib != nullptr, "rte_fib_create");
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    insist(rte_fib_add(fib.get(), prefixes[i].address.to_v4(), prefixes[i].length, value_of(i, values)) == 0,
           "rte_fib_add");
  }
  if (rte_fib_select_lookup(fib.get(), RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512) != 0)
    std::fprintf(stderr, "rte_fib without AVX-512\n");
  return fib;
}

std::unique_ptr<rte_fib6, FibDeleter> make_fib(const PrefixTrie::V6Bytes&, const std::vector<Prefix>& prefixes,
                                               Values values) {
  rte_fib6_conf conf{};
  conf.type = RTE_FIB6_TRIE;
  conf.default_nh = no_hop;
  conf.max_routes = static_cast<int>(prefixes.size() + 1);
  conf.trie.nh_sz = RTE_FIB6_TRIE_4B;
  conf.trie.num_tbl8 = 1U << 19U;
  std::unique_ptr<rte_fib6, FibDeleter> fib(rte_fib6_create("v6", 0, &conf));
  insist(fib != nullptr, "rte_fib6_create");
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    insist(rte_fib6_add(fib.get(), prefixes[i].address.bytes.data(), prefixes[i].length, value_of(i, values)) == 0,
           "rte_fib6_add");
  }
  if (rte_fib6_select_lookup(fib.get(), RTE_FIB6_LOOKUP_TRIE_VECTOR_AVX512) != 0)
    std::fprintf(stderr, "rte_fib6 without AVX-512\n");
  return fib;
}

IpAddress random_inside(const Prefix& prefix, std::mt19937_64& random) {
  IpAddress address = prefix.address;
  for (unsigned bit = prefix.length; bit < address_bits(address.family); ++bit) {
    if (random() % 2 == 0) address.bytes[bit / 8] |= static_cast<std::uint8_t>(0x80U >> (bit % 8));
  }
  return address;
}

// Keys over the whole space, or inside random prefixes of the list (so most have to go deep).
enum class Keys : std::uint8_t { anywhere, inside };
std::vector<IpAddress> make_keys(const std::vector<Prefix>& prefixes, Keys keys) {
  std::mt19937_64 random(4);
  Prefix everything{prefixes.front().address, 0};
  everything.address.bytes = {};
  std::vector<IpAddress> all;
  for (std::size_t i = 0; i < keys_count; ++i) {
    all.push_back(random_inside(keys == Keys::inside ? prefixes[random() % prefixes.size()] : everything, random));
  }
  return all;
}

// Ours and theirs over the same keys, a burst at a time into the same few lines, as a worker would ask.
template <typename Key, typename Fib>
class Contest {
 public:
  Contest(std::vector<Prefix> prefixes, Values values)
      : prefixes_(std::move(prefixes)), trie_(build(prefixes_, values)), fib_(make_fib(Key{}, prefixes_, values)) {}

  [[nodiscard]] const std::vector<Prefix>& prefixes() const { return prefixes_; }
  [[nodiscard]] const PrefixTrie& trie() const { return trie_; }

  // Both must give the same answers before their time counts.
  void take(const std::vector<IpAddress>& keys) {
    keys_.clear();
    for (const IpAddress& key : keys) keys_.push_back(key_of(key, Key{}));
    for (std::size_t i = 0; i < keys_.size(); i += burst) {
      ask_trie(i);
      ask_fib(i);
      for (std::size_t k = 0; k < burst; ++k) {
        insist(hops_[k] == (values_[k] == PrefixTrie::none ? no_hop : values_[k]), "the two give different answers");
      }
    }
  }
  void ours() {
    for (std::size_t i = 0; i < keys_.size(); i += burst) ask_trie(i);
  }
  void theirs() {
    for (std::size_t i = 0; i < keys_.size(); i += burst) ask_fib(i);
  }

 private:
  void ask_trie(std::size_t first) {
    trie_.lookup(std::span<const Key>(keys_).subspan(first, burst), values_);
    benchmark::ClobberMemory();
  }
  void ask_fib(std::size_t first) {
    insist(look_up(fib_.get(), keys_.data() + first, hops_.data()) == 0, "a bulk lookup fails");
    benchmark::ClobberMemory();
  }

  std::vector<Prefix> prefixes_;
  PrefixTrie trie_;
  std::unique_ptr<Fib, FibDeleter> fib_;
  std::vector<Key> keys_;
  alignas(64) std::array<std::uint32_t, burst> values_{};
  alignas(64) std::array<std::uint64_t, burst> hops_{};
};
using V4 = Contest<std::uint32_t, rte_fib>;
using V6 = Contest<PrefixTrie::V6Bytes, rte_fib6>;

// The routing table of a family, plain or with excepts; read once.
const PrefixList& routes(Family family, bool excepts) {
  static std::map<std::pair<Family, bool>, PrefixList> lists;
  const auto [list, absent] = lists.try_emplace({family, excepts});
  if (absent) {
    list->second = routing_table(family);
    if (excepts) list->second.prefixes = with_excepts(list->second.prefixes, list->second.prefixes.size());
  }
  return list->second;
}

struct Case {
  bool excepts = false;
  Values values = Values::few;
  Keys keys = Keys::anywhere;

  [[nodiscard]] std::string name() const {
    return std::string(excepts ? "routes_and_excepts" : "routes") +
           (values == Values::few ? "/61_values/" : "/distinct_values/") +
           (keys == Keys::anywhere ? "keys_anywhere" : "keys_inside");
  }
};

// Both tables are built once for the cases that share them, one after the other: they are large.
template <typename Bench>
Bench& bench_of(Family family, const Case& asked) {
  static std::unique_ptr<Bench> bench;
  static Case is;
  if (bench == nullptr || is.excepts != asked.excepts || is.values != asked.values) {
    bench.reset();
    bench = std::make_unique<Bench>(routes(family, asked.excepts).prefixes, asked.values);
    is = asked;
  }
  return *bench;
}

template <typename Bench>
void lookup_against_fib(benchmark::State& state, Family family, const Case& asked) {
  auto& bench = bench_of<Bench>(family, asked);
  bench.take(make_keys(bench.prefixes(), asked.keys));
  run_paired(
      state, keys_count, [&] { bench.ours(); }, keys_count, [&] { bench.theirs(); });
  state.counters["MB"] = static_cast<double>(bench.trie().memory_bytes()) / 1e6;
  state.SetLabel(routes(family, false).origin);
}

void build_trie(benchmark::State& state) {
  const auto& prefixes = routes(Family::v4, false).prefixes;
  const auto count = static_cast<std::size_t>(state.range(0));
  std::vector<PrefixTrie::Entry> entries;
  for (std::size_t i = 0; i < count; ++i) {
    entries.push_back({prefixes[i * prefixes.size() / count], value_of(i, Values::few)});
  }
  for (auto _ : state) benchmark::DoNotOptimize(PrefixTrie::from_prefixes(entries));
}
BENCHMARK(build_trie)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Arg(900'000)->Unit(benchmark::kMillisecond);

void register_contests() {
  for (const Family family : {Family::v4, Family::v6}) {
    for (const bool excepts : {false, true}) {
      for (const Values values : {Values::few, Values::distinct}) {
        for (const Keys keys : {Keys::anywhere, Keys::inside}) {
          const Case one{excepts, values, keys};
          const auto run = [family, one](benchmark::State& state) {
            if (family == Family::v4) {
              lookup_against_fib<V4>(state, family, one);
            } else {
              lookup_against_fib<V6>(state, family, one);
            }
          };
          const std::string name =
              (family == Family::v4 ? "lookup_v4_against_rte_fib/" : "lookup_v6_against_rte_fib6/") + one.name();
          benchmark::RegisterBenchmark(name.c_str(), run)->UseManualTime()->Iterations(paired_rounds());
        }
      }
    }
  }
}

}  // namespace

int run(int count, char** arguments) {
  benchmark::Initialize(&count, arguments);
  start_eal();
  register_contests();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace sallyport::bench

int main(int count, char** arguments) { return sallyport::bench::run(count, arguments); }
