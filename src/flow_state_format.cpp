#include "src/flow_state_format.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

#include <fmt/format.h>

namespace sallyport {
namespace {

using dataplane::EndedFlow;
using dataplane::SavedFlow;
using dataplane::SavedRest;

constexpr std::string_view magic = "SALLYFLW";

enum class Kind : std::uint8_t { end, flow, rest, ended };

// One list of fields for both directions.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  template <typename T>
  void operator()(const T& value) {
    static_assert(std::has_unique_object_representations_v<T>, "no padding");
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void operator()(const bool& value) { (*this)(static_cast<std::uint8_t>(value ? 1 : 0)); }

 private:
  std::string& out_;
};

class Reader {
 public:
  explicit Reader(std::string_view& in) : in_(in) {}
  template <typename T>
  void operator()(T& value) {
    static_assert(std::has_unique_object_representations_v<T>, "no padding");
    good_ = good_ && in_.size() >= sizeof value;
    if (!good_) return;
    std::memcpy(&value, in_.data(), sizeof value);
    in_.remove_prefix(sizeof value);
  }
  void operator()(bool& value) {
    std::uint8_t byte = 0;
    (*this)(byte);
    good_ = good_ && byte <= 1;
    value = byte == 1;
  }
  void need(bool right) { good_ = good_ && right; }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] std::string_view rest() const { return in_; }
  void skip(std::size_t bytes) { in_.remove_prefix(bytes); }

 private:
  std::string_view& in_;
  bool good_ = true;
};

template <typename Fields, typename Head>
void head_fields(Fields& field, Head& head) {
  field(head.workers);
  field(head.recorded);
  field(head.saved_ns);
}

template <typename Fields, typename Address>
void address_fields(Fields& field, Address& address) {
  field(address.family);
  field(address.bytes);
}

template <typename Fields, typename Tunnel>
void tunnel_fields(Fields& field, Tunnel& tunnel) {
  field(tunnel.type);
  address_fields(field, tunnel.local);
  field(tunnel.peer.ethertype);
  field(tunnel.peer.id);
  field(tunnel.peer.has_id);
  field(tunnel.peer.mac);
  field(tunnel.peer.our_mac);
  address_fields(field, tunnel.peer.remote);
}

template <typename Fields, typename Flow>
void flow_fields(Fields& field, Flow& flow) {
  field(flow.inside);
  field(flow.translated);
  address_fields(field, flow.nat_address);
  field(flow.nat_port);
  field(flow.by_prefix);
  field(flow.tunnelled);
  if (flow.tunnelled) tunnel_fields(field, flow.tunnel);
  field(flow.tcp);
  field(flow.flags);
  field(flow.app);
  field(flow.audited);
  field(flow.ech);
  field(flow.started_ns);
  field(flow.seen_ns);
  field(flow.packet_ns);
  field(flow.packets);
  field(flow.bytes);
  field(flow.track.first_byte);
  field(flow.track.sent_end);
  field(flow.track.acked);
  field(flow.track.window);
  field(flow.track.window_shift);
  field(flow.track.known);
  field(flow.quic_version);
  field(flow.domain);
  field(flow.name_length);
}

template <typename Fields, typename Rest>
void rest_fields(Fields& field, Rest& rest) {
  address_fields(field, rest.address);
  field(rest.port);
  field(rest.protocol);
  field(rest.freed_ns);
}

template <typename Fields, typename Ended>
void ended_fields(Fields& field, Ended& ended) {
  field(ended.inside);
  field(ended.started_ns);
}

bool is_protocol(dataplane::IpProtocol protocol) {
  using enum dataplane::IpProtocol;
  return protocol == icmp || protocol == tcp || protocol == udp || protocol == icmp6 || protocol == sctp;
}

bool is_family(Family family) { return family == Family::v4 || family == Family::v6; }

bool is_right(const dataplane::SavedTunnel& tunnel) {
  return tunnel.type <= config::TunnelType::ipip && is_family(tunnel.local.family) &&
         is_family(tunnel.peer.remote.family);
}

bool is_right(const dataplane::TcpTrack& track) {
  constexpr std::uint8_t shift_max = 14;  // RFC 7323 section 2.3
  return std::ranges::all_of(track.window_shift, [](std::uint8_t shift) { return shift <= shift_max; }) &&
         std::ranges::all_of(track.known,
                             [](std::uint8_t what) { return (what & ~dataplane::TcpTrack::known_mask) == 0; });
}

// Values that this process could have written.
bool is_right(const SavedFlow& flow) {
  const bool fits = !flow.translated || flow.nat_address.family == flow.inside.family;
  return is_protocol(flow.inside.protocol) && is_family(flow.inside.family) && is_family(flow.nat_address.family) &&
         fits && (!flow.tunnelled || is_right(flow.tunnel)) &&
         static_cast<std::size_t>(flow.tcp) < dataplane::tcp_state_count &&
         (flow.flags & ~dataplane::saved_flags) == 0 && flow.app <= dataplane::AppProtocol::socks &&
         is_right(flow.track) && flow.name_length <= flow.name.size();
}

std::optional<FlowStateRecord> decode_flow(Reader& field) {
  SavedFlow flow;
  flow_fields(field, flow);
  field.need(is_right(flow));
  field.need(field.rest().size() >= flow.name_length);
  if (!field.good()) return std::nullopt;
  std::memcpy(flow.name.data(), field.rest().data(), flow.name_length);
  field.skip(flow.name_length);
  return flow;
}

}  // namespace

