#include "src/monitor/monitor.h"

#include <array>
#include <chrono>
#include <utility>
#include <variant>
#include <vector>

#include "src/embedded.h"  // made from src/monitor/page
#include "src/explanation.h"
#include "src/monitor/figures.h"
#include "src/monitor/metrics.h"
#include "src/monitor/status_page.h"
#include "src/options.h"

namespace sallyport {
namespace {

constexpr std::string_view html_content_type = "text/html; charset=utf-8";
constexpr int no_file = -1;  // no colours

WebAnswer page(std::string_view content_type, std::string body) {
  return {200, std::string(content_type), std::move(body)};
}

ExplainForm form_of(std::string_view query) {
  return {form_value(query, "from"), form_value(query, "to"), form_value(query, "port"), form_value(query, "proto"),
          form_value(query, "host")};
}

// The form is a command line, so that it takes and refuses what `sallyport explain` does.
CommandLine command_line(const ExplainForm& form) {
  const std::array<std::pair<const char*, const std::string*>, 5> fields = {{{"--from", &form.from},
                                                                             {"--to", &form.to},
                                                                             {"--port", &form.port},
                                                                             {"--proto", &form.protocol},
                                                                             {"--host", &form.host}}};
  std::vector<const char*> words = {"explain", "--policy", "running"};
  for (const auto& [option, value] : fields) {
    if (!value->empty()) words.insert(words.end(), {option, value->c_str()});
  }
  return parse_command_line(words);
}

}  // namespace

Monitor::Monitor(const dataplane::Gateway& gateway, const config::ApplianceModel& appliance, ApplianceView view,
                 const Reloader& reloader, const FlowLog& flow_log, const Refusals& refusals,
                 std::function<ReplicationStatus()> replication)
    : gateway_(gateway),
      appliance_(appliance),
      view_(std::move(view)),
      reloader_(reloader),
      flow_log_(flow_log),
      refusals_(refusals),
      replication_(std::move(replication)),
      server_(
          appliance.metrics.listen,
          appliance.metrics.token_file.empty() ? "" : read_token(appliance.metrics.token_file),
          {{"/metrics",
            [this](std::string_view) {
              return page(metrics_content_type, metrics_text(figures(), SALLYPORT_VERSION));
            }},
           {"/",
            [this](std::string_view) {
              return page(html_content_type, status_page(figures(), history_.samples(), refusals_));
            }},
           {"/explain", [this](std::string_view query) { return explain(query); }},
           {"/status.css", [](std::string_view) { return page("text/css", std::string(embedded::status_css)); }},
           {"/status.js", [](std::string_view) { return page("text/javascript", std::string(embedded::status_js)); }}}),
      clock_([this] {
        const std::chrono::duration<double> now = std::chrono::steady_clock::now().time_since_epoch();
        history_.add(gateway_.counters(), now.count());
      }) {}

Figures Monitor::figures() const {
  Figures figures = figures_of(gateway_, appliance_, reloader_, flow_log_);
  figures.replication = replication_();
  return figures;
}

WebAnswer Monitor::explain(std::string_view query) const {
  const ExplainForm form = form_of(query);
  const CommandLine parsed = command_line(form);
  std::string answer;
  if (const auto* flow = std::get_if<ExplainOptions>(&parsed)) {
    const std::shared_ptr<const LivePolicy> live = reloader_.live();
    if (!live->policy) return page(html_content_type, explain_page(form, "There is no policy yet."));
    const FlowAnswer found = explain_flow(*live->policy, *live->identities, view_, *flow);
    answer = to_text(found, *flow, Style(no_file));
    if (found.exit_code() == ExitCode::no) answer += "\n" + advice(found, *flow);
  } else if (const auto* wrong = std::get_if<UsageError>(&parsed)) {
    answer = wrong->message;
  }
  return page(html_content_type, explain_page(form, answer));
}

}  // namespace sallyport
