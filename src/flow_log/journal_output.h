// Flow records to systemd-journald, a line for people and a field for each thing that one wants to search by:
//
//   journalctl -t sallyport-flow SALLYPORT_VERDICT=deny
//
// By journald's own protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL): sd_journal_send() waits for a journald that
// does not read for as long as that takes, and a gateway could not even be stopped meanwhile.
#pragma once

#include <string>

#include "src/flow_log/log_socket.h"
#include "src/flow_log/output.h"

namespace sallyport {

inline constexpr const char* journald_socket = "/run/systemd/journal/socket";

class JournalOutput final : public Output {
 public:
  explicit JournalOutput(std::string socket = journald_socket);

  [[nodiscard]] std::string_view name() const noexcept override { return "journald"; }
  [[nodiscard]] std::string open() override { return socket_.open(); }
  [[nodiscard]] std::size_t write(const RecordBatch& batch) override;

 private:
  LogSocket socket_;
};

}  // namespace sallyport