void encode(std::string& out, const FlowStateHead& head) {
  out += magic;
  Writer field(out);
  field(flow_state_version);
  head_fields(field, head);
}

void encode(std::string& out, const SavedFlow& flow) {
  Writer field(out);
  field(Kind::flow);
  flow_fields(field, flow);
  out += flow.shown_name();
}

void encode(std::string& out, const SavedRest& rest) {
  Writer field(out);
  field(Kind::rest);
  rest_fields(field, rest);
}

void encode(std::string& out, const EndedFlow& flow) {
  Writer field(out);
  field(Kind::ended);
  ended_fields(field, flow);
}

void encode(std::string& out, const FlowStateEnd& end) {
  Writer field(out);
  field(Kind::end);
  field(end.count);
}

DecodedHead decode_head(std::string_view bytes) {
  if (!bytes.starts_with(magic)) return {{}, 0, "it was not written by sallyport"};
  std::string_view rest = bytes.substr(magic.size());
  Reader field(rest);
  std::uint32_t version = 0;
  DecodedHead decoded;
  field(version);
  if (field.good() && version != flow_state_version) {
    return {{}, 0, fmt::format("it is of version {}, this program reads version {}", version, flow_state_version)};
  }
  head_fields(field, decoded.head);
  if (!field.good()) return {{}, 0, "it is cut short"};
  decoded.bytes = bytes.size() - rest.size();
  return decoded;
}

std::optional<FlowStateRecord> decode_record(std::string_view& bytes) {
  Reader field(bytes);
  Kind kind{};
  field(kind);
  if (!field.good()) return std::nullopt;
  switch (kind) {
    case Kind::flow:
      return decode_flow(field);
    case Kind::rest: {
      SavedRest rest;
      rest_fields(field, rest);
      field.need(is_protocol(rest.protocol) && is_family(rest.address.family));
      return field.good() ? std::optional<FlowStateRecord>(rest) : std::nullopt;
    }
    case Kind::ended: {
      EndedFlow ended;
      ended_fields(field, ended);
      field.need(is_protocol(ended.inside.protocol) && is_family(ended.inside.family));
      return field.good() ? std::optional<FlowStateRecord>(ended) : std::nullopt;
    }
    case Kind::end: {
      FlowStateEnd end;
      field(end.count);
      return field.good() ? std::optional<FlowStateRecord>(end) : std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace sallyport
