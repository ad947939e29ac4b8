// Large policies from the file to the compiled policy: time and memory, one process a measurement.
//
//   bench_load [WHAT] [COUNT...]     WHAT: a part of a row's name; default: all of 1000 10000 100000 1000000
//
// The lists are those of lists.h, written to files as an operator would have them: prefixes as a network_set's list
// file and as the entries of an egress network in TOML, every second one with an except; names as a domain_set's list
// file.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "classifier/policy.h"
#include "config/load.h"
#include "tests/bench/lists.h"

namespace sallyport::bench {
namespace {

constexpr int rounds = 3;  // the fastest counts

struct Times {
  double load_ms = 0;
  double compile_ms = 0;
};

// Processor time of this process, in milliseconds: other work on the machine does not count.
double now_ms() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

Times load_and_compile(const std::string& path) {
  const double start = now_ms();
  auto loaded = config::load_policy_file(path);
  const double read = now_ms();
  if (!loaded.model) std::abort();
  classifier::Identities identities;
  const auto compiled = classifier::Policy::compile(std::move(*loaded.model), identities);
  if (!compiled.policy) std::abort();
  return {read - start, now_ms() - read};
}

// In a process of its own, so that its greatest memory is that of this policy alone.
void measure(const char* what, std::size_t count, const std::string& path) {
  Times best{1e9, 1e9};
  long memory_kib = 0;
  for (int round = 0; round < rounds; ++round) {
    int ends[2];
    if (pipe(ends) != 0) std::abort();
    const pid_t child = fork();
    if (child < 0) std::abort();
    if (child == 0) {
      const Times times = load_and_compile(path);
      _exit(write(ends[1], &times, sizeof times) == sizeof times ? 0 : 1);
    }
    close(ends[1]);  // the child's alone: where it dies, reading ends
    Times times;
    int status = 0;
    rusage usage{};
    const bool told = read(ends[0], &times, sizeof times) == sizeof times;
    close(ends[0]);
    if (wait4(child, &status, 0, &usage) != child || !told || status != 0) {
      throw std::runtime_error(std::string(what) + ", " + std::to_string(count) +
                               " entries: the process that measures ended with status " + std::to_string(status));
    }
    best = {std::min(best.load_ms, times.load_ms), std::min(best.compile_ms, times.compile_ms)};
    memory_kib = usage.ru_maxrss;
  }
  std::printf("%-28s %9zu %12.1f %12.1f %12.1f\n", what, count, best.load_ms, best.compile_ms,
              static_cast<double>(memory_kib) / 1024);
  std::fflush(stdout);
}

// A prefix inside another one, two bits longer.
Prefix part_of(Prefix prefix) {
  prefix.length =
      static_cast<std::uint8_t>(std::min<unsigned>(prefix.length + 2U, address_bits(prefix.address.family)));
  return prefix;
}

class Policies {
 public:
  Policies() : folder_(std::filesystem::temp_directory_path() / ("sallyport-bench-load-" + std::to_string(getpid()))) {
    std::filesystem::create_directory(folder_);
  }
  ~Policies() { std::filesystem::remove_all(folder_); }
  Policies(const Policies&) = delete;
  Policies& operator=(const Policies&) = delete;

  [[nodiscard]] std::string network_set(const std::vector<Prefix>& prefixes) const {
    std::ofstream list(folder_ / "list.txt");
    for (const Prefix& prefix : prefixes) list << to_string(prefix) << '\n';
    return write(R"([[workload]]
namespace = "prod"
name = "web"
addresses = ["10.1.0.0/16"]
[[network_policy]]
namespace = "prod"
name = "partners"
egress = [{ to = [{ network_set = {} }] }]
[[network_set]]
name = "partners"
file = "list.txt"
)");
  }

  [[nodiscard]] std::string egress_network(const std::vector<Prefix>& prefixes) const {
    std::string text =
        "cluster.networks = []\n[[egress_network]]\nnamespace = \"linkerd-egress\"\nname = \"n\"\n"
        "traffic_policy = \"Allow\"\nnetworks = [\n";
    for (std::size_t i = 0; i < prefixes.size(); ++i) {
      text += "  { cidr = \"" + to_string(prefixes[i]) + '"';
      if (i % 2 == 0 && prefixes[i].length <= 30) text += ", except = [\"" + to_string(part_of(prefixes[i])) + "\"]";
      text += " },\n";
    }
    return write(text + "]\n");
  }

  [[nodiscard]] std::string domain_set(const std::vector<std::string>& names) const {
    std::ofstream list(folder_ / "list.txt");
    for (const std::string& name : names) list << name << '\n';
    return write(R"([[egress_network]]
namespace = "linkerd-egress"
name = "n"
traffic_policy = "Allow"
[[tls_route]]
namespace = "linkerd-egress"
name = "ads"
action = "deny"
parent_refs = [{ name = "n", port = 443 }]
hostname_sets = ["ads"]
[[domain_set]]
name = "ads"
file = "list.txt"
)");
  }

 private:
  [[nodiscard]] std::string write(const std::string& text) const {
    std::ofstream(folder_ / "policy.toml") << text;
    return (folder_ / "policy.toml").string();
  }

  std::filesystem::path folder_;
};

}  // namespace
}  // namespace sallyport::bench

int main(int argc, char** argv) try {
  using namespace sallyport;
  std::vector<std::size_t> counts;
  std::string_view wanted;
  for (int i = 1; i < argc; ++i) {
    const std::size_t count = std::strtoull(argv[i], nullptr, 10);
    if (count != 0) counts.push_back(count);
    if (count == 0) wanted = argv[i];
  }
  if (counts.empty()) counts = {1'000, 10'000, 100'000, 1'000'000};
  const bench::Policies policies;
  std::vector<Prefix> prefixes = bench::routing_table(Family::v4).prefixes;
  const std::vector<Prefix> v6 = bench::routing_table(Family::v6).prefixes;
  prefixes.insert(prefixes.end(), v6.begin(), v6.end());
  std::printf("%-28s %9s %12s %12s %12s\n", "", "entries", "load ms", "compile ms", "memory MiB");
  for (const std::size_t count : counts) {
    const std::size_t there = std::min(count, prefixes.size());
    const std::vector<Prefix> first(prefixes.end() - static_cast<std::ptrdiff_t>(there), prefixes.end());
    const auto measure = [&](std::string_view what, std::size_t entries, auto make) {
      if (what.find(wanted) != std::string_view::npos) bench::measure(what.data(), entries, make());
    };
    measure("network_set, list file", there, [&] { return policies.network_set(first); });
    measure("egress_network, TOML, excepts", there, [&] { return policies.egress_network(first); });
    measure("domain_set, list file", count, [&] { return policies.domain_set(bench::domain_names(count).names); });
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
