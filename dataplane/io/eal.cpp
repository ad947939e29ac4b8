#include "dataplane/io/eal.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string_view>
#include <system_error>
#include <utility>

#include "dataplane/io/dpdk.h"
#include "dataplane/io/environment_error.h"
#include "dataplane/io/processors.h"

namespace sallyport::dataplane {
namespace {

// DPDK writes its log to a stdio stream of the whole process; this is the other end of it.
struct LogStream {
  std::mutex mutex;
  Log log;
  std::string complaint;   // the last line at level error
  std::string unfinished;  // of a line
};
LogStream& log_stream() {
  static LogStream stream;
  return stream;
}

bool on_worker() {
  const unsigned lcore = rte_lcore_id();
  return lcore != LCORE_ID_ANY && lcore != rte_get_main_lcore();
}

void take_line(LogStream& stream, const std::string& line) {
  const int level = rte_log_cur_msg_loglevel();
  const bool is_error = level <= static_cast<int>(RTE_LOG_ERR);
  if (is_error) stream.complaint = line;
  if (stream.log) stream.log(Severity::warning, "DPDK: " + line);
}

// fopencookie(3). A driver that complains on a worker is not listened to: it would wait for whoever reads the log.
ssize_t write_log(void*, const char* bytes, std::size_t count) {
  if (on_worker()) return static_cast<ssize_t>(count);
  LogStream& stream = log_stream();
  const std::lock_guard lock(stream.mutex);
  stream.unfinished.append(bytes, count);
  for (std::size_t end; (end = stream.unfinished.find('\n')) != std::string::npos;) {
    take_line(stream, stream.unfinished.substr(0, end));
    stream.unfinished.erase(0, end + 1);
  }
  return static_cast<ssize_t>(count);
}

void listen(Log log) {
  {
    const std::lock_guard lock(log_stream().mutex);
    log_stream().log = std::move(log);
  }
  static std::FILE* const file = ::fopencookie(nullptr, "w", {nullptr, write_log, nullptr, nullptr});
  if (file != nullptr) rte_openlog_stream(file);
}

std::string lcores_text(const EalPlan& plan) {
  std::string text = "0@(" + processors_text(plan.allowed) + ")";
  for (std::size_t worker = 0; worker < plan.workers.size(); ++worker) {
    text += ',' + std::to_string(worker + 1) + '@' + std::to_string(plan.workers[worker]);
  }
  return text;
}

}  // namespace

std::vector<std::string> eal_arguments(const EalPlan& plan) {
  std::vector<std::string> arguments = {
      "sallyport",
      "--iova-mode=va",
      "--log-level=lib.telemetry:error",  // of what is registered late, the first counts
      "--log-level=*:warning",
      "--lcores=" + lcores_text(plan),
      "--main-lcore=0"};
  if (plan.huge_pages) {
    arguments.emplace_back("--in-memory");
  } else {
    // Refused together with --in-memory (up to 24.11); without huge pages nothing is left in files but the
    // configuration.
    const std::size_t mebibytes = (plan.memory_bytes >> 20U) + 1;
    arguments.insert(arguments.end(), {"--no-huge", "--no-shconf", "-m", std::to_string(mebibytes)});
  }
  if (__builtin_cpu_supports("avx512f")) arguments.emplace_back("--force-max-simd-bitwidth=512");
  if (plan.pci_devices.empty()) arguments.emplace_back("--no-pci");
  for (const std::string& device : plan.pci_devices) arguments.insert(arguments.end(), {"-a", device});
  arguments.insert(arguments.end(), plan.extra_arguments.begin(), plan.extra_arguments.end());
  return arguments;
}

std::size_t free_huge_page_bytes() {
  std::size_t bytes = 0;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/kernel/mm/hugepages", none)) {
    // "hugepages-2048kB"
    const std::string name = entry.path().filename();
    const std::size_t digits = name.find_first_of("0123456789");
    if (digits == std::string::npos) continue;
    std::size_t free = 0;
    std::ifstream(entry.path() / "free_hugepages") >> free;
    bytes += free * (std::stoul(name.substr(digits)) << 10U);
  }
  return bytes;
}

Eal::Eal(const EalPlan& plan, Log log) {
  if (plan.workers.size() >= RTE_MAX_LCORE) {
    throw EnvironmentError("workers.cores: " + std::to_string(plan.workers.size()) + " workers, DPDK has room for " +
                           std::to_string(RTE_MAX_LCORE - 1));
  }
  listen(std::move(log));
  std::vector<std::string> arguments = eal_arguments(plan);
  std::vector<char*> pointers;
  pointers.reserve(arguments.size());
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  if (rte_eal_init(static_cast<int>(pointers.size()), pointers.data()) >= 0) return;

  std::string command_line;
  for (const std::string& argument : arguments) command_line += (command_line.empty() ? "" : " ") + argument;
  const std::string complaint = take_complaint();
  throw EnvironmentError("DPDK does not start: " + (complaint.empty() ? dpdk_error(-1) : complaint) + " (arguments: " +
                         command_line + ")" + (plan.extra_arguments.empty() ? "" : "; mend [dpdk] eal_args"));
}

Eal::~Eal() {
  rte_eal_cleanup();
  rte_openlog_stream(nullptr);
  const std::lock_guard lock(log_stream().mutex);
  log_stream().log = nullptr;
}

std::string Eal::take_complaint() {
  const std::lock_guard lock(log_stream().mutex);
  return std::exchange(log_stream().complaint, {});
}

std::string Eal::version() {
  // "DPDK 22.11.11"
  const std::string_view text = rte_version();
  return std::string(text.substr(text.find(' ') + 1));
}

}  // namespace sallyport::dataplane
