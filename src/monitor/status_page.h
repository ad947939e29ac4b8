// The status page: one page, made whole by the gateway, so that it shows its figures without JavaScript; with it they
// are taken anew. Nothing on it comes from elsewhere, and everything that was seen on the wire is escaped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/monitor/figures.h"
#include "src/monitor/history.h"
#include "src/monitor/refusals.h"

namespace sallyport {

// Text as HTML; bytes that are no UTF-8 and control characters become "?".
[[nodiscard]] std::string html(std::string_view text);

[[nodiscard]] std::string status_page(const Figures& figures, const std::vector<History::Sample>& history,
                                      const Refusals& refusals);

// The answer to the page's explain form.
struct ExplainForm {
  std::string from, to, port, protocol, host;
};
[[nodiscard]] std::string explain_page(const ExplainForm& form, std::string_view answer);

}  // namespace sallyport
