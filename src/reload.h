// The reload's way: load -> validate -> compile -> publish. One thread of its own, traffic goes on meanwhile; whatever
// fails before publishing leaves everything as it was. docs/life-of-a-reload.md tells the same as a story.
//
// A shadow policy ([gateway] shadow_policy) is read along. Its mistakes are told and never stand in the way: the policy
// is taken, and the shadow that was asked before goes on being asked.
//
// Names that outlive a policy (classifier::Identities) are a value, too: a reload compiles against a copy that knows
// all the old names, so whoever renders records reads without a lock while a policy is compiled.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "classifier/identities.h"
#include "classifier/policy.h"
#include "config/appliance_model.h"
#include "src/log.h"
#include "src/reload_queue.h"

namespace sallyport {

// What is running. Never changed; a reload makes a new one.
struct LivePolicy {
  std::shared_ptr<const classifier::Policy> policy;          // null until a valid one was loaded
  std::shared_ptr<const classifier::Identities> identities;  // never null
  std::shared_ptr<const classifier::Policy> shadow;          // null: none, or never a valid one
  std::uint32_t generation = 0;                              // of the policy, from 1
  std::vector<std::string> files;
  std::chrono::system_clock::time_point since;
};

struct ReloadCounts {
  std::uint64_t published = 0;
  std::uint64_t unchanged = 0;
  std::uint64_t refused = 0;
  ReloadResult last;
  std::chrono::nanoseconds last_took{0};  // from the file to the workers
  std::chrono::system_clock::time_point last_at;
  std::string last_shadow;  // what became of the shadow policy; empty: there is none
  bool last_shadow_refused = false;
};

class Reloader {
 public:
  using Publish = std::function<void(std::shared_ptr<const classifier::Policy>)>;
  struct Paths {
    std::string policy;                                 // its first file
    std::string shadow;                                 // empty: none
    const config::ApplianceModel* appliance = nullptr;  // whose ports the policy's addresses should fit; outlives it
  };
  // Called around a reload, not around the first load: true as it begins, false when it is over.
  using Notify = std::function<void(bool)>;

  // `publish` and `publish_shadow` return when no worker looks at the old policy any more.
  Reloader(Paths paths, Publish publish, Publish publish_shadow, Notify notify, Log& log);
  ~Reloader();
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  // The first load, on the caller's thread; after it, reloads are taken.
  void start();
  void request();                                                // and do not wait
  [[nodiscard]] std::optional<ReloadResult> request_and_wait();  // none: the gateway is stopping
  // From its return on nothing is published any more.
  void stop();

  [[nodiscard]] std::shared_ptr<const LivePolicy> live() const;
  [[nodiscard]] ReloadCounts counts() const;

 private:
  void serve();
  ReloadResult load_and_tell();
  ReloadResult load_or_refuse();
  ReloadResult load(std::vector<ReloadResult::Note>& notes);
  // Into `next` where it is valid, another than the one before, or refused; false: nothing changes.
  bool load_shadow(LivePolicy& next, const std::shared_ptr<classifier::Identities>& identities,
                   std::vector<ReloadResult::Note>& notes);
  // False: stopped.
  bool publish(const std::shared_ptr<const LivePolicy>& next);
  void tell(const ReloadResult& result, std::chrono::nanoseconds took);

  const std::string path_;
  const std::string shadow_path_;
  const config::ApplianceModel* const appliance_;
  const Publish publish_;
  const Publish publish_shadow_;
  const Notify notify_;
  Log& log_;
  ReloadQueue queue_;
  std::mutex publishing_;
  bool stopped_ = false;  // under publishing_
  mutable std::mutex mutex_;
  std::shared_ptr<const LivePolicy> live_;  // under mutex_
  ReloadCounts counts_;                     // under mutex_
  std::thread thread_;
};

}  // namespace sallyport
