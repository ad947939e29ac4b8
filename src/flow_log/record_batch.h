// Flow records on their way from the workers' rings to the outputs, which share them; each with its line of JSON.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "classifier/identities.h"
#include "dataplane/flow_record.h"

namespace sallyport {

class RecordBatch {
 public:
  // `identities` know every record.
  RecordBatch(std::span<const dataplane::FlowRecord> records, std::shared_ptr<const classifier::Identities> identities);

  [[nodiscard]] std::span<const dataplane::FlowRecord> records() const noexcept { return records_; }
  [[nodiscard]] const classifier::Identities& identities() const noexcept { return *identities_; }
  // All lines, each with its end.
  [[nodiscard]] std::string_view text() const noexcept { return text_; }
  [[nodiscard]] std::size_t lines() const noexcept { return lines_; }
  // Of one record, without its end; empty: a log says nothing of it.
  [[nodiscard]] std::string_view line(std::size_t record) const noexcept;
  // What it takes in a queue.
  [[nodiscard]] std::size_t bytes() const noexcept {
    return records_.size() * sizeof(dataplane::FlowRecord) + text_.size();
  }

 private:
  std::vector<dataplane::FlowRecord> records_;
  std::shared_ptr<const classifier::Identities> identities_;
  std::string text_;
  std::vector<std::size_t> ends_;  // of each record's line in the text
  std::size_t lines_ = 0;
};

}  // namespace sallyport
