// Question and answer of the classifier: may this flow pass, by which rule, for which reason.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "classifier/bound_names.h"
#include "classifier/identities.h"
#include "classifier/names/http_head.h"
#include "config/address.h"
#include "config/policy_model.h"

namespace sallyport::classifier {

class AddressPool;
class PrefixTranslation;

using config::Protocol;

struct FlowQuery {
  IpAddress source;
  IpAddress destination;
  Protocol protocol = Protocol::tcp;
  std::uint16_t destination_port = 0;  // host byte order; 0 for ICMP
};

enum class Action : std::uint8_t {
  deny,
  allow,
  needs_name,  // the flow has to show a server name; ask decide_shown() then
};

// verdict.reason of a flow record. The first group comes from the classifier, the second from the dataplane.
enum class Reason : std::uint8_t {
  route,
  network_default,
  uncaptured,
  network_policy,
  no_name,
  name_not_allowed,
  name_not_bound,
  ech_refused,

  hello_timeout,
  hello_too_large,
  hello_malformed,
  hello_conflict,
  nat_ports_exhausted,
  no_egress_address,
  flows_exhausted,
  source_limit,
  policy_removed,
};
inline constexpr std::size_t reason_count = static_cast<std::size_t>(Reason::policy_removed) + 1;
// "name_not_allowed"
[[nodiscard]] std::string_view to_string(Reason reason) noexcept;

enum class Layer : std::uint8_t { none, network_policy, egress_network };
[[nodiscard]] std::string_view to_string(Layer layer) noexcept;  // "" for none

// Who sends: longest prefix among workloads, then among namespaces, else nobody (both ids 0).
struct Source {
  Id namespace_name = 0;
  Id workload = 0;
  std::uint32_t index = 0;  // the policy's own number for it; valid for that policy only
};

// In the place of a name table: any name will do, if it is bound ([defaults] server_name_binding = "deny").
inline constexpr std::uint32_t no_name_table = UINT32_MAX;

struct Decision {
  Action action = Action::deny;
  Reason reason = Reason::uncaptured;
  Layer layer = Layer::none;
  bool audited = false;          // an audit route would have matched
  Id audit = 0;                  // with audited: "namespace/name" of that route
  Id rule = 0;                   // "namespace/name" of the route or network policy that decided; 0: none did
  Id network = 0;                // "namespace/name" of the capturing egress network; 0: none did
  std::uint32_t name_table = 0;  // with needs_name, and of its verdict: what decide_shown() wants; for that policy only
  bool reads_hellos = false;     // with needs_name: a TLS or QUIC hello may decide
  bool reads_requests = false;   // with needs_name: of plaintext HTTP, every request is decided
  static constexpr std::uint32_t no_route = UINT32_MAX;
  std::uint32_t route = no_route;  // place of `rule` among the model's routes, if it is one
  Domain domain{};                 // by which a `domains` peer let it pass; valid for that policy only
};

// Under which address a flow leaves.
struct EgressChoice {
  enum class Kind : std::uint8_t {
    untranslated,
    translated,
    no_address,  // an egress selects the flow but has no address of its family: drop as no_egress_address
  };
  Kind kind = Kind::untranslated;
  Id egress = 0;  // name of the [[egress]]; 0: [snat], or none
  // With translated, one of both: the candidates, of the flow's family; or what gives each source its own.
  const AddressPool* pool = nullptr;
  const PrefixTranslation* prefix = nullptr;
};
// The source's flow is to be translated, and there is no address for it: its first packet ends as no_egress_address.
[[nodiscard]] bool lacks_address(const EgressChoice& choice, const IpAddress& source) noexcept;

using HttpField = names::HeaderField;

struct ShownRequest {
  std::string_view method;
  std::string_view target;            // path and query, as sent: "/a?b=c"; "*"; empty for CONNECT
  std::span<const HttpField> fields;  // one for each line, in their order
};

// What a flow has shown of itself when a name was needed.
struct Shown {
  enum class Protocol : std::uint8_t { none, tls, quic, http, http2 };  // none: its payload is none of these
  Protocol protocol = Protocol::none;
  std::string_view name;   // as sent, valid or not; empty: no name. Of HTTP the Host or :authority, a port may follow
  bool ech = false;        // the outer hello carried an ECH extension (0xfe0d), real or GREASE
  ShownRequest request{};  // with http, and with http2: of one stream
};

}  // namespace sallyport::classifier
