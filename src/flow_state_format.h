// How flows are written down for another process: bytes of FOLDER/flows, and of what is told to another gateway
// (replication/entry.h).
//
//   "SALLYFLW"  version  workers  recorded  saved_ns        the head
//   1 flow | 2 resting port | 3 flow that ended ..          any number of records
//   0  count of records  SHA-256 of all bytes before it     the end, and nothing behind it
//
// Numbers in the byte order of x86-64. A record has the fields of SavedFlow, SavedRest or EndedFlow one after the
// other, those of a tunnel only where there is one, and, of a flow, its name. Another version, a byte too few, too many
// or changed: the whole file counts as none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "dataplane/flow/saved_flow.h"

namespace sallyport {

inline constexpr std::uint32_t flow_state_version = 3;
inline constexpr std::size_t flow_state_record_bytes_max = 1024;

struct FlowStateHead {
  std::uint32_t workers = 0;
  bool recorded = false;  // the flow log has a record of each flow: its counts begin anew
  std::uint64_t saved_ns = 0;
};
struct FlowStateEnd {
  std::uint64_t count = 0;
};
using FlowStateRecord = std::variant<dataplane::SavedFlow, dataplane::SavedRest, dataplane::EndedFlow, FlowStateEnd>;

void encode(std::string& out, const FlowStateHead& head);
void encode(std::string& out, const dataplane::SavedFlow& flow);
void encode(std::string& out, const dataplane::SavedRest& rest);
void encode(std::string& out, const dataplane::EndedFlow& flow);
void encode(std::string& out, const FlowStateEnd& end);

struct DecodedHead {
  FlowStateHead head;
  std::size_t bytes = 0;
  std::string problem;  // empty: it is one
};
[[nodiscard]] DecodedHead decode_head(std::string_view bytes);
// Moves `bytes` behind the record; none: it is cut short, or no value of this process.
[[nodiscard]] std::optional<FlowStateRecord> decode_record(std::string_view& bytes);

}  // namespace sallyport
