// Flow records to an IPFIX collector, over UDP or TCP.
//
// Over UDP nobody tells a collector that was started anew what the records look like, so the templates are repeated
// (RFC 7011 section 8.4); over TCP they begin each connection.
#pragma once

#include <chrono>
#include <optional>

#include "src/flow_log/ipfix_messages.h"
#include "src/flow_log/log_socket.h"
#include "src/flow_log/output.h"

namespace sallyport {

class IpfixOutput final : public Output {
 public:
  IpfixOutput(const config::IpfixConfig& config, const config::Limits& limits);

  [[nodiscard]] std::string_view name() const noexcept override { return "ipfix"; }
  [[nodiscard]] std::string open() override { return socket_.open(); }
  [[nodiscard]] std::size_t wants(const RecordBatch& batch) const noexcept override { return batch.records().size(); }
  [[nodiscard]] std::size_t write(const RecordBatch& batch) override;
  [[nodiscard]] std::string look_after() override;

 private:
  // Whoever listens knows the templates afterwards. False: nobody does.
  [[nodiscard]] bool prepare();
  [[nodiscard]] bool is_for_us(const dataplane::FlowRecord& record) const noexcept;

  const config::IpfixConfig config_;
  const config::Limits limits_;
  LogSocket socket_;
  std::optional<IpfixMessages> messages_;  // of the present connection
  std::uint64_t connection_ = 0;
  std::chrono::steady_clock::time_point refreshed_;
  std::size_t pending_ = 0;  // records of the present message
  std::size_t taken_ = 0;    // of the present batch
};

}  // namespace sallyport
