// What a flow was, when it is decided against or ends: the value behind a line of the flow log and of `show flows`.
// A plain value that workers write into a ring; the control plane resolves the ids and renders it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "classifier/decision.h"
#include "config/address.h"
#include "dataplane/flow/flow_key.h"

namespace sallyport::dataplane {

enum class AppProtocol : std::uint8_t { unknown, tls, quic, http, http2, dns, socks };

// flow.state and flow.reason of a record.
enum class FlowPhase : std::uint8_t { opening, established, closing, closed };
enum class FlowEnd : std::uint8_t { none, denied, fin, rst, timeout, shutdown, replaced };

// Of a flow; or of ports of an egress address that an inside address has from now on, or no more ([nat] port_block):
// then `inside.source` says whose, `nat_address` and `nat_port` which, the first of `ports`. Or of an egress address
// that runs out of them: `ports` of `ports_of` are in use, of inside.protocol (0: of any), towards
// `inside.destination`, or at all where its port is 0. For those who log translations (RFC 8158) besides: a flow that
// got one just now, as its record will have it; and a flow that found no port of `nat_address` left.
enum class RecordKind : std::uint8_t {
  flow,
  ports_given,
  ports_taken_back,
  ports_running_out,
  translation_begun,
  ports_exhausted
};

inline constexpr std::size_t record_name_bytes = 256;
inline constexpr std::size_t record_method_bytes = 32;

struct FlowRecord {
  RecordKind kind = RecordKind::flow;
  std::uint32_t ports = 0;
  std::uint32_t ports_of = 0;
  std::uint64_t id = 0;
  std::uint64_t start_ns = 0;  // since the epoch
  std::uint64_t end_ns = 0;    // of the last packet
  std::uint64_t written_ns = 0;
  FlowKey inside;              // client -> server, before translation
  IpAddress nat_address;       // with `translated`
  std::uint16_t nat_port = 0;  // network byte order; an ICMP identifier likewise
  bool translated = false;
  FlowPhase phase = FlowPhase::opening;
  FlowEnd end = FlowEnd::none;
  bool allowed = false;
  bool waiting = false;  // for its name, so that nothing is decided yet: only of a flow that lives
  bool audited = false;
  classifier::Reason reason = classifier::Reason::uncaptured;
  classifier::Layer layer = classifier::Layer::none;
  AppProtocol app = AppProtocol::unknown;
  bool ech = false;
  classifier::Id rule = 0;
  classifier::Id network = 0;
  classifier::Id namespace_name = 0;
  classifier::Id workload = 0;
  classifier::Id egress = 0;
  // The shadow policy would have ended it otherwise.
  bool shadow_differs = false;
  classifier::Action shadow_action = classifier::Action::deny;  // needs_name: denied before it could show one
  classifier::Reason shadow_reason = classifier::Reason::uncaptured;
  classifier::Layer shadow_layer = classifier::Layer::none;
  classifier::Id shadow_rule = 0;
  classifier::Id shadow_network = 0;
  std::uint32_t generation = 0;  // of the policy that decided last
  std::uint32_t quic_version = 0;
  std::array<std::uint64_t, 2> packets{};  // to server, to client
  std::array<std::uint64_t, 2> bytes{};    // of whole frames
  // Texts, at the end, and not set to anything behind their length: most records have none, and who denies a flood
  // writes many.
  std::uint16_t name_length = 0;
  std::uint16_t url_length = 0;
  std::uint8_t method_length = 0;
  std::array<char, record_method_bytes> method;  // of HTTP, with the URL: of the latest request
  std::array<char, record_name_bytes> name;      // as sent: any bytes
  std::array<char, record_name_bytes> url;       // as sent, cut to this length

  [[nodiscard]] std::string_view server_name() const noexcept { return {name.data(), name_length}; }
  [[nodiscard]] std::string_view http_method() const noexcept { return {method.data(), method_length}; }
  [[nodiscard]] std::string_view http_url() const noexcept { return {url.data(), url_length}; }
};
static_assert(std::is_trivially_copyable_v<FlowRecord>);

// How many bytes of it have to be copied: where it has no texts, a good quarter.
[[nodiscard]] inline std::size_t said_bytes(const FlowRecord& record) noexcept {
  const bool speaks = (record.name_length | record.url_length | record.method_length) != 0;
  return speaks ? sizeof record : offsetof(FlowRecord, method);
}

}  // namespace sallyport::dataplane
