// Layer 1: Kubernetes NetworkPolicy, its egress half.
//
// A source group selected by no policy is not isolated. Others may do what some rule of some selecting policy allows;
// the order of policies never matters. A rule's destinations are compiled apart: its ip_blocks into one trie, the union
// of the network_sets it selects into another (shared by all rules that select the same sets), its pod peers into a set
// of source groups, so that a destination is asked "whose are you?" by the same lookup as a source. Domains are
// asked last, and only of addresses that have a name.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "classifier/decision.h"
#include "classifier/identities.h"
#include "classifier/prefix_trie.h"
#include "classifier/sources.h"
#include "config/policy_model.h"

namespace sallyport::classifier {

class NetworkPolicies {
 public:
  NetworkPolicies(const config::PolicyModel& model, const Sources& sources, Identities& identities);

  enum class Verdict : std::uint8_t { not_isolated, allowed, denied };
  struct Answer {
    Verdict verdict = Verdict::not_isolated;
    Id policy = 0;  // "namespace/name": the allowing one; of those that deny, the first in the file
    Domain
        domain{};  // with allowed: the one of its domains that has the address, where no other peer of the rule has it
  };
  // Does some policy select the group?
  [[nodiscard]] bool isolates(std::uint32_t group) const noexcept { return selection_of_group_[group] != 0; }
  // `bound` null: no name is bound to anything.
  [[nodiscard]] Answer decide(std::uint32_t group, const FlowQuery& query, const BoundNames* bound) const noexcept;

  // For explanations: which policies select a group (places in the model), and what became of one rule.
  [[nodiscard]] const std::vector<std::uint32_t>& selecting(std::uint32_t group) const noexcept;
  // Is there a workload, or an address of the namespace, that this policy (place in the model) selects?
  [[nodiscard]] bool selects_anything(std::uint32_t policy) const noexcept { return policies_[policy].selects; }
  struct RuleMatch {
    bool port = false;
    bool destination = false;
    Domain domain{};       // as in Answer
    bool by_name = false;  // the rule names domains
  };
  [[nodiscard]] RuleMatch try_rule(std::uint32_t policy, std::size_t rule, const FlowQuery& query,
                                   const BoundNames* bound) const noexcept;

 private:
  static constexpr std::uint32_t none = UINT32_MAX;
  struct Ports {
    Protocol protocol = Protocol::tcp;
    std::uint16_t first = 0;
    std::uint16_t last = UINT16_MAX;
  };
  // Bits from the first group to the last: a cluster has thousands of namespaces, and most rules mean pods of one.
  class GroupSet {
   public:
    GroupSet() = default;
    explicit GroupSet(const std::vector<std::uint32_t>& groups);
    [[nodiscard]] bool empty() const noexcept { return words_.empty(); }
    [[nodiscard]] bool contains(std::uint32_t group) const noexcept {
      const std::size_t word = std::size_t{group} / 64 - first_word_;  // of a group before the first: past the end
      return word < words_.size() && (words_[word] >> group % 64 & 1U) != 0;
    }

   private:
    std::size_t first_word_ = 0;
    std::vector<std::uint64_t> words_;
  };
  struct Rule {
    std::vector<Ports> ports;  // empty: any
    bool any_destination = false;
    std::uint32_t blocks = none;  // place in tries_
    std::uint32_t sets = none;    // place in tries_
    GroupSet pods;                // source groups; empty: no pod peers
    std::vector<Domain> domains;  // their texts lie in the model
  };
  struct CompiledPolicy {
    Id id = 0;
    std::vector<Rule> rules;
    bool selects = false;
  };
  class Compiler;

  [[nodiscard]] static bool matches_port(const Rule& rule, const FlowQuery& query) noexcept;
  [[nodiscard]] bool has_address(const Rule& rule, const IpAddress& destination) const noexcept;
  [[nodiscard]] static const Domain* find_domain(const Rule& rule, const IpAddress& destination,
                                                 const BoundNames* bound) noexcept;

  const Sources& sources_;
  std::vector<CompiledPolicy> policies_;                // by place in the model
  std::vector<std::vector<std::uint32_t>> selections_;  // distinct lists of policies; the first is empty
  std::vector<std::uint32_t> selection_of_group_;
  std::vector<PrefixTrie> tries_;
};

}  // namespace sallyport::classifier
