// Under which address the flow leaves, and why no other egress has it.
#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "classifier/explainer.h"
#include "config/address.h"

namespace sallyport::classifier {

namespace {

// The longest destination of an egress that holds the address.
const Prefix* longest_destination(const config::Egress& egress, const IpAddress& address) {
  const Prefix* found = nullptr;
  for (const Prefix& candidate : egress.destinations)
    if (candidate.contains(address) && (found == nullptr || candidate.length > found->length)) found = &candidate;
  return found;
}

const config::IpPool* longest_pool(const std::vector<config::IpPool>& pools, const IpAddress& address) {
  const config::IpPool* found = nullptr;
  for (const config::IpPool& pool : pools)
    if (pool.cidr.contains(address) && (found == nullptr || pool.cidr.length > found->cidr.length)) found = &pool;
  return found;
}

std::string addresses_of(const EgressChoice& choice) {
  if (choice.kind == EgressChoice::Kind::no_address) return "no address of the flow's family: dropped";
  if (choice.prefix != nullptr) return fmt::format("each address to one of {}", to_string(choice.prefix->outside()));
  if (choice.pool->size() == 1) return to_string(choice.pool->at(0));
  return fmt::format("one of {} addresses from {} on", choice.pool->size(), to_string(choice.pool->at(0)));
}

}  // namespace

void Explainer::tell_egress() {
  const EgressChoices::Answer answer = impl_.egresses.choose(source_.index, query_.destination);
  const std::string destination = to_string(query_.destination);
  using Why = EgressChoices::Why;
  switch (answer.why) {
    case Why::snat_except:
      add("egress", fmt::format("{} is in snat.except: leaves untranslated", destination), model_.snat.at);
      return;
    case Why::egress:
    case Why::egress_except: {
      const config::Egress& egress = model_.egresses[answer.egress];
      add("egress",
          answer.why == Why::egress
              ? fmt::format("{}: {}", egress.name, addresses_of(answer.choice))
              : fmt::format("{} has the flow, and {} is in its except: leaves untranslated", egress.name, destination),
          egress.at);
      break;
    }
    case Why::not_nat_outgoing:
    case Why::inside_ip_pool:
    case Why::no_snat:
      tell_untranslated(answer.why);
      break;
    case Why::snat:
      add("egress", fmt::format("no egress has the flow, so snat.addresses: {}", addresses_of(answer.choice)),
          model_.snat.at);
      break;
  }
  tell_losing_egresses(answer.egress);
}

void Explainer::tell_untranslated(EgressChoices::Why why) {
  if (why == EgressChoices::Why::no_snat) {
    add("egress", "no egress has the flow, and there are no snat.addresses: leaves untranslated");
    return;
  }
  const bool by_source = why == EgressChoices::Why::not_nat_outgoing;
  const IpAddress& address = by_source ? query_.source : query_.destination;
  const config::IpPool* pool = longest_pool(model_.ip_pools, address);
  if (!by_source) {
    add("egress",
        fmt::format("no egress has the flow, and {} is inside an ip_pool: leaves untranslated", to_string(address)),
        pool == nullptr ? config::Location{} : pool->at);
    return;
  }
  const std::string where = pool == nullptr ? "is in no ip_pool; with any, only sources of one are translated"
                                            : "is in an ip_pool without nat_outgoing";
  add("egress", fmt::format("no egress has the flow, and {} {}: leaves untranslated", to_string(address), where),
      pool == nullptr ? model_.ip_pools.front().at : pool->at);
}

void Explainer::tell_losing_egresses(std::uint32_t winner) {
  for (const std::uint32_t place : impl_.egresses.selecting(source_.index)) {
    if (place == winner) continue;
    const config::Egress& egress = model_.egresses[place];
    const Prefix* destination = longest_destination(egress, query_.destination);
    std::string why = "it stands later in the file";
    if (destination == nullptr)
      why = fmt::format("{} is not among its destinations", to_string(query_.destination));
    else if (egress.priority != model_.egresses[winner].priority)
      why = fmt::format("its priority {} is lower", egress.priority);
    else if (destination->length != longest_destination(model_.egresses[winner], query_.destination)->length)
      why = fmt::format("its destination {} is shorter", to_string(*destination));
    add("egress", fmt::format("not {}: {}", egress.name, why), egress.at);
  }
}

}  // namespace sallyport::classifier
