// A policy written as TOML, and short questions to it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "classifier/policy.h"
#include "config/load.h"

namespace sallyport::classifier {

class PolicyWorld {
 public:
  // Anything wrong with the text fails the test. Warnings are kept.
  explicit PolicyWorld(std::string_view toml);

  // Verdicts read "allow route ns/rule" | "deny network_default" | "needs_name"; an audit adds " audited".
  [[nodiscard]] std::string tcp(std::string_view from, std::string_view to, std::uint16_t port = 80) const;
  [[nodiscard]] std::string udp(std::string_view from, std::string_view to, std::uint16_t port = 53) const;
  [[nodiscard]] std::string sctp(std::string_view from, std::string_view to, std::uint16_t port) const;
  [[nodiscard]] std::string ping(std::string_view from, std::string_view to) const;
  // The whole way: decide, and where a name is needed, the verdict for what is shown. Port 443.
  [[nodiscard]] std::string tls(std::string_view from, std::string_view to, std::string_view name) const;
  [[nodiscard]] std::string quic(std::string_view from, std::string_view to, std::string_view name) const;
  [[nodiscard]] std::string show(const FlowQuery& query, const Shown& shown) const;

  // "ns/name" of the capturing egress network of TCP port 80; empty: none.
  [[nodiscard]] std::string network(std::string_view from, std::string_view to) const;
  // "untranslated" | "web 203.0.113.8" | "web 203.0.113.8 +3" (more addresses) | "web: no address"; "[snat]" for no
  // egress.
  [[nodiscard]] std::string egress(std::string_view from, std::string_view to) const;

  [[nodiscard]] const Policy& policy() const { return *policy_; }
  [[nodiscard]] const Identities& identities() const { return identities_; }
  // Some warning holds the text.
  [[nodiscard]] bool warns(std::string_view text) const;
  [[nodiscard]] std::string warnings() const;
  [[nodiscard]] std::string describe(const Decision& decision) const;

 private:
  Identities identities_;
  config::Diagnostics diagnostics_;
  std::unique_ptr<const Policy> policy_;
};

using Ports = std::initializer_list<std::uint16_t>;

[[nodiscard]] IpAddress address(std::string_view text);
[[nodiscard]] FlowQuery tcp_query(std::string_view from, std::string_view to, std::uint16_t port);

// Every error of a text that must be refused, one a line; fails the test if it is not.
[[nodiscard]] std::string errors_of(std::string_view toml);

}  // namespace sallyport::classifier
