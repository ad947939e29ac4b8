// Under which address: the egress that translates a source, or [snat], or none.
//
// Which egresses select a source follows from its record alone, so records with the same list share one class, compiled
// like a scope of egress networks: every destination of every egress of the list is a claim, ranked by priority, then
// the longer destination, then the file, and one trie answers which egress has the flow. What its `except` holds leaves
// untranslated, and no other egress takes over.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "classifier/address_pool.h"
#include "classifier/decision.h"
#include "classifier/identities.h"
#include "classifier/prefix_translation.h"
#include "classifier/prefix_trie.h"
#include "classifier/sources.h"
#include "config/policy_model.h"

namespace sallyport::classifier {

class EgressChoices {
 public:
  EgressChoices(const config::PolicyModel& model, Sources& sources, Identities& identities);

  // Why the choice fell as it did; for explanations.
  enum class Why : std::uint8_t { snat_except, egress, egress_except, not_nat_outgoing, inside_ip_pool, no_snat, snat };
  static constexpr std::uint32_t none = UINT32_MAX;
  struct Answer {
    EgressChoice choice;
    Why why = Why::snat;
    std::uint32_t egress = none;  // place in the model
  };
  // `record` is a place in Sources::records().
  [[nodiscard]] Answer choose(std::uint32_t record, const IpAddress& destination) const noexcept;

  [[nodiscard]] bool gives_out(const IpAddress& address) const noexcept { return all_.contains(address); }
  // Without those of prefixes, which are routed here.
  [[nodiscard]] const std::vector<AddressRange>& addresses() const noexcept { return pooled_.ranges(); }
  // Under the prefix of an egress (RFC 6296): whose address that is. Nothing for other addresses.
  [[nodiscard]] std::optional<IpAddress> mapped_from(const IpAddress& outside) const noexcept;
  // Places of the egresses that select a source, in the model, rising; for explanations.
  [[nodiscard]] const std::vector<std::uint32_t>& selecting(std::uint32_t record) const noexcept;
  // Is there a source that this egress (place in the model) selects? One by its labels? One that has it for some
  // destination?
  [[nodiscard]] bool selects_anything(std::uint32_t egress) const noexcept { return egresses_[egress].selects; }
  [[nodiscard]] bool applies_to_anything(std::uint32_t egress) const noexcept { return egresses_[egress].applies; }
  [[nodiscard]] bool wins_anything(std::uint32_t egress) const noexcept { return egresses_[egress].wins; }

 private:
  // The addresses of one place, each family apart.
  struct Pools {
    AddressPool v4;
    AddressPool v6;
    [[nodiscard]] const AddressPool& of(Family family) const noexcept { return family == Family::v4 ? v4 : v6; }
  };
  struct CompiledEgress {
    Id id = 0;
    const Pools* pools = nullptr;
    std::optional<PrefixTranslation> prefix;
    PrefixTrie except;
    bool selects = false;
    bool applies = false;
    bool wins = false;
  };
  struct Class {
    std::vector<std::uint32_t> egresses;
    PrefixTrie trie;  // -> place of an egress
  };

  void compile_pools(const config::PolicyModel& model, Identities& identities);
  void compile_classes(const config::PolicyModel& model, Sources& sources);
  [[nodiscard]] PrefixTrie compile_class(const config::PolicyModel& model, const std::vector<std::uint32_t>& egresses);
  [[nodiscard]] static EgressChoice translate(Id egress, const Pools& pools, Family family) noexcept;
  [[nodiscard]] static EgressChoice translate(const CompiledEgress& egress, Family family) noexcept;

  const Sources& sources_;
  std::deque<Pools> pools_;               // [snat] first
  std::vector<CompiledEgress> egresses_;  // by place in the model
  std::vector<Class> classes_;
  std::vector<std::uint32_t> class_of_record_;
  PrefixTrie snat_except_;
  bool has_ip_pools_ = false;
  PrefixTrie ip_pools_;
  AddressPool pooled_{{}, {}};
  AddressPool all_{{}, {}};  // and of prefixes
};

}  // namespace sallyport::classifier
