#include "src/flow_log/file_output.h"

namespace sallyport {

std::size_t FileOutput::write(const RecordBatch& batch) { return file_.write(batch.text()) ? batch.lines() : 0; }

std::string FileOutput::look_after() {
  constexpr auto look_every = std::chrono::seconds(1);
  const auto now = std::chrono::steady_clock::now();
  const bool look = now - looked_ >= look_every;
  if (look) looked_ = now;
  if (!reopen_.exchange(false) && !(look && file_.moved_away())) return {};
  return file_.open();
}

}  // namespace sallyport
