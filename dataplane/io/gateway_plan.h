// What a gateway will take, worked out before anything is taken: processors, buffers, memory, each worker's share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/appliance_model.h"
#include "dataplane/io/control_log.h"
#include "dataplane/io/eal.h"
#include "dataplane/io/packet_buffers.h"
#include "dataplane/io/port.h"
#include "dataplane/pipeline.h"

namespace sallyport::dataplane {

inline constexpr std::uint32_t arrivals_a_worker = 2048;  // packets handed over and not yet taken
inline constexpr std::size_t flow_records_a_worker = 16384;

struct GatewayPlan {
  std::vector<unsigned> processors;  // of each worker
  std::vector<PortPlan> ports;
  PacketBuffers buffers;
  std::uint32_t held_packets = 0;  // of all workers
  EalPlan eal;
  std::uint64_t names_seed = 0;  // of the hash that all workers find learned names by
};

// Throws EnvironmentError where the range leaves a worker without ports, or blocks of them, of its own.
void check_port_range(const config::NatConfig& nat, std::uint32_t workers);
// Throws EnvironmentError.
[[nodiscard]] GatewayPlan plan_gateway(const config::ApplianceModel& model, const Log& log);

// The same for as long as the pool key is, so that what a flow remembers of a name means the same after a restart.
[[nodiscard]] std::uint64_t names_seed(const classifier::PoolKey& pool_key) noexcept;

// Of one worker, its share of the limits included. `ports` are open.
[[nodiscard]] PipelineSettings pipeline_settings(const config::ApplianceModel& model, const GatewayPlan& plan,
                                                 const std::vector<std::unique_ptr<Port>>& ports,
                                                 const classifier::PoolKey& pool_key, std::uint32_t worker);

}  // namespace sallyport::dataplane
