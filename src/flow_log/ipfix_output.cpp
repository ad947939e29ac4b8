#include "src/flow_log/ipfix_output.h"

#include <utility>

#include "src/flow_log/ipfix_events.h"
#include "src/flow_log/ipfix_layouts.h"

namespace sallyport {

IpfixOutput::IpfixOutput(const config::IpfixConfig& config, const config::Limits& limits)
    : config_(config), limits_(limits), socket_(config.collector) {}

bool IpfixOutput::prepare() {
  if (!socket_.connected()) return false;
  const auto now = std::chrono::steady_clock::now();
  const bool is_new = connection_ != socket_.connections();
  const bool is_udp = config_.collector.by == config::LogTarget::By::udp;
  if (is_new) {
    messages_.emplace(config_.observation_domain, ipfix_templates(), [this](std::string_view message) {
      const std::size_t records = std::exchange(pending_, 0);
      if (socket_.send(message)) taken_ += records;
    });
    connection_ = socket_.connections();
  }
  if (is_new || (is_udp && now - refreshed_ >= config_.template_refresh)) {
    messages_->add_templates();
    messages_->flush();
    refreshed_ = now;
  }
  return true;
}

std::size_t IpfixOutput::write(const RecordBatch& batch) {
  taken_ = 0;
  if (!prepare()) return 0;
  for (const dataplane::FlowRecord& record : batch.records()) {
    if (is_for_us(record) && add_events(*messages_, record, batch.identities(), limits_)) {
      ++pending_;
    } else {
      ++taken_;  // nothing is to be said of it
    }
  }
  messages_->flush();
  return taken_;
}

// So that collectors know the templates before the first record.
std::string IpfixOutput::look_after() {
  (void)prepare();
  return {};
}

bool IpfixOutput::is_for_us(const dataplane::FlowRecord& record) const noexcept {
  return config_.sessions || record.kind != dataplane::RecordKind::flow;
}

}  // namespace sallyport
