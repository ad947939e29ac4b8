// Host names as other systems write them, rewritten so that they mean here what they mean there.
//
//   written          | Gateway API | Istio       | one label    | Cilium        | Antrea     | AWS
//   "example.com"    | that name in all of them
//   "*.example.com"  | one or more labels before it | one label    | one label     | one or more| -
//   "*"              | -           | everything  | -            | everything    | everything | -
//   "**.example.com" | -           | -           | -            | one or more   | -          | -
//   "*foo.com"       | -           | -           | -            | in one label  | any text   | -
//   ".example.com"   | -           | -           | -            | -             | -          | the name and all below
//
// One label: OVN-Kubernetes' EgressFirewall and GKE's FQDNNetworkPolicy.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "config/document/parsed.h"
#include "config/policy_model.h"

namespace sallyport::config {

enum class HostDialect : std::uint8_t { gateway_api, istio, one_label, cilium, antrea, aws };

struct RewrittenHost {
  bool everything = false;  // any name, and flows that show none
  HostPattern pattern;      // else
};

// `at` of the pattern is left alone.
[[nodiscard]] Parsed<RewrittenHost> rewrite_host(HostDialect dialect, std::string_view text);

}  // namespace sallyport::config
