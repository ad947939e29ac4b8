// The compiled policy: one immutable value that the dataplane and `explain` both ask.
//
// Compiled off the workers from a valid config::PolicyModel, then only read, by any number of threads at once. The
// asking functions are noexcept, allocate nothing and take bounded time. See docs/ARCHITECTURE.md, "The classifier".
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "classifier/address_pool.h"
#include "classifier/decision.h"
#include "classifier/egress_treatment.h"
#include "classifier/identities.h"
#include "config/diagnostics.h"
#include "config/policy_model.h"

namespace sallyport::classifier {

// One reason in an explanation, in the order in which the question was decided.
struct Step {
  std::string what;    // "source", "network_policy", "egress_network", "route", "host_name", "egress", ...
  std::string result;  // one sentence
  std::string file;    // empty: a default, written nowhere
  std::uint32_t line = 0;
};

struct Explanation {
  Source source;
  Decision decision;  // final where a name was given or none needed, else needs_name
  EgressChoice egress;
  std::vector<Step> steps;
  bool by_request = false;  // another request of the same name may be decided otherwise
  bool by_dns = false;      // DNS, of which nothing is known here, might let it pass: a rule names domains
};

// Per-thread working memory of the host matcher (Hyperscan wants one a thread). Made by the control plane for a policy.
class MatchScratch;

class Policy {
 public:
  struct Compiled {
    std::unique_ptr<const Policy> policy;  // absent when there are errors
    config::Diagnostics diagnostics;       // what only compiling can find (a bad regex), and warnings
  };
  // `identities` outlives the policy. `previous`, where given and of the same host names, lends what it compiled of
  // them.
  [[nodiscard]] static Compiled compile(config::PolicyModel model, Identities& identities,
                                        const Policy* previous = nullptr);

  // The errors that compile() would find, of a model that is wrong in other ways, too.
  static void find_errors(const config::PolicyModel& model, config::Diagnostics& diagnostics);

  ~Policy();
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;

  [[nodiscard]] const config::PolicyModel& model() const noexcept;

  [[nodiscard]] Source find_source(const IpAddress& address) const noexcept;
  // May it? Both layers; before any name is known. ICMP is echo only. `bound`: what DNS has said; null: nothing.
  [[nodiscard]] Decision decide(const Source& source, const FlowQuery& query,
                                const BoundNames* bound = nullptr) const noexcept;
  // The verdict of a flow that had to show a name, from what it has shown. Never needs_name. `pending` is what decide()
  // said. A name that is not valid DNS is no name.
  [[nodiscard]] Decision decide_shown(const Decision& pending, const Shown& shown,
                                      MatchScratch& scratch) const noexcept;

  // [defaults] server_name_binding, asked of an allowed flow that has shown a name: bound to where it goes?
  enum class NameBinding : std::uint8_t { right, audited, denied };
  [[nodiscard]] NameBinding check_name_binding(std::string_view shown, const IpAddress& destination,
                                               const BoundNames& bound) const noexcept;
  // Whose answers count.
  [[nodiscard]] bool trusts_dns_server(const IpAddress& address) const noexcept;

  [[nodiscard]] EgressChoice choose_egress(const Source& source, const FlowQuery& query) const noexcept;
  // How the packets of an egress (EgressChoice::egress) leave; none for [snat].
  [[nodiscard]] EgressTreatment treatment(Id egress) const noexcept;
  [[nodiscard]] std::span<const EgressBandwidth> bandwidths() const noexcept;
  // Is the address one that some egress or [snat] may still give out? (A reload ends flows of a removed address.)
  [[nodiscard]] bool gives_out(const IpAddress& address) const noexcept;
  // Whose address this is, where an egress maps prefix to prefix (RFC 6296); nothing for other addresses.
  [[nodiscard]] std::optional<IpAddress> mapped_from(const IpAddress& outside) const noexcept;
  // Every address that flows may leave under, as ranges; without prefixes that others are mapped to.
  [[nodiscard]] std::vector<AddressRange> egress_addresses() const;

  // One for each thread that asks decide_shown(); `seed` is MatchScratch's.
  [[nodiscard]] std::unique_ptr<MatchScratch, void (*)(MatchScratch*)> make_scratch(std::uint64_t seed = 0) const;

  // The same decision functions, with their reasons. `shown` absent: the name is not known. `bound` null: what DNS has
  // said is not known.
  [[nodiscard]] Explanation explain(const FlowQuery& query, const std::optional<Shown>& shown,
                                    const BoundNames* bound = nullptr) const;

  // SHA-256 over the meaning of the policy, hexadecimal: equal on every node that runs the same one.
  [[nodiscard]] const std::string& hash() const noexcept;

  struct Impl;  // policy_impl.h; for this room alone

 private:
  explicit Policy(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sallyport::classifier
