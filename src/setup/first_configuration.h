// The first sallyport.toml of a machine, and the policy beside it.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace sallyport::setup {

struct FirstPort {
  std::string device;                  // as in [[port]]
  std::vector<std::string> addresses;  // "10.0.0.1/24"
  std::vector<std::string> gateways;   // next hops; mostly of the outside port alone
  std::optional<long long> mtu;        // of its interface, where it has one
  std::string remark;                  // a comment behind the device; empty: none
};

// Whatever stands in `inside` and `outside` is written as it is: `sallyport check` judges it.
[[nodiscard]] std::string first_configuration(const FirstPort& inside, const FirstPort& outside);

// examples/policy.toml, which denies everything, with the inside port's networks for its senders.
[[nodiscard]] std::string first_policy(const FirstPort& inside);

}  // namespace sallyport::setup
