// Answers of the gateway as tables for people.
#pragma once

#include <string>
#include <string_view>

#include "src/options.h"
#include "src/terminal.h"

namespace sallyport {

// The whole text of a topic other than flows. A JSON value that is not as expected is left out.
[[nodiscard]] std::string show_text(ShowTopic topic, std::string_view answer_line, const Style& style);

// Flows come one by one, maybe a million of them: columns of fixed width, one line a record, with line end.
[[nodiscard]] std::string flow_headings(const Style& style);
[[nodiscard]] std::string flow_text(std::string_view record_line);

}  // namespace sallyport
