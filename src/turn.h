// Whose turn it is, of gateways that stand in for each other: what `sallyport ha` asks and says.
#pragma once

#include <functional>
#include <utility>

#include "dataplane/io/gateway.h"
#include "src/control_protocol.h"
#include "src/control_server.h"
#include "src/log.h"
#include "src/reload.h"
#include "src/replication/status.h"

namespace sallyport {

// Called by any thread of the control server.
class Turn {
 public:
  // `told` is called after each change. All of them outlive it.
  Turn(dataplane::Gateway& gateway, const Reloader& reloader, Log& log, std::function<ReplicationStatus()> replication,
       std::function<void()> told)
      : gateway_(gateway),
        reloader_(reloader),
        log_(log),
        replication_(std::move(replication)),
        told_(std::move(told)) {}

  End activate();
  End stand_by();
  // Of an active one; activate() and stand_by() end it.
  End drain();
  // One object; ExitCode::no where the gateway could not forward, or drains.
  [[nodiscard]] End status(AnswerLines& lines) const;

 private:
  dataplane::Gateway& gateway_;
  const Reloader& reloader_;
  Log& log_;
  const std::function<ReplicationStatus()> replication_;
  const std::function<void()> told_;
};

}  // namespace sallyport
