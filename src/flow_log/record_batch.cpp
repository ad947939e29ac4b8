#include "src/flow_log/record_batch.h"

#include <utility>

#include "src/flow_record_json.h"

namespace sallyport {
namespace {

// The log has it in the record of the flow, when that ends or is denied.
bool is_for_collectors(const dataplane::FlowRecord& record) {
  return record.kind == dataplane::RecordKind::translation_begun ||
         record.kind == dataplane::RecordKind::ports_exhausted;
}

}  // namespace

RecordBatch::RecordBatch(std::span<const dataplane::FlowRecord> records,
                         std::shared_ptr<const classifier::Identities> identities)
    : records_(records.begin(), records.end()), identities_(std::move(identities)) {
  JsonBuffer lines;
  ends_.reserve(records_.size());
  for (const dataplane::FlowRecord& record : records_) {
    if (!is_for_collectors(record)) {
      append_json(lines, record, *identities_);
      lines.push_back('\n');
      ++lines_;
    }
    ends_.push_back(lines.size());
  }
  text_.assign(lines.data(), lines.size());
}

std::string_view RecordBatch::line(std::size_t record) const noexcept {
  const std::size_t begin = record == 0 ? 0 : ends_[record - 1];
  return begin == ends_[record] ? std::string_view() : text().substr(begin, ends_[record] - begin - 1);
}

}  // namespace sallyport
