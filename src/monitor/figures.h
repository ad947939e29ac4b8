// What the gateway counts at one moment, as plain values: what metrics and the status page are made of.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/appliance_model.h"
#include "dataplane/io/gateway.h"
#include "src/flow_log.h"
#include "src/reload.h"
#include "src/replication/status.h"

namespace sallyport {

struct Figures {
  struct Worker {
    dataplane::WorkerStatus status;
    dataplane::CounterSums sums;
  };

  std::string name;  // of the gateway
  std::chrono::system_clock::time_point at;
  dataplane::CounterSums sums;
  std::vector<Worker> workers;
  std::vector<dataplane::PortStatus> ports;
  std::vector<dataplane::RuleSum> rules;
  dataplane::FullestPorts fullest;
  std::vector<dataplane::AddressLoad> addresses;  // in use
  dataplane::RoutingStatus routing;
  dataplane::StandingStatus standing;
  dataplane::GatewayMemory memory;
  std::uint64_t bound_names = 0;
  std::vector<FlowLog::OutputCounts> outputs;  // of the flow log
  std::uint64_t flows_max = 0, held_bytes_max = 0;
  std::shared_ptr<const LivePolicy> live;  // its identities know every rule above
  ReloadCounts reloads;
  ReplicationStatus replication;
};

[[nodiscard]] Figures figures_of(const dataplane::Gateway& gateway, const config::ApplianceModel& appliance,
                                 const Reloader& reloader, const FlowLog& flow_log);

}  // namespace sallyport
