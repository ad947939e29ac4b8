// Random policies that a loader would take, in a small world, so that everything overlaps with everything; and random
// questions to them, many at the edges of what the policy names.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "config/policy_model.h"
#include "policy_model_oracle.h"

namespace sallyport::model {

class RandomPolicy {
 public:
  explicit RandomPolicy(std::uint64_t seed) : random_(seed) {}

  [[nodiscard]] config::PolicyModel make();
  // About the last policy made.
  [[nodiscard]] Question ask();

 private:
  [[nodiscard]] std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }
  [[nodiscard]] bool chance(std::uint32_t percent) { return below(100) < percent; }
  template <typename Choices>
  [[nodiscard]] const auto& pick(const Choices& choices) {
    return *(std::begin(choices) + below(static_cast<std::uint32_t>(std::size(choices))));
  }

  [[nodiscard]] IpAddress address();
  [[nodiscard]] Prefix prefix();
  [[nodiscard]] Prefix prefix(Family family);
  [[nodiscard]] std::vector<Prefix> prefixes(std::uint32_t most);
  [[nodiscard]] Prefix part_of(const Prefix& whole);
  [[nodiscard]] config::CidrBlock block();
  [[nodiscard]] std::uint16_t port();
  [[nodiscard]] std::string name_space();
  [[nodiscard]] config::Labels labels();
  [[nodiscard]] config::Selector selector();
  [[nodiscard]] config::Peer peer();
  [[nodiscard]] config::HostPattern host_pattern();
  [[nodiscard]] std::string host_name();
  [[nodiscard]] config::StringMatch string_match(bool regex_allowed);
  [[nodiscard]] config::StringMatch path_match();
  [[nodiscard]] config::HttpMatch http_match();
  [[nodiscard]] config::HttpMatch grpc_match();
  void ask_request(Question& question);
  void let_dns_say(Question& question);
  [[nodiscard]] AddressRange range();

  void add_sources();
  void add_network_policies();
  void add_networks();
  void add_routes();
  void add_egresses();

  std::mt19937_64 random_;
  config::PolicyModel model_;
  std::vector<Prefix> seen_;  // every prefix of the policy: its edges are asked about
};

}  // namespace sallyport::model
