// Offers the senders' next hop ([ha] next_hop) while this gateway can forward, and takes it back when it cannot, so
// that a routing daemon withdraws it: looks ten times a second, on a thread of its own.
#pragma once

#include <atomic>
#include <thread>

#include "config/appliance_model.h"
#include "dataplane/io/gateway.h"
#include "src/log.h"
#include "src/reload.h"

namespace sallyport {

class Readiness {
 public:
  // All of them outlive it. Without a next hop to offer it does nothing.
  Readiness(dataplane::Gateway& gateway, const Reloader& reloader, const config::HaConfig& ha, Log& log);
  ~Readiness() { stop(); }
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  // Takes it back for good.
  void stop();

 private:
  void watch();
  void look();
  void tell(bool v4, bool v6);

  dataplane::Gateway& gateway_;
  const Reloader& reloader_;
  const config::HaConfig& ha_;
  Log& log_;
  bool v4_ = false, v6_ = false;  // as last told
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace sallyport
