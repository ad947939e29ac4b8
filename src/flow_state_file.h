// FOLDER/flows on the disk: written whole under another name and renamed, read whole and checked before anything of it
// counts. The format is flow_state_format.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "classifier/sha256.h"
#include "src/flow_state_format.h"

namespace sallyport {

[[nodiscard]] std::string flow_state_path(const std::string& folder);

class FlowStateWriter {
 public:
  // Into `path`.new, until commit().
  FlowStateWriter(std::string path, const FlowStateHead& head);
  // Without commit() nothing of it stays.
  ~FlowStateWriter();
  FlowStateWriter(const FlowStateWriter&) = delete;
  FlowStateWriter& operator=(const FlowStateWriter&) = delete;

  template <typename Record>
  void add(const Record& record) {
    encode(waiting_, record);
    ++count_;
    if (waiting_.size() >= write_at_once_bytes) flush();
  }
  // On the disk, under its name. Answers what went wrong; empty: nothing.
  [[nodiscard]] std::string commit();
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

 private:
  static constexpr std::size_t write_at_once_bytes = 256U << 10U;
  void flush();
  void write(std::string_view bytes);

  const std::string path_;
  const std::string unfinished_;
  int file_ = -1;
  int failed_ = 0;  // errno of the first thing that failed
  std::string waiting_;
  std::uint64_t count_ = 0;
  classifier::Sha256 checksum_;
};

class FlowStateReader {
 public:
  explicit FlowStateReader(std::string path) : path_(std::move(path)) {}

  // Reads all of it. What is wrong with it; empty: it is good, or there is none (see found()).
  [[nodiscard]] std::string check();
  [[nodiscard]] bool found() const noexcept { return found_; }
  [[nodiscard]] const FlowStateHead& head() const noexcept { return head_; }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

  // Of a file that check() found good: every record. Answers as check().
  using Take = std::function<void(const FlowStateRecord&)>;
  [[nodiscard]] std::string each(const Take& take);

 private:
  const std::string path_;
  bool found_ = false;
  FlowStateHead head_;
  std::uint64_t count_ = 0;
};

}  // namespace sallyport
