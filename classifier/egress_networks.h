// Layer 2, first half: which egress network captures a destination.
//
// A namespace with egress networks of its own is a scope; so is the global namespace. Of the entries of a scope that
// hold an address the one with the smallest effective size wins (addresses in cidr less those in the union of its
// excepts), then the one that stands first in the file; that is a rank, so a scope is compiled into one trie address ->
// network. A flow asks its namespace's trie, then the global one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "classifier/address_number.h"
#include "classifier/decision.h"
#include "classifier/prefix_trie.h"
#include "classifier/sources.h"
#include "config/policy_model.h"

namespace sallyport::classifier {

// Addresses of the block outside the union of its excepts, less one, modulo 2^128. So 2^128 (::/0 without excepts) is
// the largest and no different from an empty block, which captures nothing and is never compared.
[[nodiscard]] Uint128 effective_span(const config::CidrBlock& block);

class EgressNetworks {
 public:
  static constexpr std::uint32_t none = UINT32_MAX;

  EgressNetworks(const config::PolicyModel& model, const Sources& sources);

  // Place of the capturing network in the model, or none.
  [[nodiscard]] std::uint32_t capture(std::uint32_t group, const IpAddress& destination) const noexcept;
  // Does some address exist that this network captures within its own scope?
  [[nodiscard]] bool captures_anything(std::uint32_t network) const noexcept { return captures_[network]; }

 private:
  [[nodiscard]] PrefixTrie compile_scope(const config::PolicyModel& model, const std::vector<std::uint32_t>& networks);
  [[nodiscard]] std::uint32_t look(std::uint32_t scope, const IpAddress& destination) const noexcept;

  std::vector<PrefixTrie> scopes_;
  std::vector<std::uint32_t> scope_of_group_;  // none: its namespace has no network of its own
  std::uint32_t global_scope_ = none;
  bool exclusive_ = false;
  std::vector<bool> captures_;
};

}  // namespace sallyport::classifier
