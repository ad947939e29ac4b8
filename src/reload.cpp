#include "src/reload.h"

#include <algorithm>
#include <new>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "config/describe.h"
#include "src/list_text.h"
#include "src/policy_source.h"

namespace sallyport {
namespace {

using Kind = ReloadResult::Kind;

constexpr std::size_t named_at_most = 10;

// "a; b; c; and 7 more"
std::string some_of(const std::vector<std::string>& all) {
  const std::span<const std::string> named(all.data(), std::min(all.size(), named_at_most));
  std::string text = list_text(named, "; ");
  if (all.size() > named_at_most) text += fmt::format("; and {} more", all.size() - named_at_most);
  return text;
}

// Numbers stay: a copy hands out to new names what comes behind the old ones.
std::shared_ptr<classifier::Identities> copy_of(const classifier::Identities& old) {
  auto copy = std::make_shared<classifier::Identities>();
  for (classifier::Id id = 1; id < old.size(); ++id) (void)copy->intern(old.name(id));
  return copy;
}

std::vector<std::string> errors_of(const CompiledPolicy& compiled) {
  std::vector<std::string> texts;
  for (const config::Diagnostic& d : compiled.diagnostics.all()) {
    if (d.severity == config::Severity::error) texts.push_back(to_text(d, compiled.files));
  }
  return texts;
}

// What is wrong, for the line that tells of the refusal. Several diagnostics have each a line of its own, before it.
std::string told(const CompiledPolicy& compiled, std::vector<ReloadResult::Note>& notes) {
  const std::vector<std::string> errors = errors_of(compiled);
  const std::vector<std::string> all = lines(compiled.diagnostics, compiled.files);
  if (all.size() == 1) return all.front();
  for (std::size_t i = 0; i < all.size(); ++i) {
    notes.push_back({true, all[i], compiled.diagnostics.all()[i].severity == config::Severity::error});
  }
  if (errors.size() == 1) return errors.front();
  return fmt::format("{} errors, each on a line before this one; the first: {}", errors.size(), errors.front());
}

// A policy may lean on its names, so it takes them along.
std::shared_ptr<const classifier::Policy> keep(std::unique_ptr<const classifier::Policy> policy,
                                               std::shared_ptr<classifier::Identities> identities) {
  return {policy.release(), [identities = std::move(identities)](const classifier::Policy* p) { delete p; }};
}

std::string contents(const config::PolicyModel& model) {
  return fmt::format("{} workloads, {} network policies, {} egress networks, {} routes, {} egresses",
                     model.workloads.size(), model.network_policies.size(), model.egress_networks.size(),
                     model.routes.size(), model.egresses.size());
}

}  // namespace

Reloader::Reloader(Paths paths, Publish publish, Publish publish_shadow, Notify notify, Log& log)
    : path_(std::move(paths.policy)),
      shadow_path_(std::move(paths.shadow)),
      appliance_(paths.appliance),
      publish_(std::move(publish)),
      publish_shadow_(std::move(publish_shadow)),
      notify_(std::move(notify)),
      log_(log) {
  auto nothing = std::make_shared<LivePolicy>();
  nothing->identities = std::make_shared<classifier::Identities>();
  live_ = std::move(nothing);
}

Reloader::~Reloader() {
  stop();
  if (thread_.joinable()) thread_.join();
}

void Reloader::start() {
  (void)load_and_tell();
  thread_ = std::thread(&Reloader::serve, this);
}

void Reloader::request() { (void)queue_.ask(); }

std::optional<ReloadResult> Reloader::request_and_wait() { return queue_.wait(queue_.ask()); }

void Reloader::stop() {
  queue_.stop();
  const std::lock_guard lock(publishing_);
  stopped_ = true;
}

std::shared_ptr<const LivePolicy> Reloader::live() const {
  const std::lock_guard lock(mutex_);
  return live_;
}

ReloadCounts Reloader::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void Reloader::serve() {
  while (const std::optional<ReloadQueue::Ticket> ticket = queue_.take()) {
    notify_(true);
    ReloadResult result = load_and_tell();
    notify_(false);
    queue_.finish(*ticket, std::move(result));
  }
}

ReloadResult Reloader::load_and_tell() {
  const auto begin = std::chrono::steady_clock::now();
  ReloadResult result = load_or_refuse();
  tell(result, std::chrono::steady_clock::now() - begin);
  return result;
}

ReloadResult Reloader::load_or_refuse() {
  std::vector<ReloadResult::Note> notes;
  try {
    ReloadResult result = load(notes);
    result.notes = std::move(notes);
    return result;
  } catch (const std::bad_alloc&) {
    return {Kind::refused, fmt::format("policy {} refused: not enough memory to compile it", path_), std::move(notes)};
  }
}

ReloadResult Reloader::load(std::vector<ReloadResult::Note>& notes) {
  const auto begin = std::chrono::steady_clock::now();
  const auto took = [&] {
    const auto spent = std::chrono::steady_clock::now() - begin;
    return std::chrono::duration_cast<std::chrono::milliseconds>(spent).count();
  };
  const std::shared_ptr<const LivePolicy> before = live();
  std::shared_ptr<classifier::Identities> identities = copy_of(*before->identities);
  CompiledPolicy compiled = compile_policy_file(path_, *identities, before->policy.get(), config::Pipes::refused);
  if (compiled.policy && appliance_ != nullptr) warn_of_addresses(*appliance_, compiled);
  if (!compiled.policy) {
    const std::string kept =
        before->policy ? fmt::format("the running one (generation {}) is kept", before->generation)
                       : std::string("no valid policy was ever loaded: nothing is forwarded; mend it and reload");
    return {Kind::refused,
            fmt::format("policy {} refused after {} ms, {}: {}", path_, took(), kept, told(compiled, notes)),
            {}};
  }
  for (const std::string& line : lines(compiled.diagnostics, compiled.files)) notes.push_back({true, line});

  auto next = std::make_shared<LivePolicy>(*before);
  next->identities = identities;
  std::vector<std::string> changes;
  if (before->policy) changes = config::describe_change(before->policy->model(), compiled.policy->model());
  const bool same = before->policy && changes.empty() && before->policy->hash() == compiled.policy->hash();
  if (!same) {
    next->policy = keep(std::move(compiled.policy), identities);
    next->generation = before->generation + 1;
    next->files = compiled.files;
    next->since = std::chrono::system_clock::now();
  }
  const bool other_shadow = load_shadow(*next, identities, notes);
  if (same && !other_shadow) {
    return {Kind::unchanged,
            fmt::format("policy {} means what is running (generation {}): nothing to do, found in {} ms", path_,
                        before->generation, took()),
            {}};
  }
  if (!publish(next))
    return {Kind::refused, fmt::format("policy {} not published: the gateway is stopping", path_), {}};
  if (same) {
    return {Kind::published,
            fmt::format("policy {} means what is running (generation {}); another shadow in {} ms", path_,
                        before->generation, took()),
            {}};
  }
  const std::string what = before->policy ? some_of(changes) : contents(next->policy->model());
  return {Kind::published,
          fmt::format("policy {} {} in {} ms (generation {}, hash {}): {}", path_,
                      before->policy ? "reloaded" : "loaded", took(), next->generation, next->policy->hash(), what),
          {}};
}

bool Reloader::load_shadow(LivePolicy& next, const std::shared_ptr<classifier::Identities>& identities,
                           std::vector<ReloadResult::Note>& notes) {
  if (shadow_path_.empty()) return false;
  const std::shared_ptr<const classifier::Policy> before = next.shadow;
  CompiledPolicy compiled = compile_policy_file(shadow_path_, *identities, before.get(), config::Pipes::refused);
  const bool refused = !compiled.policy;
  const bool same = !refused && before && before->hash() == compiled.policy->hash();
  std::string text;
  if (refused) {
    text = fmt::format("shadow policy {} refused, {}: {}", shadow_path_,
                       before ? "the one before is still asked" : "none is asked", told(compiled, notes));
  } else {
    const std::string what = same ? "means what is asked already" : contents(compiled.policy->model());
    text = fmt::format("shadow policy {}: {}", shadow_path_, what);
    for (const std::string& line : lines(compiled.diagnostics, compiled.files)) notes.push_back({true, line});
    if (!same) next.shadow = keep(std::move(compiled.policy), identities);
  }
  notes.push_back({refused, text});
  const std::lock_guard lock(mutex_);
  counts_.last_shadow = std::move(text);
  counts_.last_shadow_refused = refused;
  return !refused && !same;
}

bool Reloader::publish(const std::shared_ptr<const LivePolicy>& next) {
  const std::lock_guard publishing(publishing_);
  if (stopped_) return false;
  // First the names: a record under the new policy may come as soon as it is published.
  std::shared_ptr<const LivePolicy> before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(live_, next);
  }
  // The shadow first, so that flows that open meanwhile are compared with the newest one.
  if (next->shadow != before->shadow) publish_shadow_(next->shadow);
  if (next->policy != before->policy) publish_(next->policy);
  return true;
}

void Reloader::tell(const ReloadResult& result, std::chrono::nanoseconds took) {
  for (const ReloadResult::Note& note : result.notes) {
    note.error ? log_.error(note.text) : note.problem ? log_.warning(note.text) : log_.info(note.text);
  }
  if (result.kind == Kind::refused) {
    log_.error(result.text);
  } else {
    log_.info(result.text);
  }
  const std::lock_guard lock(mutex_);
  counts_.last = result;
  counts_.last_took = took;
  counts_.last_at = std::chrono::system_clock::now();
  counts_.published += result.kind == Kind::published ? 1 : 0;
  counts_.unchanged += result.kind == Kind::unchanged ? 1 : 0;
  counts_.refused += result.kind == Kind::refused ? 1 : 0;
}

}  // namespace sallyport
