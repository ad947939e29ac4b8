// A line of a flow log, read back: the question that the flow was to the policy, and what it showed of itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "classifier/decision.h"

namespace sallyport {

struct RecordedFlow {
  std::uint64_t id = 0;
  classifier::FlowQuery query;
  std::uint16_t source_port = 0;
  std::string name;    // as sent; empty: none
  bool asked = false;  // it came so far as to show a name, or none; else nobody knows what it would have shown
  classifier::Shown::Protocol speaks = classifier::Shown::Protocol::none;
  bool ech = false;
  std::string method;  // of HTTP; the headers of a request are not recorded
  std::string target;

  // Views `name`.
  [[nodiscard]] std::optional<classifier::Shown> shown() const;
};

struct RecordedLine {
  std::optional<RecordedFlow> flow;  // none and no problem: a record of another kind
  std::string problem;
};
// One JSON object as Sallyport's flow log, or Suricata's eve.json, has them.
[[nodiscard]] RecordedLine parse_recorded_flow(std::string_view line);

}  // namespace sallyport
