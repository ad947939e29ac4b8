#include "src/monitor/refusals.h"

#include <utility>

#include <fmt/format.h>

#include "src/flow_record_json.h"

namespace sallyport {
namespace {

std::string source_text(const dataplane::FlowRecord& flow, const classifier::Identities& identities) {
  std::string address = to_string(flow.inside.source_address());
  if (flow.workload == 0) return address;
  return fmt::format("{} ({}/{})", address, identities.name(flow.namespace_name), identities.name(flow.workload));
}

std::string destination_text(const dataplane::FlowRecord& flow) {
  const std::string address = to_string(flow.inside.destination_address());
  const std::string_view protocol = protocol_text(flow.inside.protocol);
  const unsigned port = __builtin_bswap16(flow.inside.destination_port);
  if (port == 0) return fmt::format("{} {}", address, protocol);
  const bool ipv6 = flow.inside.destination_address().family == Family::v6;
  return fmt::format(fmt::runtime(ipv6 ? "[{}]:{} {}" : "{}:{} {}"), address, port, protocol);
}

}  // namespace

void TopCounts::add(const std::string& what) {
  std::uint64_t count = 0;
  if (const auto found = counts_.find(what); found != counts_.end()) {
    count = found->second;
    rising_.erase({count, what});
  } else if (counts_.size() >= most_) {
    count = rising_.begin()->first;
    counts_.erase(rising_.begin()->second);
    rising_.erase(rising_.begin());
  }
  counts_[what] = count + 1;
  rising_.emplace(count + 1, what);
}

std::vector<TopCounts::One> TopCounts::top(std::size_t most) const {
  std::vector<One> top;
  for (auto one = rising_.rbegin(); one != rising_.rend() && top.size() < most; ++one) {
    top.push_back({one->second, one->first});
  }
  return top;
}

void Refusals::add(const dataplane::FlowRecord& flow, const classifier::Identities& identities) {
  if (flow.kind != dataplane::RecordKind::flow || flow.allowed) return;
  Refusal refusal{flow.written_ns,
                  source_text(flow, identities),
                  destination_text(flow),
                  std::string(flow.server_name()),
                  std::string(to_string(flow.reason)),
                  identities.name(flow.rule != 0 ? flow.rule : flow.network)};
  const std::lock_guard lock(mutex_);
  if (!refusal.name.empty()) names_.add(refusal.name);
  sources_.add(refusal.source);
  last_.push_front(std::move(refusal));
  if (last_.size() > last_max) last_.pop_back();
}

std::vector<Refusals::Refusal> Refusals::last() const {
  const std::lock_guard lock(mutex_);
  return {last_.begin(), last_.end()};
}

std::vector<TopCounts::One> Refusals::names(std::size_t most) const {
  const std::lock_guard lock(mutex_);
  return names_.top(most);
}

std::vector<TopCounts::One> Refusals::sources(std::size_t most) const {
  const std::lock_guard lock(mutex_);
  return sources_.top(most);
}

}  // namespace sallyport
