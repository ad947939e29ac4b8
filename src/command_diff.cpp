#include "src/command_diff.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "config/load.h"
#include "src/flow_comparison.h"
#include "src/line_reader.h"
#include "src/policy_source.h"
#include "src/recorded_flow.h"
#include "src/state_folder.h"
#include "src/terminal.h"

namespace sallyport {
namespace {

constexpr std::uint64_t complaints_max = 20;

CompiledPolicy compile(const std::string& path, classifier::Identities& identities,
                       const classifier::Policy* previous) {
  const Progress progress(fmt::format("compiling {}", path));
  return compile_policy_file(path, identities, previous);
}

// Of two policies: what keeps them from being compared.
std::optional<ExitCode> problem(const CompiledPolicy& before, const CompiledPolicy& after, const DiffOptions& options) {
  std::optional<ExitCode> worst;
  for (const auto& [compiled, path] : {std::pair{&before, &options.before}, {&after, &options.after}}) {
    if (!compiled->policy) worst = std::max(worst, {refuse_document(compiled->diagnostics, compiled->files, *path)});
  }
  return worst;
}

// Differences as they are found: a list as text, or the members of one JSON array.
class Teller {
 public:
  Teller(const FlowComparison& comparison, bool json) : comparison_(comparison), json_(json), style_(STDOUT_FILENO) {
    if (json_) fmt::print("{{\"differences\":[");
  }
  void tell(std::uint64_t line, const RecordedFlow& flow, const FlowComparison::Difference& difference) {
    if (!json_) {
      fmt::print("{}", comparison_.text(line, flow, difference, style_));
      return;
    }
    fmt::print("{}\n{}", std::exchange(separator_, ","), comparison_.json(line, flow, difference));
  }
  void end() {
    if (json_) {
      fmt::print("\n],\n\"summary\":{}}}\n", comparison_.summary_json());
    } else {
      fmt::print("{}", comparison_.summary_text(style_));
    }
  }

 private:
  const FlowComparison& comparison_;
  bool json_;
  Style style_;
  std::string_view separator_;
};

void complain(const FlowComparison& comparison, const std::string& file, std::uint64_t line, std::string_view problem) {
  if (comparison.sums().unreadable_lines <= complaints_max) fmt::print(stderr, "{}:{}: {}\n", file, line, problem);
}

void compare_all(LineReader& reader, FlowComparison& comparison, Teller& teller,
                 std::atomic<std::uint64_t>& lines_done) {
  while (const std::optional<LineReader::Line> line = reader.next()) {
    lines_done.store(line->number, std::memory_order_relaxed);
    if (line->text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    RecordedLine record = line->too_long ? RecordedLine{std::nullopt, "longer than 64 KiB: no flow record"}
                                         : parse_recorded_flow(line->text);
    if (!record.problem.empty()) {
      comparison.count_unreadable_line();
      complain(comparison, reader.name(), line->number, record.problem);
    } else if (!record.flow) {
      comparison.count_other_record();
    } else if (const auto difference = comparison.compare(*record.flow); difference.change != Change::none) {
      teller.tell(line->number, *record.flow, difference);
    }
  }
}

ExitCode answer(const FlowComparison& comparison, const LineReader& reader, const DiffOptions& options) {
  const ComparisonSums& sums = comparison.sums();
  if (!reader.problem().empty()) {
    fmt::print(stderr, "sallyport: {}: the flows up to there were compared\n", reader.problem());
    return ExitCode::environment;
  }
  if (sums.unreadable_lines != 0) {
    fmt::print(stderr, "sallyport: {} of the lines of {} could not be read: mend or remove them and ask again\n",
               sums.unreadable_lines, reader.name());
    return ExitCode::no;
  }
  if (sums.verdict + sums.address == 0) return ExitCode::done;
  fmt::print(stderr, "sallyport: {} flows would end otherwise by {}: see above whether that is meant\n",
             sums.verdict + sums.address, options.after);
  return ExitCode::no;
}

}  // namespace

ExitCode diff_command(const DiffOptions& options) {
  ApplianceView appliance;
  if (!options.config.empty()) {
    const auto loaded = config::load_appliance_file(options.config);
    if (!loaded.model) return refuse_document(loaded.diagnostics, loaded.files, options.config);
    appliance = view_of(*loaded.model);
  }
  const std::string unless_named = options.config.empty() ? "" : default_state_folder;
  if (const std::string problem = find_pool_key(appliance.pool_key, options.state_folder, unless_named);
      !problem.empty()) {
    fmt::print(stderr, "sallyport: {}\n", problem);
    return ExitCode::environment;
  }
  classifier::Identities identities;
  const CompiledPolicy before = compile(options.before, identities, nullptr);
  const CompiledPolicy after = compile(options.after, identities, before.policy.get());
  if (const auto code = problem(before, after, options)) return *code;

  LineReader reader(options.flows);
  if (const std::string problem = reader.open(); !problem.empty()) {
    fmt::print(stderr, "sallyport: {}: name a flow log by --flows\n", problem);
    return ExitCode::environment;
  }
  FlowComparison comparison(*before.policy, *after.policy, identities, appliance);
  Teller teller(comparison, options.json);
  {
    std::atomic<std::uint64_t> lines_done = 0;
    const Progress progress(fmt::format("deciding the flows of {}", reader.name()), &lines_done);
    compare_all(reader, comparison, teller, lines_done);
  }
  teller.end();
  return answer(comparison, reader, options);
}

}  // namespace sallyport
