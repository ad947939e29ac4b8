// What replication asks of a gateway.
#include "src/replication/replicator.h"

namespace sallyport {

using dataplane::EndedFlow;
using dataplane::SavedFlow;

ReplicatedTables tables_of(dataplane::Gateway& gateway) {
  return {gateway.workers(),
          [&] { return gateway.standing().active; },
          [&](auto& ended, auto& settled) { gateway.take_changes(ended, settled); },
          [&](const ReplicatedTables::Take& take) { gateway.share_flows(take); },
          [&](std::span<const SavedFlow> flows) { return gateway.follow(flows); },
          [&](std::span<const EndedFlow> flows) { gateway.follow(flows); },
          [&] { return gateway.changes_lost(); }};
}

}  // namespace sallyport
