#include "src/replication/entry.h"

#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace sallyport {
namespace {

using dataplane::EndedFlow;
using dataplane::SavedFlow;

class Runs {
 public:
  explicit Runs(const EntryTakers& takers) : takers_(takers) {}

  void add(const SavedFlow& flow) {
    give_ended();
    open_.push_back(flow);
  }
  void add(const EndedFlow& flow) {
    give_open();
    ended_.push_back(flow);
  }
  void give_all() {
    give_open();
    give_ended();
  }

 private:
  void give_open() {
    if (!open_.empty()) takers_.open(open_);
    open_.clear();
  }
  void give_ended() {
    if (!ended_.empty()) takers_.ended(ended_);
    ended_.clear();
  }

  const EntryTakers& takers_;
  std::vector<SavedFlow> open_;
  std::vector<EndedFlow> ended_;
};

}  // namespace

std::string EntryWriter::finish(std::uint64_t now_ns) {
  std::string entry;
  encode(entry, FlowStateHead{workers_, false, now_ns});
  entry += records_;
  records_.clear();
  count_ = 0;
  return entry;
}

std::string read_entry(std::string_view entry, FlowStateHead& head, const EntryTakers& takers) {
  DecodedHead decoded = decode_head(entry);
  if (!decoded.problem.empty()) return std::move(decoded.problem);
  head = decoded.head;
  entry.remove_prefix(decoded.bytes);
  Runs runs(takers);
  std::string problem;
  while (!entry.empty() && problem.empty()) {
    const std::optional<FlowStateRecord> record = decode_record(entry);
    if (record && std::holds_alternative<SavedFlow>(*record)) {
      runs.add(std::get<SavedFlow>(*record));
    } else if (record && std::holds_alternative<EndedFlow>(*record)) {
      runs.add(std::get<EndedFlow>(*record));
    } else {
      problem = "it is cut short or damaged";
    }
  }
  runs.give_all();
  return problem;
}

}  // namespace sallyport
