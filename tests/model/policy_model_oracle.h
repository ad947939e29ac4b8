// The policy language a second time: slow, obvious, read from the model at every question. Shares nothing with the
// classifier but the model and the address type, so that a mistake has to be made twice to go unseen.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/policy_model.h"

namespace sallyport::model {

struct Question {
  IpAddress source;
  IpAddress destination;
  config::Protocol protocol = config::Protocol::tcp;
  std::uint16_t port = 0;
  // What the flow shows when it is asked for a name.
  enum class Speaks : std::uint8_t { nothing, hello, http, http2 };  // hello: TLS over TCP, QUIC over UDP
  Speaks speaks = Speaks::nothing;
  std::string name;
  bool ech = false;
  // Of HTTP.
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  // What DNS has said before: this name has this address.
  std::vector<std::pair<std::string, IpAddress>> said;
};

// As the fields of a flow record; empty: absent.
struct Verdict {
  bool needs_name = false;  // a name was asked for; the rest is the verdict after it was shown
  std::string action;       // "allow", "deny"
  std::string reason;
  std::string rule;
  std::string network;
  bool audited = false;

  friend bool operator==(const Verdict&, const Verdict&) = default;
};

struct Egress {
  std::string kind;  // "untranslated", "translated", "no_address"
  std::string name;
  std::vector<std::string> addresses;  // the candidates in rising order

  friend bool operator==(const Egress&, const Egress&) = default;
};

struct Owner {
  std::string namespace_name;
  std::string workload;

  friend bool operator==(const Owner&, const Owner&) = default;
};

enum class Reader : std::uint8_t { strict, lenient, literal };

class Oracle {
 public:
  explicit Oracle(const config::PolicyModel& model) : model_(model) {}

  [[nodiscard]] Owner owner(const IpAddress& address) const;
  [[nodiscard]] Verdict decide(const Question& question) const;
  [[nodiscard]] Egress egress(const Question& question) const;

 private:
  [[nodiscard]] bool gives_out(const IpAddress& address) const;
  // Whose an address is, as selectors see it.
  struct Party {
    bool known = false;
    std::string namespace_name;
    std::string workload;
    config::Labels labels;
    config::Labels namespace_labels;
  };
  // A route that takes a flow, and how well: lower is better.
  struct Taker {
    const config::Route* route;
    std::vector<std::int64_t> rank;
  };

  [[nodiscard]] Party party(const IpAddress& address) const;
  [[nodiscard]] config::Labels labels_of_namespace(const std::string& name) const;

  [[nodiscard]] const config::NetworkPolicy* refusing_policy(const Party& source, const Question& question) const;
  [[nodiscard]] bool allows(const config::NetworkPolicyRule& rule, const std::string& namespace_name,
                            const Question& question) const;
  [[nodiscard]] bool is_peer(const config::Peer& peer, const std::string& namespace_name,
                             const Question& question) const;

  [[nodiscard]] const config::EgressNetwork* capture(const Party& source, const IpAddress& destination) const;
  [[nodiscard]] const config::EgressNetwork* capture_in(const std::string& namespace_name,
                                                        const IpAddress& destination) const;

  [[nodiscard]] std::vector<const config::Route*> standing(const config::EgressNetwork& network, config::RouteKind kind,
                                                           std::uint16_t port) const;
  // [defaults] server_name_binding, of a flow that may pass otherwise.
  void check_binding(const Question& question, Verdict& verdict) const;
  void decide_captured(const config::EgressNetwork& network, const Question& question, Verdict& verdict) const;
  void decide_tcp(const config::EgressNetwork& network, const Question& question, Verdict& verdict) const;
  // One kind after the other, the first that has a winner.
  using Groups = std::vector<std::vector<Taker>>;
  void conclude(const config::EgressNetwork& network, Groups groups, const char* not_taken, Verdict& verdict) const;
  [[nodiscard]] std::vector<Taker> takers_of_request(const std::vector<const config::Route*>& routes,
                                                     const Question& question, Reader reader) const;
  [[nodiscard]] std::vector<Taker> takers_of_hello(const std::vector<const config::Route*>& routes,
                                                   const Question& question) const;
  [[nodiscard]] std::vector<Taker> takers_of_anything(const std::vector<const config::Route*>& routes) const;
  [[nodiscard]] bool refuses_ech(const Question& question) const;
  void add_takers(const config::Route& route, const std::string& name, std::vector<Taker>& takers) const;
  // The taker that decides, and whether an audit stands before it.
  static const config::Route* winner(std::vector<Taker> takers, bool& audited);
  [[nodiscard]] std::int64_t place(const config::Route& route) const { return &route - model_.routes.data(); }

  [[nodiscard]] Egress translate(const std::string& name, const std::vector<IpAddress>& addresses,
                                 const std::vector<AddressRange>& ranges, const std::vector<AddressRange>& exclude,
                                 Family family) const;

  const config::PolicyModel& model_;
};

[[nodiscard]] bool holds(const config::Selector& selector, const config::Labels& labels);
[[nodiscard]] bool in_any(const std::vector<Prefix>& prefixes, const IpAddress& address);

// A path as a server of some kind reads it; docs/POLICY.md, "Paths".
[[nodiscard]] std::string path_as_read(const std::string& path, Reader reader);
// It goes up, beside what servers read in yet other ways.
[[nodiscard]] bool is_unclear(const Question& question);
[[nodiscard]] bool has_two_readings(const Question& question);
// gRPC: "/service/method" over HTTP/2.
[[nodiscard]] bool is_grpc(const Question& question, Reader reader);
// Does the request match, and how closely: lower is better.
[[nodiscard]] bool request_matches(const config::HttpMatch& match, config::RouteKind kind, const Question& question,
                                   Reader reader);
[[nodiscard]] std::vector<std::int64_t> closeness(const config::HttpMatch& match, config::RouteKind kind);

// Is the destination one that DNS has given for a name of this pattern: "example.com", "*.example.com", ".example.com"?
[[nodiscard]] bool is_bound(const std::string& pattern, const Question& question);

// The name as it is compared: lower case, without the trailing dot; nothing where it is no DNS host name.
[[nodiscard]] std::optional<std::string> comparable_name(const std::string& shown);

}  // namespace sallyport::model
