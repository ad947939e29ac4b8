// [metrics] listen: Prometheus' metrics and the status page, on one address.
//
//   /            the status page          /metrics     for Prometheus
//   /explain     its form's answer        /status.css, /status.js
//
// Everything is read while traffic goes on; no worker waits for anybody here.
#pragma once

#include <functional>
#include <string>

#include "config/appliance_model.h"
#include "dataplane/io/gateway.h"
#include "src/flow_log.h"
#include "src/flow_outcome.h"
#include "src/monitor/figures.h"
#include "src/monitor/history.h"
#include "src/monitor/refusals.h"
#include "src/monitor/web_server.h"
#include "src/reload.h"
#include "src/replication/status.h"

namespace sallyport {

class Monitor {
 public:
  // All of them outlive it. Throws dataplane::EnvironmentError.
  Monitor(const dataplane::Gateway& gateway, const config::ApplianceModel& appliance, ApplianceView view,
          const Reloader& reloader, const FlowLog& flow_log, const Refusals& refusals,
          std::function<ReplicationStatus()> replication);

 private:
  [[nodiscard]] Figures figures() const;
  [[nodiscard]] WebAnswer explain(std::string_view query) const;

  const dataplane::Gateway& gateway_;
  const config::ApplianceModel& appliance_;
  const ApplianceView view_;
  const Reloader& reloader_;
  const FlowLog& flow_log_;
  const Refusals& refusals_;
  const std::function<ReplicationStatus()> replication_;
  History history_;
  WebServer server_;
  EverySecond clock_;
};

}  // namespace sallyport
