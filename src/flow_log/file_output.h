// Flow records as lines of a file, which is opened anew when it was moved away (looked at once a second) and when
// asked (SIGUSR1): for logrotate.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "src/flow_log/output.h"
#include "src/line_file.h"

namespace sallyport {

class FileOutput final : public Output {
 public:
  explicit FileOutput(std::string path) : file_(std::move(path)) {}

  [[nodiscard]] std::string_view name() const noexcept override { return "file"; }
  [[nodiscard]] std::string open() override { return file_.open(); }
  [[nodiscard]] std::size_t write(const RecordBatch& batch) override;
  [[nodiscard]] std::string look_after() override;
  void reopen() noexcept override { reopen_ = true; }

 private:
  LineFile file_;
  std::chrono::steady_clock::time_point looked_;
  std::atomic<bool> reopen_ = false;
};

}  // namespace sallyport
