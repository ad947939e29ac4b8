#include "src/sighting_json.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "dataplane/wire/headers.h"
#include "src/explanation.h"
#include "src/flow_record_json.h"

namespace sallyport {
namespace {

using dataplane::FlowFound;
using dataplane::FlowRecord;
using dataplane::FrameHead;
using dataplane::IpProtocol;
using dataplane::PacketKind;
using dataplane::Seen;
using dataplane::Sighting;
using Json = nlohmann::ordered_json;

constexpr std::uint16_t host_order(std::uint16_t network_order) noexcept {
  static_assert(std::endian::native == std::endian::little);
  return static_cast<std::uint16_t>((network_order << 8U) | (network_order >> 8U));
}

std::string time_text(std::uint64_t since_epoch_ns) {
  JsonBuffer quoted;
  append_json_time(quoted, since_epoch_ns);
  return {quoted.data() + 1, quoted.size() - 2};
}

std::string_view text_of(FlowFound found) {
  constexpr std::array<std::string_view, 4> texts = {"none", "waiting", "allowed", "denied"};
  return texts[static_cast<std::size_t>(found)];
}

std::string protocol_of(const FrameHead& frame) {
  const std::string_view name = protocol_text(static_cast<IpProtocol>(frame.ip_protocol));
  return name.empty() ? std::to_string(frame.ip_protocol) : std::string(name);
}

// As tcpdump writes them: "S.", "P.", "R".
std::string flags_text(std::uint8_t flags) {
  using dataplane::wire::Tcp;
  constexpr std::array<std::pair<std::uint8_t, char>, 5> letters = {
      {{Tcp::fin, 'F'}, {Tcp::syn, 'S'}, {Tcp::rst, 'R'}, {Tcp::psh, 'P'}, {Tcp::ack, '.'}}};
  std::string text;
  for (const auto& [flag, letter] : letters) {
    if ((flags & flag) != 0) text += letter;
  }
  return text.empty() ? "none" : text;
}

std::string hexadecimal(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

void put_packet(Json& json, const FrameHead& frame) {
  if (!frame.sound) {
    json["proto"] = frame.ip ? "broken IP" : "not IP";
    return;
  }
  json["proto"] = protocol_of(frame);
  json["src_ip"] = to_string(frame.key.source_address());
  json["dest_ip"] = to_string(frame.key.destination_address());
  switch (frame.kind) {
    case PacketKind::tcp:
    case PacketKind::udp:
    case PacketKind::sctp:
      json["src_port"] = host_order(frame.key.source_port);
      json["dest_port"] = host_order(frame.key.destination_port);
      break;
    case PacketKind::echo_request:
    case PacketKind::echo_reply:
      json["icmp"] = frame.kind == PacketKind::echo_request ? "echo request" : "echo reply";
      json["icmp_id"] = host_order(frame.key.source_port);
      break;
    case PacketKind::icmp_error:
      json["icmp"] = "error";
      break;
    case PacketKind::portless:
    case PacketKind::other:
      break;
  }
  if (frame.kind == PacketKind::tcp) json["tcp_flags"] = flags_text(frame.tcp_flags);
  if (frame.fragment) json["fragment"] = true;
  json["ttl"] = frame.ttl;
}

Json frame_json(const Sighting::Frame& frame, const SightingNames& names) {
  Json json;
  json["port"] = frame.head.port < names.ports.size() ? names.ports[frame.head.port] : "";
  put_packet(json, frame.head);
  json["length"] = frame.head.length;
  if (frame.head.seen == Seen::sent && frame.head.weight == 0) json["by_gateway"] = true;
  if (!frame.bytes.empty()) json["bytes"] = hexadecimal(frame.bytes);
  return json;
}

config::Protocol protocol_of(const FlowRecord& flow) {
  switch (flow.inside.protocol) {
    case IpProtocol::tcp:
      return config::Protocol::tcp;
    case IpProtocol::udp:
      return config::Protocol::udp;
    case IpProtocol::sctp:
      return config::Protocol::sctp;
    case IpProtocol::icmp:
    case IpProtocol::icmp6:
      return config::Protocol::icmp;
  }
  return config::Protocol::other;
}

// The question that the flow has put, as far as its record tells.
ExplainOptions question_of(const FlowRecord& flow) {
  ExplainOptions question;
  question.from = flow.inside.source_address();
  question.to = flow.inside.destination_address();
  question.protocol = protocol_of(flow);
  question.port = host_order(flow.inside.destination_port);
  if (!flow.server_name().empty()) question.host = std::string(flow.server_name());
  if (!flow.http_method().empty()) {
    question.http = RequestLine{
        std::string(flow.http_method()), std::string(flow.http_url()), flow.app == dataplane::AppProtocol::http2, {}};
  }
  return question;
}

void put_reasoning(Json& json, const Sighting& sighting, const SightingNames& names) {
  const LivePolicy& live = *names.live;
  // What another policy has decided is not to be explained by this one.
  if (!live.policy || sighting.flow->generation != live.generation) return;
  const Place place = place_of(*sighting.flow, live.policy->model(), *live.identities);
  const bool waiting = sighting.head.now == FlowFound::waiting;
  if (!place.file.empty() && !waiting) json["decided_at"] = {{"file", place.file}, {"line", place.line}};
  const bool news = sighting.head.found != sighting.head.now || sighting.head.now == FlowFound::denied;
  if (!news) return;
  const FlowAnswer answer = explain_flow(*live.policy, *live.identities, names.appliance, question_of(*sighting.flow));
  Json& steps = json["steps"] = Json::array();
  for (const classifier::Step& step : answer.steps) {
    steps.push_back({{"what", step.what}, {"result", step.result}, {"file", step.file}, {"line", step.line}});
  }
}

void put_flow(Json& json, const Sighting& sighting, const SightingNames& names) {
  json["flow"] = {{"before", text_of(sighting.head.found)}, {"after", text_of(sighting.head.now)}};
  if (!sighting.flow) return;
  JsonBuffer record;
  append_json(record, *sighting.flow, *names.live->identities);
  json["record"] = Json::parse(record.data(), record.data() + record.size(), nullptr, false);
  put_reasoning(json, sighting, names);
}

std::string_view outcome_of(const Sighting& sighting) {
  if (sighting.head.handed_to != dataplane::SightingHead::nowhere) return "handed_over";
  if (sighting.head.to_kernel) return "to_kernel";
  if (sighting.head.ends != 0) return "ended";
  const bool forwarded = std::any_of(sighting.frames.begin(), sighting.frames.end(), [](const Sighting::Frame& frame) {
    return frame.head.seen == Seen::sent && frame.head.weight != 0;
  });
  if (!forwarded) return sighting.head.received ? "held" : "sent_by_gateway";
  return sighting.head.received ? "forwarded" : "sent_later";
}

}  // namespace

std::string to_json(const Sighting& sighting, const SightingNames& names) {
  const dataplane::SightingHead& head = sighting.head;
  Json json = {{"timestamp", time_text(head.time_ns)},
               {"time_ns", head.time_ns},
               {"event_type", "trace"},
               {"worker", head.worker},
               {"direction", head.from_inside ? "to_server" : "to_client"}};
  Json sent = Json::array();
  for (const Sighting::Frame& frame : sighting.frames) {
    if (frame.head.seen == Seen::sent) {
      sent.push_back(frame_json(frame, names));
    } else {
      json["received"] = frame_json(frame, names);
    }
  }
  put_flow(json, sighting, names);
  json["sent"] = std::move(sent);
  if (head.frames_left_out != 0) json["sent_besides"] = head.frames_left_out;
  json["outcome"] = outcome_of(sighting);
  if (head.handed_to != dataplane::SightingHead::nowhere) json["handed_to"] = head.handed_to;
  Json reasons = Json::object();
  for (std::size_t i = 0; i < head.ends; ++i) reasons[std::string(to_string(head.end[i].why))] = head.end[i].packets;
  json["reasons"] = std::move(reasons);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sallyport
