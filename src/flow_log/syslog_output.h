// Flow records as syslog messages: to a server by RFC 5424 over UDP (RFC 5426), to a daemon of this machine in the form
// of syslog(3), which is what daemons read from /dev/log. The message is the record's line of JSON.
#pragma once

#include <string>

#include "src/flow_log/log_socket.h"
#include "src/flow_log/output.h"

namespace sallyport {

class SyslogOutput final : public Output {
 public:
  SyslogOutput(const config::LogTarget& target, unsigned facility);

  [[nodiscard]] std::string_view name() const noexcept override { return "syslog"; }
  [[nodiscard]] std::string open() override { return socket_.open(); }
  [[nodiscard]] std::size_t write(const RecordBatch& batch) override;

 private:
  [[nodiscard]] std::string head(const dataplane::FlowRecord& record) const;

  LogSocket socket_;
  const bool local_;
  const unsigned facility_;
  const std::string host_;
  const std::string process_;
};

}  // namespace sallyport
