#include "src/monitor/refusals.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "src/flow_log/record_text.h"

namespace sallyport {

Refusals::Refusals() : identities_(std::make_shared<const classifier::Identities>()), ring_(last_max) {}

std::size_t Refusals::HashOfSender::operator()(const Sender& sender) const noexcept {
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15U;
  std::array<std::uint64_t, 2> words{};
  std::memcpy(words.data(), sender.address.bytes.data(), sizeof words);
  const std::uint64_t who = std::uint64_t{sender.namespace_name} << 32U | sender.workload;
  std::uint64_t sum = 0;
  for (const std::uint64_t word : {words[0], words[1], who}) sum = (sum ^ word) * odd ^ (sum >> 29U);
  return sum;
}

void Refusals::add(const dataplane::FlowRecord& flow, const std::shared_ptr<const classifier::Identities>& identities) {
  if (flow.kind != dataplane::RecordKind::flow || flow.allowed) return;
  const std::lock_guard lock(mutex_);
  if (identities_ != identities) identities_ = identities;
  Kept& kept = ring_[count_++ % last_max];
  kept.at_ns = flow.written_ns;
  kept.flow = flow.inside;
  kept.reason = flow.reason;
  kept.namespace_name = flow.namespace_name;
  kept.workload = flow.workload;
  kept.rule = flow.rule != 0 ? flow.rule : flow.network;
  kept.name_length = flow.name_length;
  std::copy_n(flow.name.begin(), flow.name_length, kept.name.begin());
  if (flow.name_length != 0) names_.add(flow.server_name());
  sources_.add(Sender{flow.inside.source_address(), flow.namespace_name, flow.workload});
}

std::string Refusals::text_of(const Sender& sender) const {
  std::string address = to_string(sender.address);
  if (sender.workload == 0) return address;
  return fmt::format("{} ({}/{})", address, identities_->name(sender.namespace_name),
                     identities_->name(sender.workload));
}

Refusals::Refusal Refusals::refusal_of(const Kept& kept) const {
  return {kept.at_ns,
          text_of({kept.flow.source_address(), kept.namespace_name, kept.workload}),
          endpoint_text(kept.flow.destination_address(), kept.flow.destination_port) + " " +
              protocol_name(kept.flow.protocol),
          std::string(kept.name.data(), kept.name_length),
          std::string(to_string(kept.reason)),
          identities_->name(kept.rule)};
}

std::vector<Refusals::Refusal> Refusals::last() const {
  const std::lock_guard lock(mutex_);
  std::vector<Refusal> last;
  for (std::uint64_t i = count_; i != 0 && last.size() < last_max; --i)
    last.push_back(refusal_of(ring_[(i - 1) % last_max]));
  return last;
}

std::vector<Refusals::Count> Refusals::names(std::size_t most) const {
  const std::lock_guard lock(mutex_);
  std::vector<Count> counts;
  for (const auto& [name, flows] : names_.top(most)) counts.push_back({name, flows});
  return counts;
}

std::vector<Refusals::Count> Refusals::sources(std::size_t most) const {
  const std::lock_guard lock(mutex_);
  std::vector<Count> counts;
  for (const auto& [sender, flows] : sources_.top(most)) counts.push_back({text_of(sender), flows});
  return counts;
}

}  // namespace sallyport
