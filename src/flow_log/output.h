// One of the places that flow records go to. It is called by a thread of its own (output_queue.h), so it may take its
// time; yet it gives up on a reader that does not read, for its queue is bounded and somebody will want to stop.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "src/flow_log/record_batch.h"

namespace sallyport {

class Output {
 public:
  Output() = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  virtual ~Output() = default;

  // One word: a label of metrics.
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  // Before the first write(). Answers what went wrong, and tries again later by itself; empty: nothing did.
  [[nodiscard]] virtual std::string open() = 0;
  // How many of the batch's records are for it.
  [[nodiscard]] virtual std::size_t wants(const RecordBatch& batch) const noexcept { return batch.lines(); }
  // How many of these were taken; the others are lost.
  [[nodiscard]] virtual std::size_t write(const RecordBatch& batch) = 0;
  // Between two writes, and some times a second where nothing is to be written. Answers like open().
  [[nodiscard]] virtual std::string look_after() { return {}; }
  // Somebody has moved what it writes to. Called by any thread.
  virtual void reopen() noexcept {}
};

}  // namespace sallyport
