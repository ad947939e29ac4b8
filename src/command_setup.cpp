#include "src/command_setup.h"

#include <cstdio>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "dataplane/io/environment_error.h"
#include "src/list_text.h"
#include "src/setup/first_gateway.h"
#include "src/setup/huge_pages.h"
#include "src/setup/kernel_network.h"
#include "src/setup/listing.h"
#include "src/setup/questions.h"

namespace sallyport {
namespace {

using namespace setup;

constexpr std::uint64_t usual_huge_pages = std::uint64_t{1} << 30U;

Questions::Mode mode_of(const SetupOptions& options) {
  if (options.yes) return Questions::Mode::agree;
  return isatty(STDIN_FILENO) == 1 ? Questions::Mode::ask : Questions::Mode::nobody;
}

void print_listing(const std::vector<Port>& ports, const std::vector<HugePages>& pages, bool as_json, std::FILE* out) {
  if (as_json) {
    fmt::print(out, "{}\n", listing_json(ports, pages).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print(out, "{}", listing_text(ports, pages));
  }
}

// Where none are given, only who is asked can want them.
void reserve(const SetupOptions& options, const Sysfs& sysfs, Questions& questions, Outcome& outcome) {
  std::uint64_t bytes = options.huge_page_bytes.value_or(0);
  if (!options.huge_page_bytes && questions.mode() == Questions::Mode::ask &&
      questions.agrees("Reserve 1 GiB of huge pages for packet buffers?")) {
    bytes = usual_huge_pages;
  }
  if (bytes != 0) outcome.written.push_back(reserve_huge_pages(sysfs, options.etc, bytes));
}

void print_outcome(const Outcome& outcome, bool as_json) {
  if (as_json) {
    const nlohmann::json all = {{"written", outcome.written}, {"bound", outcome.bound}, {"next", outcome.next}};
    fmt::print("{}\n", all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  for (const std::string& device : outcome.bound) fmt::print("bound to vfio-pci: {}\n", device);
  for (const std::string& file : outcome.written) fmt::print("written: {}\n", file);
  if (!outcome.next.empty()) fmt::print("next:\n");
  for (const std::string& step : outcome.next) fmt::print("  {}\n", step);
}

// What has been done is told, whether or not there are as many huge pages as were asked for.
void finish(const SetupOptions& options, const Sysfs& sysfs, Questions& questions, Outcome& outcome) {
  try {
    reserve(options, sysfs, questions, outcome);
  } catch (const dataplane::EnvironmentError&) {
    print_outcome(outcome, options.json);
    throw;
  }
  print_outcome(outcome, options.json);
}

void set_up(const SetupOptions& options) {
  const Sysfs sysfs(options.sysfs);
  const std::vector<Port> ports = list_ports(sysfs, read_kernel_network());
  const std::vector<HugePages> pages = list_huge_pages(sysfs);
  if (options.list) return print_listing(ports, pages, options.json, stdout);

  Questions questions(mode_of(options), std::cin, stderr);
  Outcome outcome;
  FirstGateway gateway(options, sysfs, ports, questions, outcome);
  for (const std::string& device : options.bind) gateway.bind(device);
  const bool no_gateway = options.inside.empty() && options.outside.empty();
  const bool only_parts = no_gateway && (!options.bind.empty() || options.huge_page_bytes);
  if (!only_parts) {
    if (questions.mode() == Questions::Mode::ask) print_listing(ports, pages, false, stderr);
    gateway.choose_ports();
    gateway.write();
    outcome.next.push_back("sallyport check --config " + options.output);
    const bool for_the_unit = options.output == SetupOptions{}.output;
    outcome.next.push_back(for_the_unit ? "systemctl enable --now sallyport"
                                        : "sallyport run --config " + options.output);
  }
  gateway.tell_group_mates();
  finish(options, sysfs, questions, outcome);
}

ExitCode refuse(ExitCode code, const std::string& message) {
  fmt::print(stderr, "sallyport: {}\n", message);
  return code;
}

}  // namespace

ExitCode setup_command(const SetupOptions& options) {
  try {
    set_up(options);
    return ExitCode::done;
  } catch (const Refused& refused) {
    return refuse(refused.code, refused.message);
  } catch (const dataplane::EnvironmentError& error) {
    return refuse(ExitCode::environment, std::string("setup: ") + error.what());
  }
}

}  // namespace sallyport
