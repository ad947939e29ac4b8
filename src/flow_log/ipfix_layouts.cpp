#include "src/flow_log/ipfix_layouts.h"

#include "config/address.h"

namespace sallyport {
namespace {

IpfixTemplate operator+(IpfixTemplate left, const IpfixTemplate& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

void add_templates_of(std::vector<IpfixTemplate>& to, Family family) {
  const bool v4 = family == Family::v4;
  const std::uint16_t bytes = v4 ? 4 : 16;
  const IpfixElement source{v4 ? "sourceIPv4Address" : "sourceIPv6Address", bytes};
  const IpfixElement outside{v4 ? "postNATSourceIPv4Address" : "postNATSourceIPv6Address", bytes};
  const IpfixElement destination{v4 ? "destinationIPv4Address" : "destinationIPv6Address", bytes};
  const IpfixElement time{"observationTimeMilliseconds", 8};
  const IpfixElement nat_event{"natEvent", 1};
  const IpfixElement protocol{"protocolIdentifier", 1};
  const IpfixTemplate counts = {{"flowStartMilliseconds", 8}, {"flowEndMilliseconds", 8}, {"initiatorOctets", 8},
                                {"responderOctets", 8},       {"initiatorPackets", 8},    {"responderPackets", 8},
                                {"flowEndReason", 1}};
  const IpfixTemplate begun = {time,
                               nat_event,
                               protocol,
                               source,
                               outside,
                               destination,
                               {"sourceTransportPort", 2},
                               {"postNAPTSourceTransportPort", 2},
                               {"destinationTransportPort", 2}};
  to.push_back(begun);
  to.push_back(begun + counts);
  to.push_back(IpfixTemplate{time,
                             {"firewallEvent", 1},
                             protocol,
                             source,
                             destination,
                             {"sourceTransportPort", 2},
                             {"destinationTransportPort", 2}} +
               counts);
  to.push_back({time, nat_event, source, outside, {"portRangeStart", 2}, {"portRangeEnd", 2}});
  to.push_back({time, nat_event, outside, protocol});
  to.push_back({time, nat_event, {"natQuotaExceededEvent", 4}, {"maxEntriesPerUser", 4}, source});
  to.push_back({time, nat_event, {"natThresholdEvent", 4}, {"addressPortMappingHighThreshold", 4}, outside});
}

}  // namespace

const std::vector<IpfixTemplate>& ipfix_templates() {
  static const std::vector<IpfixTemplate> all = [] {
    std::vector<IpfixTemplate> templates;
    for (const Family family : {Family::v4, Family::v6}) add_templates_of(templates, family);
    const IpfixElement time{"observationTimeMilliseconds", 8};
    const IpfixElement nat_event{"natEvent", 1};
    templates.push_back({time, nat_event, {"natPoolId", 4}, {"natPoolName", 0}});
    templates.push_back({time, nat_event, {"natQuotaExceededEvent", 4}, {"maxSessionEntries", 4}});
    return templates;
  }();
  return all;
}

}  // namespace sallyport
