// What the running gateway answers over its control socket: its state as JSON, or a reload and its result.
#pragma once

#include <utility>

#include "config/appliance_model.h"
#include "dataplane/io/gateway.h"
#include "src/control_protocol.h"
#include "src/control_server.h"
#include "src/flow_log.h"
#include "src/flow_outcome.h"
#include "src/reload.h"
#include "src/turn.h"

namespace sallyport {

// Called by any thread of the control server; everything it reads may be read at any time.
class Answers {
 public:
  Answers(dataplane::Gateway& gateway, Reloader& reloader, const FlowLog& flow_log, Turn& turn, ApplianceView appliance)
      : gateway_(gateway), reloader_(reloader), flow_log_(flow_log), turn_(turn), appliance_(std::move(appliance)) {}

  [[nodiscard]] End answer(const Request& request, AnswerLines& lines);

 private:
  End flows(AnswerLines& lines);
  End ports(AnswerLines& lines);
  End policy(AnswerLines& lines);
  End egress(AnswerLines& lines);
  End reasons(AnswerLines& lines);
  End workers(AnswerLines& lines);
  End reload(AnswerLines& lines);
  End ha_active(AnswerLines&) { return turn_.activate(); }
  End ha_standby(AnswerLines&) { return turn_.stand_by(); }
  End ha_drain(AnswerLines&) { return turn_.drain(); }
  End ha_status(AnswerLines& lines) { return turn_.status(lines); }

  dataplane::Gateway& gateway_;
  Reloader& reloader_;
  const FlowLog& flow_log_;
  Turn& turn_;
  const ApplianceView appliance_;
};

}  // namespace sallyport
