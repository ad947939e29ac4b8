// PrefixTrie against DPDK's rte_fib (DIR-24-8, AVX-512 where the machine has it) and rte_fib6 (trie) over the same
// prefixes and keys. Google Benchmark for each alone, then both turn about. Keys are in random order.
#include <benchmark/benchmark.h>
#include <rte_eal.h>
#include <rte_fib.h>
#include <rte_fib6.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#include "classifier/prefix_trie.h"
#include "lists.h"
#include "paired.h"

namespace sallyport::bench {
namespace {

using classifier::PrefixTrie;

constexpr std::size_t keys_count = std::size_t{1} << 20U;
constexpr std::size_t burst = 32;
constexpr std::uint64_t no_hop = (1U << 24U) - 1;

void insist(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::exit(1);
}

void start_eal() {
  std::vector<std::string> words{"bench_trie", "--no-huge",        "--no-shconf",
                                 "--no-pci",   "--no-telemetry",   "-m", "2048",
                                 "-l0",        "--log-level=error",  "--force-max-simd-bitwidth=512"};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  insist(rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) >= 0, "EAL does not start");
}

// The value of prefix i: every one its own (the worst case for memory), or one of a few, as in a policy.
enum class Values : std::uint8_t { distinct, few };
std::uint32_t value_of(std::size_t i, Values values) {
  return values == Values::distinct ? static_cast<std::uint32_t>(i) : static_cast<std::uint32_t>(i * 2654435761U >> 8U) % 61U;
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

struct FibDeleter {
  void operator()(rte_fib* fib) const { rte_fib_free(fib); }
  void operator()(rte_fib6* fib) const { rte_fib6_free(fib); }
};

std::unique_ptr<rte_fib, FibDeleter> build_fib(const std::vector<Prefix>& prefixes, Values values) {
  rte_fib_conf conf{};
  conf.type = RTE_FIB_DIR24_8;
  conf.default_nh = no_hop;
  conf.max_routes = static_cast<int>(prefixes.size() + 1);
  conf.dir24_8.nh_sz = RTE_FIB_DIR24_8_4B;
  conf.dir24_8.num_tbl8 = 1U << 18U;
  std::unique_ptr<rte_fib, FibDeleter> fib(rte_fib_create("v4", 0, &conf));
  insist(fib != nullptr, "rte_fib_create");
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    insist(rte_fib_add(fib.get(), prefixes[i].address.to_v4(), prefixes[i].length, value_of(i, values)) == 0, "rte_fib_add");
  }
  if (rte_fib_select_lookup(fib.get(), RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512) != 0) std::printf("rte_fib without AVX-512\n");
  return fib;
}

std::unique_ptr<rte_fib6, FibDeleter> build_fib6(const std::vector<Prefix>& prefixes, Values values) {
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
  if (rte_fib6_select_lookup(fib.get(), RTE_FIB6_LOOKUP_TRIE_VECTOR_AVX512) != 0) std::printf("rte_fib6 without AVX-512\n");
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

struct V4 {
  explicit V4(std::vector<Prefix> given, Values values) : prefixes(std::move(given)), trie(build(prefixes, values)), fib(build_fib(prefixes, values)) {}
  void use(Keys kind) {
    keys.clear();
    for (const IpAddress& key : make_keys(prefixes, kind)) keys.push_back(key.to_v4());
    ours();
    theirs();
    for (std::size_t i = 0; i < keys_count; ++i) {
      insist(hops[i] == (answers[i] == PrefixTrie::none ? no_hop : answers[i]), "trie and rte_fib differ");
    }
  }
  void ours() {
    for (std::size_t i = 0; i < keys_count; i += burst) {
      trie.lookup(std::span(keys).subspan(i, burst), std::span(answers).subspan(i, burst));
    }
  }
  void theirs() {
    for (std::size_t i = 0; i < keys_count; i += burst) {
      insist(rte_fib_lookup_bulk(fib.get(), keys.data() + i, hops.data() + i, burst) == 0, "rte_fib_lookup_bulk");
    }
  }

  std::vector<Prefix> prefixes;
  PrefixTrie trie;
  std::unique_ptr<rte_fib, FibDeleter> fib;
  std::vector<std::uint32_t> keys;
  std::vector<std::uint32_t> answers = std::vector<std::uint32_t>(keys_count);
  std::vector<std::uint64_t> hops = std::vector<std::uint64_t>(keys_count);
};

struct V6 {
  explicit V6(std::vector<Prefix> given, Values values) : prefixes(std::move(given)), trie(build(prefixes, values)), fib(build_fib6(prefixes, values)) {}
  void use(Keys kind) {
    keys.clear();
    for (const IpAddress& key : make_keys(prefixes, kind)) keys.push_back(key.bytes);
    ours();
    theirs();
    for (std::size_t i = 0; i < keys_count; ++i) {
      insist(hops[i] == (answers[i] == PrefixTrie::none ? no_hop : answers[i]), "trie and rte_fib6 differ");
    }
  }
  void ours() {
    for (std::size_t i = 0; i < keys_count; i += burst) {
      trie.lookup(std::span<const PrefixTrie::V6Bytes>(keys).subspan(i, burst), std::span(answers).subspan(i, burst));
    }
  }
  void theirs() {
    for (std::size_t i = 0; i < keys_count; i += burst) {
      auto* first = reinterpret_cast<std::uint8_t(*)[16]>(keys[i].data());
      insist(rte_fib6_lookup_bulk(fib.get(), first, hops.data() + i, burst) == 0, "rte_fib6_lookup_bulk");
    }
  }

  std::vector<Prefix> prefixes;
  PrefixTrie trie;
  std::unique_ptr<rte_fib6, FibDeleter> fib;
  std::vector<PrefixTrie::V6Bytes> keys;
  std::vector<std::uint32_t> answers = std::vector<std::uint32_t>(keys_count);
  std::vector<std::uint64_t> hops = std::vector<std::uint64_t>(keys_count);
};

template <typename Bench>
void compare_all(const std::string& name, Bench& bench) {
  std::printf("%s: %zu prefixes, trie %.2f MB\n", name.c_str(), bench.prefixes.size(),
              static_cast<double>(bench.trie.memory_bytes()) / 1e6);
  for (const Keys kind : {Keys::anywhere, Keys::inside}) {
    bench.use(kind);
    print(name + (kind == Keys::anywhere ? ", keys anywhere" : ", keys inside prefixes"),
          compare(keys_count, [&] { bench.ours(); }, keys_count, [&] { bench.theirs(); }));
  }
}

void bench_build(benchmark::State& state, const std::vector<Prefix>& prefixes) {
  const auto count = static_cast<std::size_t>(state.range(0));
  std::vector<PrefixTrie::Entry> entries;
  for (std::size_t i = 0; i < count; ++i) {
    const Prefix& prefix = prefixes[i * prefixes.size() / count];
    if (!entries.empty() && entries.back().prefix == prefix) continue;
    entries.push_back({prefix, value_of(i, Values::few)});
  }
  for (auto _ : state) benchmark::DoNotOptimize(PrefixTrie::from_prefixes(entries));
}

}  // namespace

int run(int count, char** arguments) {
  start_eal();
  const PrefixList v4 = routing_table(Family::v4);
  const PrefixList v6 = routing_table(Family::v6);
  std::printf("prefixes from %s; keys in random order, bursts of %zu\n", v4.origin.c_str(), burst);
  benchmark::Initialize(&count, arguments);
  benchmark::RegisterBenchmark("build", bench_build, v4.prefixes)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Arg(900'000)->Unit(benchmark::kMillisecond);
  benchmark::RunSpecifiedBenchmarks();
  for (const Values values : {Values::distinct, Values::few}) {
    const std::string suffix = values == Values::distinct ? ", distinct values" : ", 61 values";
    {
      V4 bench(v4.prefixes, values);
      compare_all("v4 routes" + suffix, bench);
    }
    {
      V4 bench(with_excepts(v4.prefixes, v4.prefixes.size()), values);
      compare_all("v4 routes and excepts" + suffix, bench);
    }
    V6 bench(v6.prefixes, values);
    compare_all("v6 routes" + suffix, bench);
  }
  return 0;
}

}  // namespace sallyport::bench

int main(int count, char** arguments) { return sallyport::bench::run(count, arguments); }
