// Parts of a policy as one line of text, the same for the same meaning: what is a set is sorted, places are left out.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/policy_model.h"

namespace sallyport::config {

// "a, b, c"
[[nodiscard]] std::string join(const std::vector<std::string>& texts);

[[nodiscard]] std::string describe(bool value);
[[nodiscard]] std::string describe(std::int64_t value);
[[nodiscard]] std::string describe(std::uint32_t value);
[[nodiscard]] std::string describe(const std::string& value);
[[nodiscard]] std::string describe(std::chrono::milliseconds value);
[[nodiscard]] std::string describe(TrafficPolicy value);
[[nodiscard]] std::string describe(RouteAction value);
[[nodiscard]] std::string describe(DomainSet::Match value);
[[nodiscard]] std::string describe(Binding value);
[[nodiscard]] std::string describe(const Labels& labels);
[[nodiscard]] std::string describe(const Selector& selector);
[[nodiscard]] std::string describe(const std::vector<NetworkPolicyRule>& rules);
[[nodiscard]] std::string describe(const std::vector<CidrBlock>& blocks);
[[nodiscard]] std::string describe(const std::vector<ParentRef>& refs);
[[nodiscard]] std::string describe(const std::vector<HttpMatch>& matches);
[[nodiscard]] std::string describe(const std::vector<IpAddress>& addresses);
[[nodiscard]] std::string describe(const std::vector<AddressRange>& ranges);
[[nodiscard]] std::string describe(const std::vector<std::string>& names);
[[nodiscard]] std::string describe(const std::optional<AppliedTo>& applied);
[[nodiscard]] std::string describe(const std::optional<Bandwidth>& bandwidth);
[[nodiscard]] std::string describe(const std::optional<std::uint8_t>& number);
[[nodiscard]] std::string describe(const std::optional<Prefix>& prefix);
[[nodiscard]] std::string describe(const HostPattern& pattern);

}  // namespace sallyport::config
