#include "src/recorded_flow.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "config/address.h"

namespace sallyport {
namespace {

using Json = nlohmann::json;
using Protocol = config::Protocol;

// Thrown and caught in this file only.
struct Wrong {
  std::string message;
};

const Json& member(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) throw Wrong{fmt::format("{} is missing", key)};
  return *found;
}

// Empty where there is none.
std::string text_in(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

IpAddress address_of(const Json& record, const char* key) {
  const Json& value = member(record, key);
  const auto address = value.is_string() ? parse_address(value.get<std::string>()) : std::nullopt;
  if (!address) throw Wrong{fmt::format("{}: {} is no IPv4 or IPv6 address", key, value.dump())};
  return *address;
}

std::uint16_t port_of(const Json& record, const char* key) {
  const Json& value = member(record, key);
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > 65535) {
    throw Wrong{fmt::format("{}: {} is no number from 0 to 65535", key, value.dump())};
  }
  return value.get<std::uint16_t>();
}

Protocol protocol_of(const Json& record) {
  constexpr std::array<std::pair<std::string_view, Protocol>, 5> known = {{{"TCP", Protocol::tcp},
                                                                           {"UDP", Protocol::udp},
                                                                           {"ICMP", Protocol::icmp},
                                                                           {"IPv6-ICMP", Protocol::icmp},
                                                                           {"SCTP", Protocol::sctp}}};
  const std::string text = text_in(record, "proto");
  for (const auto& [name, protocol] : known) {
    if (name == text) return protocol;
  }
  const bool number =
      !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (number || text == "GRE" || text == "ESP") return Protocol::other;
  throw Wrong{fmt::format("proto: \"{}\" is none of TCP, UDP, ICMP, IPv6-ICMP, SCTP, GRE, ESP, and no number", text)};
}

// Flows that were refused at their first packet never came to show a name.
bool was_asked(const Json& record) {
  const auto verdict = record.find("verdict");
  if (verdict == record.end() || text_in(*verdict, "action") != "deny") return true;
  constexpr std::array<std::string_view, 4> at_once = {"route", "network_default", "uncaptured", "network_policy"};
  const std::string reason = text_in(*verdict, "reason");
  return std::find(at_once.begin(), at_once.end(), reason) == at_once.end();
}

void read_shown(const Json& record, RecordedFlow& flow) {
  const std::string app = text_in(record, "app_proto");
  flow.asked = !app.empty() || was_asked(record);
  using Speech = classifier::Shown::Protocol;
  constexpr std::array<std::pair<std::string_view, Speech>, 4> known = {
      {{"tls", Speech::tls}, {"quic", Speech::quic}, {"http", Speech::http}, {"http2", Speech::http2}}};
  const auto spoken = std::find_if(known.begin(), known.end(), [&](const auto& one) { return one.first == app; });
  if (spoken == known.end()) return;
  flow.speaks = spoken->second;
  const bool http = flow.speaks == Speech::http || flow.speaks == Speech::http2;
  const auto of = record.find(http ? "http" : app.c_str());
  if (of == record.end() || !of->is_object()) return;
  flow.name = text_in(*of, http ? "hostname" : "sni");
  flow.method = text_in(*of, "http_method");
  flow.target = text_in(*of, "url");
  const auto ech = of->find("ech");
  flow.ech = ech != of->end() && ech->is_boolean() && ech->get<bool>();
}

RecordedFlow flow_of(const Json& record) {
  RecordedFlow flow;
  const auto id = record.find("flow_id");
  if (id != record.end() && id->is_number_unsigned()) flow.id = id->get<std::uint64_t>();
  flow.query.source = address_of(record, "src_ip");
  flow.query.destination = address_of(record, "dest_ip");
  if (flow.query.source.family != flow.query.destination.family) {
    throw Wrong{"src_ip and dest_ip are of different families"};
  }
  flow.query.protocol = protocol_of(record);
  if (flow.query.protocol != Protocol::icmp && flow.query.protocol != Protocol::other) {
    flow.source_port = port_of(record, "src_port");
    flow.query.destination_port = port_of(record, "dest_port");
  }
  read_shown(record, flow);
  return flow;
}

}  // namespace

std::optional<classifier::Shown> RecordedFlow::shown() const {
  if (!asked) return std::nullopt;
  classifier::Shown shown;
  shown.protocol = speaks;
  shown.name = name;
  shown.ech = ech;
  shown.request.method = method;
  shown.request.target = target;
  return shown;
}

RecordedLine parse_recorded_flow(std::string_view line) {
  const Json record = Json::parse(line, nullptr, false);
  if (record.is_discarded()) return {std::nullopt, "no JSON: cut off, or from another program"};
  if (!record.is_object()) return {std::nullopt, "no JSON object"};
  const std::string kind = text_in(record, "event_type");
  if (kind.empty()) return {std::nullopt, "event_type is missing: no flow record"};
  if (kind != "flow") return {};
  try {
    return {flow_of(record), {}};
  } catch (const Wrong& wrong) {
    return {std::nullopt, wrong.message};
  }
}

}  // namespace sallyport
